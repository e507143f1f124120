"""Pictures are uploaded once per content; a local AWS gets the drawn ones with its upsert."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest

from pedigree.account.account import Account
from pedigree.account.apply import apply_plan
from pedigree.account.plan import plan
from pipeline.account.data_set import DataSet, SampleDataSet, check_readable
from pipeline.data.errors import DataSetError
from pipeline.data.packing import PicturesZip
from tests.support.accounts import account, apply_resources, change_lines, client, settings
from tests.support.fakes.aws import ACCOUNT, REGION

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
CONTENT = b"a zip" * 1000


@pytest.fixture(autouse=True)
def bucket(empty_account: None) -> None:
    client("s3").create_bucket(Bucket=BUCKET)


def package(content: bytes = CONTENT, sha256: str = "") -> PicturesZip:
    return PicturesZip(sha256 or hashlib.sha256(content).hexdigest(), len(content), 12, lambda: io.BytesIO(content))


def local_account() -> Account:
    return replace(account(), has_console=False)


def keys() -> list[str]:
    return [item["Key"] for item in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_the_same_pictures_are_uploaded_once() -> None:
    wanted = [DataSet(settings(), package())]
    key = f"pedigree/data/{package().name}"
    assert change_lines(apply_resources(wanted, account())) == [f"create data {key}"]
    assert client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == CONTENT
    assert change_lines(plan(wanted, account())) == []
    assert wanted[0].uri == f"s3://{BUCKET}/{key}"


def test_the_plan_says_how_much_it_uploads() -> None:
    (change,) = plan([DataSet(settings(), package())], account()).changes
    assert change.why == ("12 pictures, 0.01 MB",)


def test_pictures_that_have_changed_leave_no_object() -> None:
    with pytest.raises(DataSetError, match="have changed"):
        apply_resources([DataSet(settings(), package(sha256="0" * 64))], account())
    assert keys() == []


def test_a_large_upload_says_how_far_it_is() -> None:
    large = bytes(30_000_000)
    wanted, lines = [DataSet(settings(), package(large))], list[str]()
    apply_plan(wanted, account(), plan(wanted, account()), lambda _change: None, lambda what, _: lines.append(what))
    assert lines[-1] == f"pedigree/data/{package(large).name} to be uploaded, 100% of 30 MB"
    assert 2 < len(lines) <= 21


SAMPLE = {"data.source": f"s3://{BUCKET}/pedigree/data/dogImages.zip"}


def test_the_drawn_pictures_come_with_the_upsert_of_a_local_aws() -> None:
    wanted = [SampleDataSet(settings(SAMPLE))]
    assert change_lines(apply_resources(wanted, local_account())) == ["create data pedigree/data/dogImages.zip"]
    assert change_lines(plan(wanted, local_account())) == []


def test_nothing_is_drawn_for_an_account_or_for_other_pictures() -> None:
    assert change_lines(plan([SampleDataSet(settings(SAMPLE))], account())) == []
    assert change_lines(plan([SampleDataSet(settings())], local_account())) == []


def test_only_addresses_that_jobs_may_read_are_taken() -> None:
    client("s3").put_object(Bucket=BUCKET, Key="pedigree/data/mine/cat/1.jpg", Body=b"x")
    check_readable(settings(), account(), f"s3://{BUCKET}/pedigree/data/mine/")
    check_readable(settings(), account(), "https://host/images.zip")
    with pytest.raises(DataSetError, match=r"the role of jobs may not read s3://other/x\.zip; copy it below"):
        check_readable(settings(), account(), "s3://other/x.zip")
    with pytest.raises(DataSetError, match="holds nothing"):
        check_readable(settings(), account(), f"s3://{BUCKET}/pedigree/data/none.zip")
