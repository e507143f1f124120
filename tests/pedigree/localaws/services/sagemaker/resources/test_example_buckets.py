"""A job that reads from AWS's examples says that they are empty here, and with which commands they get data."""

from __future__ import annotations

import pytest

from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.sagemaker.resources.example_buckets import nothing_found


@pytest.mark.parametrize(
    ("address", "copy"),
    [
        ("s3://sagemaker-sample-files/datasets/tabular/a.csv", "cp FILE s3://sagemaker-sample-files/datasets/tabular"),
        ("s3://sagemaker-example-files-prod-us-east-1/data/", "cp --recursive FOLDER s3://sagemaker-example-files"),
        ("s3://sagemaker-servicecatalog-seedcode-eu-west-1/data", "`aws s3 mb s3://sagemaker-servicecatalog-seedcode"),
    ],
)
def test_an_example_bucket_is_named_with_its_commands(address: str, copy: str) -> None:
    assert copy in nothing_found(S3Location.parse(address))


def test_another_bucket_is_just_empty() -> None:
    assert nothing_found(S3Location("mine", "data")) == "No S3 objects found under S3 URL s3://mine/data"


@pytest.mark.parametrize(
    "address",
    [
        "https://bucket.s3.amazonaws.com/a/b%20c.tar.gz",
        "https://bucket.s3.eu-west-1.amazonaws.com/a/b c.tar.gz",
        "https://bucket.s3-eu-west-1.amazonaws.com/a/b c.tar.gz",
        "https://s3.eu-west-1.amazonaws.com/bucket/a/b c.tar.gz",
        "https://s3-us-west-2.amazonaws.com/bucket/a/b c.tar.gz",
        "https://s3.amazonaws.com/bucket/a/b c.tar.gz",
        "s3://bucket/a/b c.tar.gz",
    ],
)
def test_an_address_of_s3_is_one_place_in_all_its_forms(address: str) -> None:
    assert S3Location.parse(address) == S3Location("bucket", "a/b c.tar.gz")


@pytest.mark.parametrize("address", ["https://example.com/bucket/key", "https://s3.amazonaws.com", "bucket/key"])
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an S3 URI"):
        S3Location.parse(address)
