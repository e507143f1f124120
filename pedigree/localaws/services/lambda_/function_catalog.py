"""Looks up functions, versions and aliases in moto's state."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.clients import LAMBDA, ServiceRole
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.moto.patches import DEAD_LETTER
from pedigree.localaws.services.lambda_ import hot_reload

LATEST = "$LATEST"
_SERVICE = "awslambda"
_ARN = re.compile(
    r"(?:(?:arn:aws[\w-]*:lambda:)?(?:[\w-]+:)?(?:\d{12}:)?function:)?([\w-]{1,140})(?::([\w$-]{1,128}))?"
)


@dataclass(frozen=True)
class LambdaLayer:
    """An archive that is unpacked beside a function's own code."""

    digest: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Function:
    """One version of a function, with its code and its limits."""

    name: str
    version: str
    arn: str
    invoked_arn: str
    runtime: str
    handler: str
    role: str
    memory: int
    timeout_seconds: float
    variables: Mapping[str, str]
    digest: str
    code: bytes = field(repr=False)
    reserved_concurrency: int | None = None
    event_invoke_config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[LambdaLayer, ...] = ()
    dead_letter_arn: str = ""

    @cached_property
    def key(self) -> str:
        """Return the same key for all invocations that one process can serve, by whichever name they come."""
        parts = (self.arn, self.version, self.digest, self.handler, self.role, self.memory, self.runtime)
        identity = [*parts, dict(self.variables), *(layer.digest for layer in self.layers)]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    @property
    def service_role(self) -> ServiceRole:
        return ServiceRole(self.role, LAMBDA, self.arn, self.name[:64])

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"


class FunctionCatalog:
    """Finds functions by name, ARN, version or alias."""

    def __init__(self, backends: MotoBackends, region: str) -> None:
        self._backends = backends
        self._region = region

    def find(self, name_or_arn: str, qualifier: str = "") -> Function:
        """Return the version of a name and a qualifier; an alias with weights chooses one of its versions each time."""
        name, own_qualifier = split_name(name_or_arn)
        if own_qualifier and qualifier and own_qualifier != qualifier:
            raise ServiceError(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified qualifier.",
            )
        qualifier = qualifier or own_qualifier
        with self._backends.backend(_SERVICE, self._region) as backend:
            version = self._find_version(backend, name, qualifier)
            if version is None:
                raise _not_found(backend, name, qualifier)
            latest = backend._lambdas._get_latest(name)
            function = _function(version, latest, qualifier, _layers(backend, version))
        folder = hot_reload.find_folder(function.code)
        return replace(function, digest=f"{function.digest}:{hot_reload.fingerprint(folder)}") if folder else function

    def alias_version(self, name: str, qualifier: str) -> str | None:
        """Return the version that an alias stands for, or None if there is no such alias."""
        with self._backends.backend(_SERVICE, self._region) as backend:
            alias = backend._lambdas._get_function_aliases(name).get(qualifier)
            return None if alias is None else str(alias.function_version)

    def _find_version(self, backend: Any, name: str, qualifier: str) -> Any:
        from moto.awslambda.exceptions import LambdaClientError  # moto takes a second to import

        storage = backend._lambdas
        if name not in storage._functions:
            return None
        alias = storage._get_function_aliases(name).get(qualifier)
        version = _choose_version(alias) if alias else qualifier or None
        try:
            return storage.get_function_by_name_with_qualifier(name, version)
        except LambdaClientError:
            return None


def split_name(name_or_arn: str) -> tuple[str, str]:
    """Return the function's name and qualifier in a FunctionName."""
    match = _ARN.fullmatch(name_or_arn)
    if not match:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{name_or_arn[:200]}' at 'functionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: "
            r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
            r"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    return match[1], match[2] or ""


def _choose_version(alias: Any) -> str:
    """Return a version of an alias at random, by its routing weights."""
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    point = random.random()  # noqa: S311  # it chooses a version, nothing secret
    for version, weight in weights.items():
        point -= weight
        if point < 0:
            return str(version)
    return str(alias.function_version)


def _layers(backend: Any, version: Any) -> tuple[LambdaLayer, ...]:
    """Return the layers of a function in their order, without those that have been deleted since."""
    layers = (backend.layers_versions_by_arn(layer["Arn"]) for layer in version.layers)
    return tuple(LambdaLayer(layer.code_sha_256, layer.code_bytes) for layer in layers if layer is not None)


def _function(version: Any, latest: Any, qualifier: str, layers: tuple[LambdaLayer, ...]) -> Function:
    arn = latest.function_arn
    configs = latest.event_invoke_config or version.event_invoke_config
    return Function(
        name=version.function_name,
        version=LATEST if version is latest else str(version.version),
        arn=arn,
        invoked_arn=f"{arn}:{qualifier}" if qualifier else arn,
        runtime=version.run_time or "",
        handler=version.handler or "",
        role=version.role,
        memory=int(version.memory_size),
        timeout_seconds=float(version.timeout),
        variables=dict(version.environment_vars or {}),
        digest=version.code_sha_256,
        code=getattr(version, "code_bytes", b""),
        reserved_concurrency=None if latest.reserved_concurrency is None else int(latest.reserved_concurrency),
        event_invoke_config=configs[0].config if configs else {},
        layers=layers,
        dead_letter_arn=getattr(version, DEAD_LETTER, ""),
    )


def _not_found(backend: Any, name: str, qualifier: str) -> ServiceError:
    arn = f"arn:aws:lambda:{backend.region_name}:{backend.account_id}:function:{name}"
    qualified = f"{arn}:{qualifier}" if qualifier else arn
    return ServiceError("ResourceNotFoundException", f"Function not found: {qualified}", 404)
