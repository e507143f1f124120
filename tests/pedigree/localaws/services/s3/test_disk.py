"""The disk: a content goes with the last object that has it, and not while somebody reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from tests.pedigree.localaws.services.s3.conftest import LocalS3
from tests.support.worlds import ManualClock

LARGE = os.urandom(2 << 20)


def test_a_deleted_or_overwritten_content_leaves_the_disk(s3: Any, local_s3: LocalS3) -> None:
    for body in (b"1", b"2", LARGE):
        s3.put_object(Bucket="bucket", Key="a", Body=body)
        assert len(local_s3.files()) == 1
    s3.delete_object(Bucket="bucket", Key="a")
    assert local_s3.files() == []


def test_a_content_stays_as_long_as_an_object_has_it(s3: Any, local_s3: LocalS3) -> None:
    s3.put_object(Bucket="bucket", Key="a", Body=b"same")
    s3.copy_object(Bucket="bucket", Key="b", CopySource="bucket/a")
    s3.delete_object(Bucket="bucket", Key="a")
    assert local_s3.content("b") == b"same"
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "b"}]})
    assert local_s3.files() == []


def test_versions_keep_their_contents_until_they_are_deleted(s3: Any, local_s3: LocalS3) -> None:
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="bucket", Key="a", Body=body)
    assert len(local_s3.files()) == 2
    versions = s3.list_object_versions(Bucket="bucket")["Versions"]
    objects = [{"Key": "a", "VersionId": version["VersionId"]} for version in versions]
    s3.delete_objects(Bucket="bucket", Delete={"Objects": objects})
    assert local_s3.files() == []


def test_parts_leave_the_disk_when_they_are_joined_replaced_or_given_up(s3: Any, local_s3: LocalS3) -> None:
    place = {"Bucket": "bucket", "Key": "a"}
    for is_completed, left in ((True, 1), (False, 0)):
        upload = s3.create_multipart_upload(**place)["UploadId"]
        for body in (b"first", b"second"):
            etag = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=body)["ETag"]
        if is_completed:
            parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
            s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)
        else:
            s3.abort_multipart_upload(**place, UploadId=upload)
        assert len(local_s3.files()) == left
        s3.delete_object(**place)


def test_a_deleted_bucket_takes_its_unfinished_uploads_along(s3: Any, local_s3: LocalS3) -> None:
    upload = s3.create_multipart_upload(Bucket="bucket", Key="a")["UploadId"]
    s3.upload_part(Bucket="bucket", Key="a", UploadId=upload, PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket="bucket")
    assert local_s3.files() == []


def test_an_object_that_is_deleted_while_it_is_read_is_read_to_its_end(s3: Any, local_s3: LocalS3) -> None:
    content = LARGE * 16  # more than the buffers between the two hold
    s3.put_object(Bucket="bucket", Key="a", Body=content)
    body = s3.get_object(Bucket="bucket", Key="a")["Body"]
    beginning = body.read(1000)
    s3.delete_object(Bucket="bucket", Key="a")
    assert (beginning + body.read() == content, local_s3.files()) == (True, [])


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[ObjectCatalog]:
    store = Store(tmp_path / "state.sqlite")
    created = ObjectCatalog(store, BlobStore(tmp_path / "blobs", store), ManualClock())
    created.make_bucket("bucket")
    yield created
    store.close()


def test_what_a_killed_daemon_left_without_an_object_is_removed(catalog: ObjectCatalog, tmp_path: Path) -> None:
    kept = catalog.put(S3Location("bucket", "a"), [b"kept"])
    orphan = catalog.blobs.path("f" * 64)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"orphan")
    assert catalog.blobs.sweep() == 1
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [kept["blob"]]


def test_a_content_that_is_written_and_deleted_by_many_at_once_is_never_missing(catalog: ObjectCatalog) -> None:
    def work(number: int) -> None:
        location = S3Location("bucket", f"key{number % 4}")
        for _ in range(25):
            catalog.put(S3Location("bucket", f"own{number}"), [b"same"])
            assert catalog.read(f"s3://bucket/own{number}") == b"same"
            catalog.put(location, [b"same"])
            catalog.remove(location)
            catalog.remove(S3Location("bucket", f"own{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert not [path for path in catalog.blobs.path("0").parent.parent.rglob("*") if path.is_file()]
