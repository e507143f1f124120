"""Clients like boto3's: they check requests and answers against botocore's models, and can fail at any call."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from botocore import xform_name
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator


class ProcessKilled(BaseException):
    """The process is killed between two instructions; no code catches this."""


@dataclass(frozen=True)
class Fault:
    """How a call fails: before or after its effect; once, or from then on."""

    error: Callable[[str], BaseException]
    after: bool = False
    stays: bool = False


def refusal(operation: str, code: str, message: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


FAULTS: Mapping[str, Fault] = {
    "throttled": Fault(lambda name: refusal(name, "ThrottlingException", "Rate exceeded")),
    "server error": Fault(lambda name: refusal(name, "InternalFailure", "An internal error occurred.", 500)),
    "not connected": Fault(lambda name: EndpointConnectionError(endpoint_url="https://fake")),
    "answer lost": Fault(lambda name: ReadTimeoutError(endpoint_url="https://fake"), True),
    "server error after": Fault(lambda name: refusal(name, "InternalFailure", "Too late.", 500), True),
    "killed after": Fault(lambda name: ProcessKilled(), True),
    "down from then on": Fault(lambda name: refusal(name, "ServiceUnavailable", "Try later.", 503), False, True),
}


@dataclass
class CallLog:
    """Records all calls in order, and makes chosen calls fail."""

    sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _fault: Fault | None = None
    _at: int = -1
    _on: str = ""

    @property
    def calls(self) -> list[str]:
        """The names of all calls, with their service."""
        return [name for name, _ in self.sent]

    def break_at(self, call: int, fault: Fault) -> None:
        """Make the n-th call from now fail."""
        self._fault, self._at, self._on = fault, len(self.sent) + call, ""

    def break_on(self, name: str, code: str, message: str) -> None:
        """Refuse the next call of a name."""
        self._fault, self._at, self._on = Fault(lambda name: refusal(name, code, message)), -1, name

    def mend(self) -> None:
        """Stop making calls fail."""
        self._fault = None

    def carry(self, name: str, arguments: Mapping[str, Any], act: Callable[[], Any]) -> Any:
        fault = self._due(name)
        self.sent.append((name, arguments))
        if fault and not fault.after:
            raise fault.error(name.partition(":")[2])
        answer = act()
        if fault:
            raise fault.error(name.partition(":")[2])
        return answer

    def _due(self, name: str) -> Fault | None:
        here = len(self.sent)
        fault = self._fault
        if fault is None or not (name == self._on or here == self._at or (fault.stays and 0 <= self._at <= here)):
            return None
        if not fault.stays:
            self._fault = None
        return fault


class FakeService:
    """The base of all fake services: each method is an operation, and can refuse with AWS's errors."""

    def refuse(self, code: str, message: str) -> NoReturn:
        raise refusal("Operation", code, message)


@dataclass(frozen=True)
class FakeClient:
    """One service's client."""

    service: str
    backend: FakeService
    wire: CallLog

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **arguments: self.call(operation, arguments)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        model = _operations(self.service)[operation]
        if model.input_shape is not None:
            _check(arguments, model.input_shape, operation)
        answer = self.wire.carry(
            f"{self.service}:{model.name}", arguments, lambda: self._act(operation, model.name, arguments)
        )
        if model.output_shape is not None:
            unknown = answer.keys() - model.output_shape.members.keys()
            assert not unknown, f"{operation} answers no {unknown}"
        return copy.deepcopy(answer)

    def _act(self, operation: str, name: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return getattr(self.backend, operation)(copy.deepcopy(dict(arguments))) or {}
        except ClientError as error:
            found = error.response["Error"]
            raise refusal(name, found["Code"], found["Message"]) from None


@cache
def _operations(service: str) -> Mapping[str, Any]:
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


_SOUND: set[str] = set()  # requests that were checked before


def _check(arguments: Mapping[str, Any], shape: Any, operation: str) -> None:
    request = f"{operation} {arguments}"
    if request not in _SOUND:
        report = ParamValidator().validate(arguments, shape)
        problems = [report.generate_report()] if report.has_errors() else list(_beyond(arguments, shape, operation))
        assert not problems, f"{operation}: {problems}"
        _SOUND.add(request)


def _beyond(value: Any, shape: Any, path: str) -> Iterator[str]:
    """What botocore leaves to the service to check: maximum lengths, patterns, choices."""
    limits = shape.metadata
    if shape.type_name == "structure":
        for key, member in value.items():
            yield from _beyond(member, shape.members[key], f"{path}.{key}")
    elif shape.type_name == "list":
        for member in value:
            yield from _beyond(member, shape.member, f"{path}[]")
    if shape.type_name in ("list", "string") and len(value) > limits.get("max", len(value)):
        yield f"{path} is longer than {limits['max']}: {value}"
    if shape.type_name in ("integer", "float", "double") and value > limits.get("max", value):
        yield f"{path} is more than {limits['max']}: {value}"
    if not _like(value, limits.get("pattern", ".*")):
        yield f"{path} is not like {limits['pattern']}: {value!r}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{path} is not one of the choices: {value!r}"


def _like(value: Any, pattern: str) -> bool:
    """Whether a value matches a pattern; patterns that only Java understands are skipped."""
    return any(java in pattern for java in (r"\u", r"\p")) or re.fullmatch(pattern, str(value), re.DOTALL) is not None
