"""What a call undoes when it fails is what it may have changed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from pedigree.localaws.http.parser import read_call
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.moto.backends import MotoBackends
from tests.support.calls import exchange

ACCOUNT = "123456789012"


def test_a_call_of_sts_that_fails_forgets_no_session(tmp_path: Path) -> None:
    backends = MotoBackends(tmp_path, ACCOUNT)
    backends.restore()
    with backends.backend("sts", "aws") as sts:
        sts.assume_role(
            region_name="us-east-1",
            role_session_name="mine",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/job",
            policy="",
            duration=900,
            external_id="",
        )
    scope = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "127.0.0.1", "Authorization": scope}
    body = urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleSessionName": "other"}).encode()
    assuming = exchange("sts", "POST", "http://127.0.0.1/", headers, body)
    read_call(assuming)
    with pytest.raises(ServiceError):
        backends.answer(assuming)
    with backends.backend("sts", "aws") as sts:
        assert [assumed.session_name for assumed in sts.assumed_roles] == ["mine"]
