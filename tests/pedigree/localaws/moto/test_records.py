"""What a call undoes when it fails is what it may have changed, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.moto.services import Records

ACCOUNT = "123456789012"


def test_a_call_of_sts_that_fails_forgets_no_session(tmp_path: Path) -> None:
    records = Records(tmp_path, ACCOUNT)
    records.restore()
    with records.held("sts", "aws") as sts:
        sts.assume_role(
            region_name="us-east-1",
            role_session_name="mine",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/job",
            policy="",
            duration=900,
            external_id="",
        )
    body = urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleSessionName": "other"}).encode()
    scope = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": scope,
        "localaws.service": "sts",
        "localaws.operation": "AssumeRole",
    }
    with pytest.raises(ServiceError):
        records(environ, lambda *_: None)
    with records.held("sts", "aws") as sts:
        assert [one.session_name for one in sts.assumed_roles] == ["mine"]
