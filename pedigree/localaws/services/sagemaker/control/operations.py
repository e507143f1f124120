"""Search: finds resources by any of their members."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.shapes import service as model
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.control.filters import comparable, matches, member_at
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.executions import versions
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.pipelines import PIPELINE
from pedigree.localaws.services.sagemaker.jobs.resource import TRAINING
from pedigree.localaws.services.sagemaker.resources import registry, tags
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.listing import Listing

_LISTING = Listing("Results", "_name")
_MOST_DEEP = 20


@dataclass(frozen=True)
class Searchable:
    """A kind of resource that Search finds: its kind in the store, its ARN's member, and members it has only there."""

    kind: str
    arn: str
    only_here: Callable[[Document], Mapping[str, Any]] = lambda _document: {}


def _metrics(job: Document) -> Mapping[str, Any]:
    return {"Metrics": {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", ())}}


def _parameters(execution: Document) -> Mapping[str, Any]:
    return {"PipelineParameters": execution["_written"]}


_SEARCHABLE: Mapping[str, Searchable] = {
    "TrainingJob": Searchable(TRAINING.kind, "TrainingJobArn", _metrics),
    "Endpoint": Searchable(ENDPOINT.kind, "EndpointArn"),
    "ModelPackage": Searchable(registry.PACKAGE.kind, "ModelPackageArn"),
    "ModelPackageGroup": Searchable(registry.GROUP.kind, "ModelPackageGroupArn"),
    "Pipeline": Searchable(PIPELINE.kind, "PipelineArn"),
    "PipelineVersion": Searchable(versions.VERSION, "PipelineArn"),
    "PipelineExecution": Searchable(state.EXECUTION, "PipelineExecutionArn", _parameters),
}


def search(world: World, request: Request) -> Mapping[str, Any]:
    resource, expression = request["Resource"], request.get("SearchExpression", {})
    if resource not in _SEARCHABLE:
        raise InvalidRequestError(f"The local AWS searches {', '.join(_SEARCHABLE)}, and no {resource}.")
    _check(resource, expression, request.get("SortBy"))
    documents = [document for document in _documents(world, resource) if matches(document, expression)]
    by, arn = request.get("SortBy", "LastModifiedTime"), _SEARCHABLE[resource].arn
    records = [
        {resource: document, "_by": comparable(member_at(document, by)) or "", "_name": document[arn]}
        for document in documents
    ]
    hits = {"Value": len(documents), "Relation": "EqualTo"}
    return {**_LISTING.answer(records, {**request, "SortBy": "_by"}), "TotalHits": hits}


def _documents(world: World, resource: str) -> Iterator[Document]:
    searchable = _SEARCHABLE[resource]
    for entry in world.store.entries(searchable.kind):
        labels = tags.listed(tags.of(world, entry.body[searchable.arn]))
        yield {**entry.body, **searchable.only_here(entry.body), "Tags": labels}


def _check(resource: str, expression: Mapping[str, Any], by: str | None, depth: int = 0) -> None:
    """Refuse properties that the resource does not have, and operators without a value to compare with."""
    shape = model().shape_for("SearchRecord").members[resource]
    nested = [entry for group in expression.get("NestedFilters", ()) for entry in group["Filters"]]
    filters = [*expression.get("Filters", ()), *nested]
    for name in [*(entry["Name"] for entry in filters), *([by] if by else [])]:
        if name.partition(".")[0] not in (*shape.members, "Metrics"):
            raise InvalidRequestError(f"Unknown property name: {name} for {resource}.")
    for entry in filters:
        if ("Value" in entry) == (entry.get("Operator") in ("Exists", "NotExists")):
            need, operator = "no Value" if "Value" in entry else "a Value", entry.get("Operator", "Equals")
            raise InvalidRequestError(f"The filter on {entry['Name']} needs {need} with {operator}.")
    for inner in expression.get("SubExpressions", ()):
        if depth == _MOST_DEEP:
            raise InvalidRequestError(f"A search expression may be nested {_MOST_DEEP} times.")
        _check(resource, inner, None, depth + 1)
