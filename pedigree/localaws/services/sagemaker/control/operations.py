"""Search: resources by what they have in any of their members, sorted by one of these, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints.operations import RESOURCE as ENDPOINT
from pedigree.localaws.services.sagemaker.executions import pipelines, state, versions
from pedigree.localaws.services.sagemaker.jobs import operations
from pedigree.localaws.services.sagemaker.resources import registry, tags
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request

_LISTING = Listing("Results", "_name")
_MOST_DEEP = 20
Fits: TypeAlias = Callable[[Any, str], bool]


@dataclass(frozen=True)
class Searched:
    """A kind of resource that can be searched: where it is kept, what its ARN is called, and what it has besides."""

    kind: str
    arn: str
    besides: Callable[[Document], Mapping[str, Any]] = lambda _document: {}


def _metrics(job: Document) -> Mapping[str, Any]:
    return {"Metrics": {one["MetricName"]: one["Value"] for one in job.get("FinalMetricDataList", ())}}


_SEARCHED: Mapping[str, Searched] = {
    "TrainingJob": Searched(operations.TRAINING.kind, "TrainingJobArn", _metrics),
    "Endpoint": Searched(ENDPOINT.kind, "EndpointArn"),
    "ModelPackage": Searched(registry.PACKAGE.kind, "ModelPackageArn"),
    "ModelPackageGroup": Searched(registry.GROUP.kind, "ModelPackageGroupArn"),
    "Pipeline": Searched(pipelines.PIPELINE.kind, "PipelineArn"),
    "PipelineVersion": Searched(versions.VERSION, "PipelineArn"),
    "PipelineExecution": Searched(
        state.EXECUTION, "PipelineExecutionArn", lambda one: {"PipelineParameters": one["_written"]}
    ),
}


def _search(world: World, request: Request) -> Mapping[str, Any]:
    resource, expression = request["Resource"], request.get("SearchExpression", {})
    if resource not in _SEARCHED:
        raise InvalidRequestError(f"The local AWS searches {', '.join(_SEARCHED)}, and no {resource}.")
    _check(resource, expression, request.get("SortBy"))
    documents = [_document(world, resource, entry.body) for entry in world.store.entries(_SEARCHED[resource].kind)]
    found = [one for one in documents if _fits(one, expression)]
    by = request.get("SortBy", "LastModifiedTime")
    records = [
        {resource: one, "_by": _comparable(_at(one, by)) or "", "_name": one[_SEARCHED[resource].arn]} for one in found
    ]
    hits = {"Value": len(found), "Relation": "EqualTo"}
    return {**_LISTING.answer(records, {**request, "SortBy": "_by"}), "TotalHits": hits}


def _document(world: World, resource: str, body: Document) -> Mapping[str, Any]:
    searched = _SEARCHED[resource]
    return {**body, **searched.besides(body), "Tags": tags.listed(tags.of(world, body[searched.arn]))}


def _check(resource: str, expression: Mapping[str, Any], by: str | None, depth: int = 0) -> None:
    """Refuse properties that a resource has not, and operators without what they compare with."""
    shape = service().shape_for("SearchRecord").members[resource]
    nested = [one for several in expression.get("NestedFilters", ()) for one in several["Filters"]]
    filters = [*expression.get("Filters", ()), *nested]
    for name in [*(one["Name"] for one in filters), *([by] if by else [])]:
        if name.partition(".")[0] not in (*shape.members, "Metrics"):
            raise InvalidRequestError(f"Unknown property name: {name} for {resource}.")
    for one in filters:
        if ("Value" in one) == (one.get("Operator") in ("Exists", "NotExists")):
            need = "no Value" if "Value" in one else "a Value"
            raise InvalidRequestError(f"The filter on {one['Name']} needs {need} with {one.get('Operator', 'Equals')}.")
    for inner in expression.get("SubExpressions", ()):
        if depth == _MOST_DEEP:
            raise InvalidRequestError(f"A search expression may be nested {_MOST_DEEP} times.")
        _check(resource, inner, None, depth + 1)


def _fits(document: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    answers = [
        *(_passes(document, one) for one in expression.get("Filters", ())),
        *(_has_entry(document, one) for one in expression.get("NestedFilters", ())),
        *(_fits(document, one) for one in expression.get("SubExpressions", ())),
    ]
    return any(answers) if expression.get("Operator") == "Or" and answers else all(answers)


def _has_entry(document: Mapping[str, Any], nested: Mapping[str, Any]) -> bool:
    """Whether one entry of a list passes all filters, whose names begin with the list's."""
    name = nested["NestedPropertyName"]
    filters = [{**one, "Name": one["Name"].removeprefix(f"{name}.")} for one in nested["Filters"]]
    entries = _at(document, name)
    return isinstance(entries, list) and any(all(_passes(entry, one) for one in filters) for entry in entries)


def _passes(document: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    return _OPERATORS[one.get("Operator", "Equals")](_at(document, one["Name"]), one.get("Value", ""))


def _at(document: Any, name: str) -> Any:
    """What stands under a name with dots, whose last part may have dots of its own; a list of tags is a mapping."""
    if isinstance(document, list):
        document = {one["Key"]: one.get("Value") for one in document if isinstance(one, Mapping) and "Key" in one}
    if not isinstance(document, Mapping):
        return None
    if name in document:
        return document[name]
    first, _, rest = name.partition(".")
    return _at(document.get(first), rest) if rest else None


def _comparable(value: Any) -> float | str | None:
    """A number or a moment as a number; all else as text."""
    if value is None or isinstance(value, (int, float)):
        return value
    for read in (float, _seconds):
        with suppress(ValueError):  # what is neither a number nor a moment is compared as text
            return read(str(value))
    return str(value)


def _seconds(text: str) -> float:
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp()


def _equals(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    return value is not None and (str(value) == wanted or _comparable(value) == _comparable(wanted))


def _compared(fits: Callable[[float, float], bool]) -> Fits:
    def compared(value: Any, wanted: str) -> bool:
        ours, theirs = _comparable(value), _comparable(wanted)
        return isinstance(ours, (int, float)) and isinstance(theirs, (int, float)) and fits(ours, theirs)

    return compared


def _one_of(value: Any, wanted: Iterable[str]) -> bool:
    return any(_equals(value, one.strip()) for one in wanted)


_OPERATORS: Mapping[str, Fits] = {
    "Equals": _equals,
    "NotEquals": lambda value, wanted: not _equals(value, wanted),
    "Contains": lambda value, wanted: wanted in str(value) if value is not None else False,
    "Exists": lambda value, _wanted: value is not None,
    "NotExists": lambda value, _wanted: value is None,
    "In": lambda value, wanted: _one_of(value, wanted.split(",")),
    "GreaterThan": _compared(lambda ours, theirs: ours > theirs),
    "GreaterThanOrEqualTo": _compared(lambda ours, theirs: ours >= theirs),
    "LessThan": _compared(lambda ours, theirs: ours < theirs),
    "LessThanOrEqualTo": _compared(lambda ours, theirs: ours <= theirs),
}

HANDLERS: Mapping[str, Handler] = {"Search": _search}
