"""PrepareData: fetch the images, verify and clean them, split them, and leave them in S3 at one size."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.config import S3_URI, Config, Fraction, like
from steps.processing_job import OUTPUT_FOLDER, Processing, input_folder, processing_request

NAME = "PrepareData"
DATASET_PROPERTIES = "Dataset"
COURSE_DATA = "https://s3-us-west-1.amazonaws.com/udacity-aind/dog-project/dogImages.zip"
OUTPUTS = (contract.TRAINING, contract.VALIDATION, contract.TEST, contract.DATASET)


_SOURCE = like("https://host/images.zip or s3://bucket/images/", rf"https?://[^\s#@/]+/[^\s#]*|{S3_URI}")


class Splits(Config):
    """The shares of the images that train, validate and test."""

    train: Fraction = 0.8
    validation: Fraction = 0.1
    test: Fraction = 0.1

    @model_validator(mode="after")
    def _whole(self) -> Splits:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6 or not min(self.train, self.validation, self.test):
            raise ValueError(
                f"adds up to {total:g} from shares above 0, and must to 1; change train, validation or test"
            )
        return self


class Data(Config):
    """The data set: where it comes from and what becomes of it."""

    source: Annotated[str, _SOURCE, Field(max_length=180)] = COURSE_DATA
    sha256: Annotated[str, like("the 64 hexadecimal digits that sha256sum prints", r"[0-9a-f]{64}", optional=True)] = ""
    image_size: Annotated[int, Field(ge=32, le=1024)] = 224
    splits: Splits = Splits()

    @model_validator(mode="after")
    def _checksum_of_a_file(self) -> Data:
        if self.sha256 and self.source.endswith("/"):
            raise ValueError("has a sha256 for a prefix in S3, and a checksum is that of one file; leave it empty")
        return self

    def source_url(self, isolation: bool) -> str:
        """The source with its checksum as a fragment: whoever starts with another source is not held to this one's.

        S3 itself would not understand the fragment, where it hands the source in: there the checksum is an argument,
        and another source must have the same one.
        """
        return f"{self.source}{contract.SOURCE_CHECKSUM}{self.sha256}" if self.sha256 and not isolation else self.source


def prepare_data(
    config: Data, processing: Processing, build: Build, *, source: dag.Expression, instance_type: dag.Expression
) -> dag.Step:
    """The step; where the network is shut, S3 hands the source in as a channel."""
    isolation, splits = build.site.network.isolation, config.splits
    request = processing_request(
        processing,
        build,
        step=NAME,
        script=contract.PREPARE,
        arguments=[
            *(contract.FLAG_SOURCE, input_folder(contract.SOURCE) if isolation else source),
            *((contract.FLAG_SHA256, config.sha256) if isolation and config.sha256 else ()),
            *(contract.FLAG_IMAGE_SIZE, str(config.image_size)),
            *(contract.FLAG_SPLITS, f"{splits.train},{splits.validation},{splits.test}"),
            *(contract.FLAG_OUTPUT, OUTPUT_FOLDER),
        ],
        instance_type=instance_type,
        inputs={contract.SOURCE: source} if isolation else {},
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
