"""Patches of moto, where it lacks a feature of AWS or answers differently; applied once, for the process.

Each function below makes a replacement for one of moto's, and its docstring says what AWS does. moto's version is
pinned, and tests fail when a patch no longer fits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError, UnknownAliasException
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.policy import Policy
from moto.core.resource_tagging import TaggedResource
from moto.events.models import EventBus, EventsBackend
from moto.sqs.models import Queue, SQSBackend, sqs_backends

from pedigree.localaws.moto.alarm_patches import ALARM_PATCHES
from pedigree.localaws.moto.aws_policies import POLICY_PATCHES
from pedigree.localaws.moto.identity_patches import IDENTITY_PATCHES

DEAD_LETTER = "dead_letter_target"
"""The attribute that a patched function of moto's keeps its dead-letter target in."""
_UNSUPPORTED_PERMISSIONS = ("EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl")
_ACCOUNT = re.compile(r"\d{12}")


@cache
def apply_patches() -> None:
    """Patch moto, unless it is patched already."""
    for owner, name, patched in (*_PATCHES, *ALARM_PATCHES, *IDENTITY_PATCHES, *POLICY_PATCHES):
        setattr(owner, name, patched(getattr(owner, name, None)))


class ConflictError(LambdaClientError):
    """The error for something that exists already."""

    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ResourceConflictException", message)


def _function_arn(backend: LambdaBackend, name_or_arn: str) -> str:
    """A function's ARN, with its alias, from any of the forms in which a request may name it."""
    name = name_or_arn.rpartition("function:")[2]
    return f"arn:aws:lambda:{backend.region_name}:{backend.account_id}:function:{name}"


def create_mapping(original: Any) -> Callable[..., Any]:
    """A queue and a function can be mapped once; the mapping is to the alias, not to the version behind it."""

    def create_event_source_mapping(self: LambdaBackend, spec: dict[str, Any]) -> Any:
        queue, function = spec.get("EventSourceArn"), _function_arn(self, spec["FunctionName"])
        for mapping in self._event_source_mappings.values():
            if (mapping.event_source_arn, mapping.function_arn) == (queue, function):
                raise ConflictError(
                    f'An event source mapping with SQS arn (" {queue} ") and function (" {function} ") already exists. '
                    f"Please update or delete the existing mapping with UUID {mapping.uuid}"
                )
        _check_visibility(self, str(queue), spec["FunctionName"])
        made = original(self, spec)
        made.function_arn = function
        return made

    return create_event_source_mapping


def _check_visibility(backend: LambdaBackend, queue: str, function: str) -> None:
    """A message must not become visible again while the function may still work on it."""
    queues: list[Any] = list(sqs_backends[backend.account_id][backend.region_name].queues.values())
    timeouts = [candidate.visibility_timeout for candidate in queues if candidate.queue_arn == queue]
    seconds = int(backend._lambdas.get_function_by_name_or_arn_with_qualifier(function).timeout)
    if timeouts and int(timeouts[0]) < seconds:
        words = f"Queue visibility timeout: {timeouts[0]} seconds is less than Function timeout: {seconds} seconds"
        raise InvalidParameterValueException(words)


def update_mapping(original: Any) -> Callable[..., Any]:
    """As with create_mapping: the mapping is to the alias."""

    def update_event_source_mapping(self: LambdaBackend, uuid: str, spec: dict[str, Any]) -> Any:
        changed = original(self, uuid, spec)
        if changed and "FunctionName" in spec:
            changed.function_arn = _function_arn(self, spec["FunctionName"])
        return changed

    return update_event_source_mapping


def _dead_letter(spec: dict[str, Any]) -> str:
    """The target of calls that failed permanently, from a request."""
    arn = str((spec.get("DeadLetterConfig") or {}).get("TargetArn") or "")
    if arn and not arn.startswith("arn:aws:sqs:"):
        words = f"The local AWS sends dead letters to queues of SQS only, and {arn} is not one."
        raise InvalidParameterValueException(words)
    return arn


def new_function(original: Any) -> Callable[..., Any]:
    """A function has a target for calls that failed permanently."""

    def init(self: LambdaFunction, account_id: str, spec: dict[str, Any], region: str, version: int | str) -> None:
        setattr(self, DEAD_LETTER, _dead_letter(spec))
        original(self, account_id, spec, region, version)

    return init


def update_configuration(original: Any) -> Callable[..., Any]:
    """As with new_function."""

    def update(self: LambdaFunction, config_updates: dict[str, Any]) -> Any:
        if "DeadLetterConfig" in config_updates:
            setattr(self, DEAD_LETTER, _dead_letter(config_updates))
        return original(self, config_updates)

    return update


def configuration(original: Any) -> Callable[..., Any]:
    """A function's description has its dead-letter target."""

    def get_configuration(self: LambdaFunction, on_create: bool = False) -> Any:
        arn = getattr(self, DEAD_LETTER, "")
        return {**original(self, on_create), **({"DeadLetterConfig": {"TargetArn": arn}} if arn else {})}

    return get_configuration


