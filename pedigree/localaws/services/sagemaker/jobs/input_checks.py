"""Whether a training job's inputs are there, and are what their modes need.

SageMaker looks for them with the job's role before it takes the job.
"""

from __future__ import annotations

from pedigree.localaws.http.protocol.errors import AccessDeniedError, InvalidRequestError
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.jobs.plans import SOURCE, JobPlan
from pedigree.localaws.services.sagemaker.resources.example_buckets import how_to_fill


def check_found(plan: JobPlan, objects: ObjectCatalog, region: str) -> None:
    """Refuse a job with a channel for which its role finds no objects."""
    for source in plan.inputs:
        if source.folder != SOURCE and not _is_found(objects, source.place):
            raise InvalidRequestError(_not_found(source.place, plan.role, region))


def check_fast_file(plan: JobPlan, objects: ObjectCatalog) -> None:
    """Raise ValueError for an input in FastFile mode that is neither a folder nor an object."""
    for source in plan.inputs:
        place = source.place
        is_partial = place.key and not place.key.endswith("/") and objects.find(place) is None
        if source.is_fast_file and is_partial and not objects.has_prefix(S3Location(place.bucket, f"{place.key}/")):
            words = "Failed to download data. For FastFile mode, partial S3 prefix is not supported."
            raise ValueError(f"Data download failed:{words}")


def _is_found(objects: ObjectCatalog, place: S3Location) -> bool:
    try:
        return objects.has_prefix(place)
    except AccessDeniedError:
        return False


def _not_found(place: S3Location, role: str, region: str) -> str:
    ensure = (
        f"Please ensure that the bucket exists in the selected region ({region}), that objects exist under that S3 "
        f'prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket "{place.bucket}".'
    )
    return f'No S3 objects found under S3 URL "{place}" given in input data source. {ensure}{how_to_fill(place)}'
