"""Lambda: a function is named by its name, its ARN or a part of that, with a qualifier in it or beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

_MODEL = "lambda"
_NAMED = re.compile(r"(?:arn:[^:]*:lambda:[^:]*:)?(?:\d{12}:)?(?:function:)?([^:]+)(?::([^:]+))?")
_FUNCTION = (Need("function:{Function}"),)
_WHOLE_FUNCTION = (Need("function:{FunctionAlone}"),)
_MAPPING = (Need("event-source-mapping:{UUID}", keys={"lambda:FunctionArn": "MappedFunction"}),)
_TAGGED = (Need("{Resource}"),)
_SPECIAL: Mapping[str, tuple[Need, ...]] = {
    "Invoke": (Need("function:{Function}", action="lambda:InvokeFunction"),),
    "InvokeAsync": (Need("function:{Function}", action="lambda:InvokeFunction"),),
    "InvokeWithResponseStream": (Need("function:{Function}", action="lambda:InvokeFunction"),),
    "CreateEventSourceMapping": (
        Need(keys={"lambda:FunctionArn": "MappedFunction"}),
        Need("event-source-mapping:*", action="lambda:TagResource", only_with="Tags"),
    ),
    "ListEventSourceMappings": (Need(),),
    "GetEventSourceMapping": _MAPPING,
    "UpdateEventSourceMapping": _MAPPING,
    "DeleteEventSourceMapping": _MAPPING,
    "AddPermission": (Need("function:{Function}", keys={"lambda:Principal": "Principal"}),),
    "ListTags": _TAGGED,
    "TagResource": _TAGGED,
    "UntagResource": _TAGGED,
    "GetProvisionedConcurrencyConfig": _FUNCTION,
    "PutProvisionedConcurrencyConfig": _FUNCTION,
    "DeleteProvisionedConcurrencyConfig": _FUNCTION,
    "ListProvisionedConcurrencyConfigs": _WHOLE_FUNCTION,
}
_OF_A_VERSION = ("GetFunction", "GetFunctionConfiguration", "GetPolicy", "RemovePermission")


def _usual() -> Iterator[tuple[str, tuple[Need, ...]]]:
    for operation in model(_MODEL).operation_names:
        shape = input_shape(_MODEL, operation)
        if shape is not None and "FunctionName" in shape.members:
            yield operation, _FUNCTION if operation in _OF_A_VERSION else _WHOLE_FUNCTION


def _derive(call: Call, resources: Resources) -> Mapping[str, Any]:
    """The function's name without and with its qualifier, and the function that a mapping calls."""
    named = _NAMED.fullmatch(str(call.members.get("FunctionName", "")))
    derived = {}
    if named:
        qualifier = call.members.get("Qualifier") or named[2]
        derived["FunctionAlone"] = named[1]
        derived["Function"] = f"{named[1]}:{qualifier}" if qualifier else named[1]
        derived["MappedFunction"] = f"arn:aws:lambda:{call.region}:{resources.account}:function:{named[1]}"
    if "UUID" in call.members:
        mapped = resources.function_of(str(call.members["UUID"]), call.region)
        derived = {**derived, **({"MappedFunction": mapped} if mapped else {})}
    return derived


TABLE = ActionTable(
    _MODEL,
    "lambda",
    {**dict(_usual()), **_SPECIAL},
    passes=("lambda.amazonaws.com", ("Role",)),
    tagging="TagResource",
    derive=_derive,
)
