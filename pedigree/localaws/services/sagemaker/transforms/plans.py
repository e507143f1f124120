"""Reads a transform job from its request: its objects, how they are split, sent, assembled and stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.sagemaker.transforms import data_processing as joining
from pedigree.localaws.services.sagemaker.transforms.data_processing import DataProcessing

_MEGABYTE = 1 << 20
_USUAL_MEGABYTES = 6
_MOST_MEGABYTES = 100
_SECONDS, _RETRIES = 600, 3
# AWS's containers answer a transform job differently: a line for each record.
_IS_BATCH = "SAGEMAKER_BATCH"
_SUFFIX = ".out"


@dataclass(frozen=True)
class TransformPlan:
    """All that a transform job needs to run."""

    name: str
    model: str
    source: S3Location
    is_manifest: bool
    target: S3Location
    split: str = "None"
    is_single: bool = False
    by_line: bool = False
    is_gzip: bool = False
    content_type: str = ""
    accept: str = ""
    limit: int = _USUAL_MEGABYTES * _MEGABYTE
    instances: int = 1
    concurrent: int = 1
    seconds: float = _SECONDS
    retries: int = _RETRIES
    environment: Mapping[str, str] = field(default_factory=dict)
    processing: DataProcessing = field(default_factory=lambda: joining.processing({}, ""))
    capture: S3Location | None = None
    has_ids: bool = False

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of each request to the model."""
        headers = {"Content-Type": self.content_type, "Accept": self.accept}
        return {name: value for name, value in headers.items() if value}

    def target_of(self, key: str, prefix: str) -> S3Location:
        """Where the result of an object is stored that was found under a prefix."""
        base = self.target.key.rstrip("/")
        return S3Location(self.target.bucket, f"{base}/{below(key, prefix)}{_SUFFIX}".lstrip("/"))


def plan(job: Mapping[str, Any]) -> TransformPlan:
    """Read the plan of a job; ValueError says what is not possible."""
    source, output = job["TransformInput"], job["TransformOutput"]
    data, client = source["DataSource"]["S3DataSource"], job.get("ModelClientConfig", {})
    kind = source.get("ContentType", "")
    capture = job.get("DataCaptureConfig") or {}
    made = TransformPlan(
        name=job["TransformJobName"],
        model=job["ModelName"],
        source=S3Location.parse(data["S3Uri"]),
        is_manifest=data["S3DataType"] == "ManifestFile",
        target=S3Location.parse(output["S3OutputPath"]),
        split=source.get("SplitType", "None"),
        is_single=job.get("BatchStrategy") == "SingleRecord",
        by_line=output.get("AssembleWith") == "Line",
        is_gzip=source.get("CompressionType") == "Gzip",
        content_type=kind,
        accept=output.get("Accept", ""),
        limit=job.get("MaxPayloadInMB", _USUAL_MEGABYTES) * _MEGABYTE,
        instances=job["TransformResources"]["InstanceCount"],
        concurrent=job.get("MaxConcurrentTransforms") or 1,
        seconds=client.get("InvocationsTimeoutInSeconds", _SECONDS),
        retries=client.get("InvocationsMaxRetries", _RETRIES),
        environment={_IS_BATCH: "true", **job.get("Environment", {})},
        processing=joining.processing(job.get("DataProcessing") or {}, kind),
        capture=S3Location.parse(capture["DestinationS3Uri"]) if capture else None,
        has_ids=bool(capture.get("GenerateInferenceId")),
    )
    for problem in _problems(made, job):
        raise ValueError(problem)
    return made


def _problems(made: TransformPlan, job: Mapping[str, Any]) -> Iterator[str]:
    if job["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        yield "S3DataType must be S3Prefix or ManifestFile for a transform job."
    if made.concurrent * job.get("MaxPayloadInMB", 0) > _MOST_MEGABYTES:
        yield f"MaxConcurrentTransforms * MaxPayloadInMB cannot exceed {_MOST_MEGABYTES} MB."
    if made.split == "None" and job.get("BatchStrategy") == "MultiRecord":
        yield "SplitType must be specified to use the MultiRecord batch strategy."
    if made.processing.is_idle:
        return
    if made.split in ("RecordIO", "TFRecord") or (made.processing.is_by_row and made.split != "Line"):
        yield "DataProcessing is for JSON, and for CSV that is split by Line."
    if made.processing.is_joined and (made.split == "Line") != made.by_line:
        yield "To join records with their results, SplitType and AssembleWith must match."


def below(key: str, prefix: str) -> str:
    """The part of a key below a prefix, which may end in the middle of a name or be the whole key."""
    if prefix.endswith("/"):
        return key[len(prefix) :]
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]
