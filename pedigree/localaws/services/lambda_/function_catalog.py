"""The functions that there are, as moto's records tell them."""

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
from pedigree.localaws.kernel.clients import LAMBDA, RoleAssumption
from pedigree.localaws.moto.mending import DEAD_LETTER
from pedigree.localaws.moto.services import Records
from pedigree.localaws.services.lambda_ import hot_reload

LATEST = "$LATEST"
_SERVICE = "awslambda"
_ARN = re.compile(
    r"(?:(?:arn:aws[\w-]*:lambda:)?(?:[\w-]+:)?(?:\d{12}:)?function:)?([\w-]{1,140})(?::([\w$-]{1,128}))?"
)


@dataclass(frozen=True)
class Layer:
    """An archive that a function finds beside its own code."""

    digest: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Function:
    """One version of a function: its code, how it is called, and within which limits."""

    name: str
    version: str
    arn: str
    invoked_arn: str
    runtime: str
    handler: str
    role: str
    memory: int
    seconds: float
    variables: Mapping[str, str]
    digest: str
    code: bytes = field(repr=False)
    reserved: int | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    dead_letter: str = ""

    @cached_property
    def key(self) -> str:
        """The same for calls that one process can answer, whichever name the function was called by."""
        parts = (self.arn, self.version, self.digest, self.handler, self.role, self.memory, self.runtime)
        told = [*parts, dict(self.variables), *(layer.digest for layer in self.layers)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def taking(self) -> RoleAssumption:
        """Its role, as Lambda takes it."""
        return RoleAssumption(self.role, LAMBDA, self.arn, self.name[:64])

    @property
    def log_group(self) -> str:
        """Where its lines go."""
        return f"/aws/lambda/{self.name}"


class FunctionCatalog:
    """Looks functions up by name, ARN, version or alias."""

    def __init__(self, records: Records, region: str) -> None:
        self._records = records
        self._region = region

    def find(self, name_or_arn: str, qualifier: str = "") -> Function:
        """The version that a name and a qualifier mean; one of several where an alias shares its calls out."""
        name, told = split(name_or_arn)
        if told and qualifier and told != qualifier:
            raise ServiceError(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified qualifier.",
            )
        wanted = qualifier or told
        with self._records.held(_SERVICE, self._region) as backend:
            found = self._version(backend, name, wanted)
            if found is None:
                raise _unknown(backend, name, wanted)
            latest = backend._lambdas._get_latest(name)
            function = _function(found, latest, wanted, _layers(backend, found))
        at = hot_reload.folder(function.code)
        return replace(function, digest=f"{function.digest}:{hot_reload.state(at)}") if at else function

    def alias_version(self, name: str, qualifier: str) -> str | None:
        """The version that an alias stands for; None if it is no alias."""
        with self._records.held(_SERVICE, self._region) as backend:
            alias = backend._lambdas._get_function_aliases(name).get(qualifier)
            return None if alias is None else str(alias.function_version)

    def _version(self, backend: Any, name: str, wanted: str) -> Any:
        from moto.awslambda.exceptions import LambdaClientError

        storage = backend._lambdas
        if name not in storage._functions:
            return None
        alias = storage._get_function_aliases(name).get(wanted)
        try:
            return storage.get_function_by_name_with_qualifier(name, _shared_out(alias) if alias else wanted or None)
        except LambdaClientError:
            return None


def split(name_or_arn: str) -> tuple[str, str]:
    """A function's name and qualifier in what a request calls it by."""
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


def _shared_out(alias: Any) -> str:
    """The version of this call: an alias may give a share of its calls to another one."""
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    point = random.random()  # noqa: S311  # nothing hangs on it but who answers
    for version, weight in weights.items():
        point -= weight
        if point < 0:
            return str(version)
    return str(alias.function_version)


def _layers(backend: Any, found: Any) -> tuple[Layer, ...]:
    """The layers of a function in their order; one that has been deleted since is there no more."""
    versions = (backend.layers_versions_by_arn(one["Arn"]) for one in found.layers)
    return tuple(Layer(one.code_sha_256, one.code_bytes) for one in versions if one is not None)


def _function(found: Any, latest: Any, wanted: str, layers: tuple[Layer, ...]) -> Function:
    is_latest = found is latest
    base = latest.function_arn
    configs = latest.event_invoke_config or found.event_invoke_config
    return Function(
        name=found.function_name,
        version=LATEST if is_latest else str(found.version),
        arn=base,
        invoked_arn=f"{base}:{wanted}" if wanted else base,
        runtime=found.run_time or "",
        handler=found.handler or "",
        role=found.role,
        memory=int(found.memory_size),
        seconds=float(found.timeout),
        variables=dict(found.environment_vars or {}),
        digest=found.code_sha_256,
        code=getattr(found, "code_bytes", b""),
        reserved=None if latest.reserved_concurrency is None else int(latest.reserved_concurrency),
        policy=configs[0].config if configs else {},
        layers=layers,
        dead_letter=getattr(found, DEAD_LETTER, ""),
    )


def _unknown(backend: Any, name: str, qualifier: str) -> ServiceError:
    arn = f"arn:aws:lambda:{backend.region_name}:{backend.account_id}:function:{name}"
    whole = f"{arn}:{qualifier}" if qualifier else arn
    return ServiceError("ResourceNotFoundException", f"Function not found: {whole}", 404)
