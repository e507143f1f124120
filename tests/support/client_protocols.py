"""A CloudWatch client that speaks a protocol of one's choice: newer clients prefer CBOR, older ones know XML alone."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.model
import pytest

from tests.support.local_aws import KEY, REGION


def cloudwatch_client(url: str, protocol: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the local AWS at a URL."""
    monkeypatch.setattr(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol,))
    made = boto3.session.Session().client(  # a session of its own: the default one keeps the models that it has read
        "cloudwatch",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=KEY.id,
        aws_secret_access_key=KEY.secret,
    )
    assert made.meta.service_model.resolved_protocol == protocol
    return made
