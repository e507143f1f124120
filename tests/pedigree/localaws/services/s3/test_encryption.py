"""How objects say that they are encrypted: by S3's default, by the bucket's, by the request, or with a client's key."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

PLACE = {"Bucket": "bucket", "Key": "a"}
KEY = b"k" * 32
ENCODED = base64.b64encode(KEY).decode()
OWN = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"o" * 32}


def encrypt_by(s3: Any, **rule: Any) -> None:
    given = {"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="bucket", ServerSideEncryptionConfiguration={"Rules": [given]})


def test_every_object_is_encrypted_with_s3s_keys(s3: Any) -> None:
    (rule,) = s3.get_bucket_encryption(Bucket="bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    for answer in (s3.put_object(**PLACE, Body=b"1"), s3.get_object(**PLACE), s3.head_object(**PLACE)):
        assert answer["ServerSideEncryption"] == "AES256"
    assert s3.copy_object(Bucket="bucket", Key="b", CopySource=PLACE)["ServerSideEncryption"] == "AES256"


def test_a_bucket_can_have_another_default(s3: Any) -> None:
    encrypt_by(s3, SSEAlgorithm="aws:kms", KMSMasterKeyID="1234abcd-12ab-34cd-56ef-1234567890ab")
    answer = s3.put_object(**PLACE, Body=b"1")
    assert (answer["ServerSideEncryption"], answer["BucketKeyEnabled"]) == ("aws:kms", True)
    assert answer["SSEKMSKeyId"].endswith(":key/1234abcd-12ab-34cd-56ef-1234567890ab")
    assert s3.head_object(**PLACE)["SSEKMSKeyId"] == answer["SSEKMSKeyId"]
    s3.delete_bucket_encryption(Bucket="bucket")
    assert s3.put_object(**PLACE, Body=b"1")["ServerSideEncryption"] == "AES256"


def test_a_request_can_ask_for_the_accounts_key(s3: Any) -> None:
    first = s3.put_object(**PLACE, Body=b"1", ServerSideEncryption="aws:kms")
    second = s3.put_object(Bucket="bucket", Key="b", Body=b"2", ServerSideEncryption="aws:kms")
    assert first["SSEKMSKeyId"] == second["SSEKMSKeyId"]


def test_what_is_stored_with_a_clients_key_is_read_with_it_only(s3: Any) -> None:
    answer = s3.put_object(**PLACE, Body=b"1", **OWN)
    assert answer["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(KEY, usedforsecurity=False).digest()).decode()
    assert "ServerSideEncryption" not in answer
    assert s3.get_object(**PLACE, **OWN)["Body"].read() == b"1"
    with pytest.raises(ClientError, match=r"InvalidRequest.*stored using a form of Server Side Encryption"):
        s3.get_object(**PLACE)
    with pytest.raises(ClientError, match=r"AccessDenied.*must provide the correct secret key"):
        s3.get_object(**PLACE, **OTHER)
    source = {f"CopySource{name}": value for name, value in OWN.items()}
    s3.copy_object(Bucket="bucket", Key="b", CopySource=PLACE, **source)
    assert s3.get_object(Bucket="bucket", Key="b")["Body"].read() == b"1"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"SSECustomerAlgorithm": "KMS"}, "InvalidEncryptionAlgorithmError"),
        ({"SSECustomerKey": b"short"}, "InvalidArgument"),
        ({"SSECustomerKey": ENCODED, "SSECustomerKeyMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "InvalidArgument"),
        ({"ServerSideEncryption": "AES256"}, "InvalidArgument"),
    ],
)
def test_a_key_that_is_none_is_refused(s3: Any, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(**PLACE, Body=b"1", **OWN | given)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["Error"]["ArgumentName"] == "x-amz-server-side-encryption"


def test_a_part_comes_with_the_key_of_its_upload(s3: Any) -> None:
    upload = s3.create_multipart_upload(**PLACE, **OWN)["UploadId"]
    given = {**PLACE, "UploadId": upload, "PartNumber": 1, "Body": b"1"}
    with pytest.raises(ClientError, match="must include the appropriate encryption parameters"):
        s3.upload_part(**given)
    with pytest.raises(ClientError, match="did not match the ones used originally"):
        s3.upload_part(**given, **OTHER)
    assert s3.upload_part(**given, **OWN)["SSECustomerAlgorithm"] == "AES256"
