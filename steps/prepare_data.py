"""PrepareData: fetches the images, verifies, cleans and splits them, and stores them in S3 at one size."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field, model_validator

from entrypoints import contract
from pedigree.errors import InvalidValueError
from steps import dag
from steps.build import Build
from steps.config import S3_URI, Config, Fraction, like
from steps.parameters import ExecutionParameter
from steps.processing_job import OUTPUT_FOLDER, ProcessingConfig, input_folder, processing_request
from steps.site import SiteConfig

NAME = "PrepareData"
INPUT_PARAMETER = "InputDataUrl"
DATASET_PROPERTIES = "Dataset"
COURSE_DATA = "https://s3-us-west-1.amazonaws.com/udacity-aind/dog-project/dogImages.zip"
OUTPUTS = (contract.TRAINING, contract.VALIDATION, contract.TEST, contract.DATASET)


_SOURCE = like("https://host/images.zip or s3://bucket/images/", rf"https?://[^\s#@/]+/[^\s#]*|{S3_URI}")


class _Isolated(Protocol):
    """Settings that say whether jobs have a network."""

    @property
    def site(self) -> SiteConfig: ...


def _source_url(data: DataConfig, settings: _Isolated) -> str:
    return data.source_url(settings.site.network.isolation)


class SplitsConfig(Config):
    """The shares of the images for training, validation and test."""

    train: Fraction = 0.8
    validation: Fraction = 0.1
    test: Fraction = 0.1

    @model_validator(mode="after")
    def _whole(self) -> SplitsConfig:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6 or not min(self.train, self.validation, self.test):
            raise InvalidValueError(
                f"adds up to {total:g} from shares above 0, and must to 1", "change train, validation or test"
            )
        return self


class DataConfig(Config):
    """The data set: its source and how it is prepared."""

    source: Annotated[str, _SOURCE, Field(max_length=180), ExecutionParameter(INPUT_PARAMETER, _source_url)] = (
        COURSE_DATA
    )
    """A zip by https or in S3, or an S3 prefix."""
    sha256: Annotated[str, like("the 64 hexadecimal digits that sha256sum prints", r"[0-9a-f]{64}", optional=True)] = ""
    """Of the zip; empty: not checked, and a zip that changes behind its address goes unnoticed."""
    image_size: Annotated[int, Field(ge=32, le=1024)] = 224
    """The shorter side, in pixels."""
    splits: SplitsConfig = SplitsConfig()
    """For data sets that have no splits of their own."""

    @model_validator(mode="after")
    def _checksum_of_a_file(self) -> DataConfig:
        if self.sha256 and self.source.startswith("s3://") and not self.source.endswith(".zip"):
            raise InvalidValueError(
                "has a sha256 for a prefix in S3, and a checksum is that of one zip", "leave it empty"
            )
        if not self.sha256 and self.source.startswith("http://"):
            raise InvalidValueError("has a source that anyone on the way could change", "use https, or give its sha256")
        return self

    def source_url(self, isolation: bool) -> str:
        """The source with its checksum as a fragment, so that the checksum does not apply to another source.

        With network isolation S3 delivers the source and would read the fragment as part of the name: the checksum is
        an argument there, and another source must have the same one.
        """
        return f"{self.source}{contract.CHECKSUM}{self.sha256}" if self.sha256 and not isolation else self.source


def prepare_data(config: DataConfig, processing: ProcessingConfig, build: Build) -> dag.Step:
    """The step; with network isolation, S3 delivers the source as a channel."""
    isolation, splits = build.site.network.isolation, config.splits
    request = processing_request(
        processing,
        build,
        step=NAME,
        script=contract.PREPARE,
        arguments=[
            *(contract.FLAG_SOURCE, input_folder(contract.SOURCE) if isolation else config.source),
            *((contract.FLAG_SHA256, config.sha256) if isolation and config.sha256 else ()),
            *(contract.FLAG_IMAGE_SIZE, str(config.image_size)),
            *(contract.FLAG_SPLITS, f"{splits.train},{splits.validation},{splits.test}"),
            *(contract.FLAG_OUTPUT, OUTPUT_FOLDER),
        ],
        inputs={contract.SOURCE: config.source} if isolation else {},
        outputs=OUTPUTS,
        isolation=isolation,
    )
    return build.step(
        NAME,
        "processing",
        request,
        description="Fetches the images, verifies, cleans and splits them, and stores them at one size.",
        property_files=[dag.PropertyFile(DATASET_PROPERTIES, contract.DATASET, contract.DATASET_FILE)],
    )


def dataset_hash(step: dag.Step) -> dag.Expression:
    """The hash of the prepared data set, which a registered model names."""
    return dag.JsonGet(step_name=step.name, property_file=DATASET_PROPERTIES, json_path=contract.DATASET_HASH)