def add_statement(original: Any) -> Callable[..., Any]:
    """Each statement of a function's policy has an id of its own, and only conditions that the local AWS decides by."""

    def add(self: Policy, raw: str, qualifier: str | None = None) -> Any:
        statement = json.loads(raw)
        unsupported = next((name for name in _UNSUPPORTED_PERMISSIONS if statement.get(name)), "")
        if unsupported:
            raise InvalidParameterValueException(f"{unsupported} is not supported by the local AWS.")
        sid = statement["StatementId"]
        if any(statement["Sid"] == sid for statement in self.statements):
            raise ConflictError(f"The statement id ({sid}) provided already exists.")
        return original(self, raw, qualifier)

    return add


def principal(_original: Any) -> Callable[..., Any]:
    """A permission is for a service, an account, a user, a role or everybody; the policy names them by their kind."""

    def format_principal(_self: Policy, value: Any) -> Any:
        if not isinstance(value, str) or value == "*":
            return value
        if _ACCOUNT.fullmatch(value):
            return {"AWS": f"arn:aws:iam::{value}:root"}
        if value.endswith(".amazonaws.com"):
            return {"Service": value}
        if not value.startswith("arn:") or "*" in value:
            raise InvalidParameterValueException(
                "The provided principal was invalid. Please check the principal and try again."
            )
        return {"AWS": value}

    return format_principal


def get_policy(original: Any) -> Callable[..., Any]:
    """A function without permissions has no policy."""

    def policy(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> Any:
        answer = original(self, function_name, qualifier)
        if not json.loads(json.loads(answer)["Policy"])["Statement"]:
            raise UnknownAliasException(function_name)
        return answer

    return policy


def delete_function(original: Any) -> Callable[..., Any]:
    """A function is deleted with its aliases."""

    def delete(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> Any:
        answer = original(self, function_name, qualifier)
        self._lambdas._aliases.pop(function_name, None)
        return answer

    return delete


def update_code(original: Any) -> Callable[..., Any]:
    """Code comes with the architecture that it is for."""

    def update_function_code(self: LambdaFunction, updated_spec: dict[str, Any]) -> Any:
        self.architectures = updated_spec.get("Architectures", self.architectures)
        return original(self, updated_spec)

    return update_function_code


def tagged_functions(original: Any) -> Callable[..., Any]:
    """Mappings are found by their tags, too."""

    def iter_tagged_resources(self: LambdaBackend) -> Iterator[TaggedResource]:
        tagged = {resource.arn: resource for resource in original(self)}
        for mapping in self._event_source_mappings.values():
            kind = "lambda:event-source-mapping"
            tagged[mapping.arn] = TaggedResource(arn=mapping.arn, tags=mapping.tags, resource_type=kind)
        yield from tagged.values()

    return iter_tagged_resources


def tagged_rules(original: Any) -> Callable[..., Any]:
    """Rules are found by their tags, too."""

    def iter_tagged_resources(self: EventsBackend) -> Iterator[TaggedResource]:
        tagged = {resource.arn: resource for resource in original(self)}
        for bus in self.event_buses.values():
            for rule in bus.rules.values():
                labels = self.tagger.get_tag_dict_for_resource(rule.arn)
                tagged[rule.arn] = TaggedResource(arn=rule.arn, tags=labels, resource_type="events:rule")
        yield from tagged.values()

    return iter_tagged_resources


def everybody_on_bus(original: Any) -> Callable[..., Any]:
    """A permission on a bus for everybody has no account in it."""

    def add_permission(self: EventBus, statement_id: str, action: str, principal: Any, condition: Any) -> None:
        is_everybody = principal["AWS"].endswith("::*:root")
        original(self, statement_id, action, "*" if is_everybody else principal, condition)

    return add_permission


def receive_message(original: Any) -> Callable[..., Any]:
    """moto never waits for a message itself: queue_waiter.py does, without holding moto's lock."""

    def receive(
        self: SQSBackend, queue_name: str, count: int, _seconds: int, visibility: int, names: Any = None
    ) -> Any:
        return original(self, queue_name, count, 0, visibility, names)

    return receive


_PATCHES: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (LambdaBackend, "create_event_source_mapping", create_mapping),
    (LambdaBackend, "update_event_source_mapping", update_mapping),
    (LambdaBackend, "get_policy", get_policy),
    (LambdaBackend, "delete_function", delete_function),
    (LambdaBackend, "iter_tagged_resources", tagged_functions),
    (LambdaFunction, "update_function_code", update_code),
    (LambdaFunction, "__init__", new_function),
    (LambdaFunction, "update_configuration", update_configuration),
    (LambdaFunction, "get_configuration", configuration),
    (Policy, "add_statement", add_statement),
    (Policy, "principal_formatter", principal),
    (EventBus, "add_permission", everybody_on_bus),
    (EventsBackend, "iter_tagged_resources", tagged_rules),
    (SQSBackend, "receive_message", receive_message),
    (Queue, "redrive_allow_policy", lambda _original: None),
    (Queue, "BASE_ATTRIBUTES", lambda attributes: [*attributes, "RedriveAllowPolicy"]),
)
