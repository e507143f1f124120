"""The members that the registry adds to a model package, and those that its answers and events have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.serializer import shaped
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.sagemaker.resources import events
from pedigree.localaws.services.sagemaker.resources.image_digests import with_digests

_SPECIFICATION, _MORE_SPECIFICATIONS = "InferenceSpecification", "AdditionalInferenceSpecifications"
_METRICS: Mapping[str, Any] = {"ModelQuality": {}, "Bias": {}, "Explainability": {}}
_NOT_IN_EVENTS = ("CreatedBy", "LastModifiedBy")
_STATUS = {
    "ModelPackageStatus": "Completed",
    "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
}


def completed(request: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a new package, which needs no validation."""
    return {"CertifyForMarketplace": False, **stored(request), **_STATUS}


def stored(request: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a request as the registry keeps them: images have digests, and metrics all their parts."""
    members = dict(request)
    if request.get(_SPECIFICATION):
        members[_SPECIFICATION] = with_digests(request[_SPECIFICATION])
    if request.get(_MORE_SPECIFICATIONS):
        members[_MORE_SPECIFICATIONS] = [with_digests(each) for each in request[_MORE_SPECIFICATIONS]]
    if request.get("ModelMetrics"):
        members["ModelMetrics"] = {**_METRICS, **request["ModelMetrics"]}
    return members


def described(package: Document) -> Document:
    """A package as answers have it: a version has no name of its own, only a number in its group."""
    if "ModelPackageVersion" not in package:
        return package
    return {member: value for member, value in package.items() if member != "ModelPackageName"}


def event_detail(package: Document) -> dict[str, Any]:
    """A package as events have it: as it is described, with times as text."""
    shape = service().operation_model("DescribeModelPackage").output_shape
    members = {member: value for member, value in described(package).items() if member not in _NOT_IN_EVENTS}
    detail: dict[str, Any] = shaped(shape, members, events.utc_time)
    return {**detail, "LastModifiedTime": detail.get("LastModifiedTime", detail["CreationTime"])}
