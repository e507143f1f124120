"""AWS's public buckets with data of its examples, which are empty on the local AWS."""

from __future__ import annotations

import re

from pedigree.localaws.services.s3.catalog import S3Location

_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_BUCKETS = tuple(
    re.compile(pattern)
    for pattern in (
        "sagemaker-sample-files",
        rf"sagemaker-sample-data-{_REGION}",
        rf"sagemaker-example-files-prod-{_REGION}",
        rf"sagemaker-servicecatalog-seedcode-{_REGION}",
        rf"jumpstart-cache-prod-{_REGION}",
    )
)


def nothing_found(place: S3Location) -> str:
    """What a job says that finds no objects; for AWS's examples, how to put data there."""
    return f"No S3 objects found under S3 URL {place}{how_to_fill(place)}"


def how_to_fill(place: S3Location) -> str:
    """For a bucket of AWS's examples, how to put data there; empty for any other."""
    if not any(pattern.fullmatch(place.bucket) for pattern in _BUCKETS):
        return ""
    copy = f"aws s3 cp FILE {place}" if "." in place.key.rpartition("/")[2] else f"aws s3 cp --recursive FOLDER {place}"
    return (
        f" [local AWS] {place.bucket} is a public bucket of AWS, and empty here. Put data like AWS's there: "
        f"`aws s3 mb s3://{place.bucket}`, `{copy}`"
    )
