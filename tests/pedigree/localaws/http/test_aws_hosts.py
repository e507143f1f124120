"""Host names of AWS are told from all others, and S3's say which bucket they mean."""

from __future__ import annotations

import pytest

from pedigree.localaws.http.aws_hosts import is_aws, s3_bucket


@pytest.mark.parametrize(
    "host",
    [
        *("sts.amazonaws.com", "sts.us-east-1.amazonaws.com", "api.sagemaker.eu-west-3.amazonaws.com"),
        *("runtime.sagemaker-fips.us-east-1.amazonaws.com", "queue.amazonaws.com", "us-east-1.queue.amazonaws.com:443"),
        *("s3.cn-north-1.amazonaws.com.cn", "lambda.us-east-1.api.aws", "STS.AMAZONAWS.COM", "sts.amazonaws.com."),
    ],
)
def test_names_of_aws(host: str) -> None:
    assert is_aws(host)


@pytest.mark.parametrize(
    "host",
    ["", "amazonaws.com.evil.example", "notamazonaws.com", "127.0.0.1", "pypi.org", "sts.amazonaws.com:x", "aws", "@"],
)
def test_all_other_names(host: str) -> None:
    assert not is_aws(host)


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("s3.amazonaws.com", ""),
        ("s3.us-west-2.amazonaws.com", ""),
        ("s3-us-west-2.amazonaws.com", ""),
        ("s3.dualstack.eu-central-1.amazonaws.com", ""),
        ("data.s3.amazonaws.com", "data"),
        ("data.s3.us-gov-west-1.amazonaws.com:443", "data"),
        ("my.dotted.bucket.s3.eu-west-1.amazonaws.com", "my.dotted.bucket"),
        ("data.s3-fips.dualstack.us-east-1.amazonaws.com", "data"),
        ("data.s3-accelerate.amazonaws.com", "data"),
        ("s3.s3.amazonaws.com", "s3"),
        ("data.s3.dualstack.cn-north-1.amazonaws.com.cn", "data"),
        ("sts.amazonaws.com", None),
        ("s3-outposts.us-east-1.amazonaws.com", None),
        ("s3express-control.us-east-1.amazonaws.com", None),
        ("data.s3.example.com", None),
    ],
)
def test_the_bucket_in_a_host(host: str, bucket: str | None) -> None:
    assert s3_bucket(host) == bucket
