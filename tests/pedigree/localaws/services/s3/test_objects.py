"""ObjectCatalog: each content is stored once, completely or not at all, and found by its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location, download, upload
from pedigree.localaws.services.s3.version_history import is_delete_marker
from tests.support.worlds import ManualClock


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[ObjectCatalog]:
    store = Store(tmp_path / "state.sqlite")
    created = ObjectCatalog(store, BlobStore(tmp_path / "blobs", store), ManualClock())
    created.make_bucket("bucket")
    yield created
    store.close()


def test_an_object_is_read_as_it_was_written(catalog: ObjectCatalog) -> None:
    body = catalog.put(S3Location("bucket", "a/b"), [b"hello ", b"world"])
    assert catalog.read("s3://bucket/a/b") == b"hello world"
    assert (body["size"], body["etag"]) == (11, "5eb63bbbe01eeed093cb22bb8f5acdc3")


def test_the_same_content_is_one_file(catalog: ObjectCatalog, tmp_path: Path) -> None:
    for key in ("a", "b"):
        catalog.put(S3Location("bucket", key), [b"same"])
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


def test_an_upload_that_breaks_off_leaves_nothing(catalog: ObjectCatalog, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        catalog.put(S3Location("bucket", "a"), broken())
    assert catalog.find(S3Location("bucket", "a")) is None
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_a_prefix_matches_the_beginning_of_keys_and_not_folders(catalog: ObjectCatalog) -> None:
    for key in ("train/1", "train_old/2", "train", "other"):
        catalog.put(S3Location("bucket", key), [key.encode()])
    assert [key for key, _ in catalog.list_prefix(S3Location("bucket", "train"))] == ["train", "train/1", "train_old/2"]


def test_a_folder_is_uploaded_to_a_prefix_and_downloaded_from_it(catalog: ObjectCatalog, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "file.json").write_text("{}")
    (source / "file.bin").write_bytes(b"x")
    upload(catalog, source, S3Location("bucket", "out/"))
    assert [key for key, _ in catalog.list_prefix(S3Location("bucket", "out"))] == [
        "out/deep/file.json",
        "out/file.bin",
    ]
    assert download(catalog, S3Location("bucket", "out/"), tmp_path / "target") == 2
    assert (tmp_path / "target" / "deep" / "file.json").read_text() == "{}"


def test_a_single_object_is_downloaded_under_its_name(catalog: ObjectCatalog, tmp_path: Path) -> None:
    catalog.put(S3Location("bucket", "a/model.tar.gz"), [b"m"])
    assert download(catalog, S3Location("bucket", "a/model.tar.gz"), tmp_path / "in") == 1
    assert (tmp_path / "in" / "model.tar.gz").read_bytes() == b"m"


@pytest.mark.parametrize("key", ["in/../../outside", "in/./x", "in/a//b"])
def test_a_key_that_escapes_the_folder_is_not_downloaded(catalog: ObjectCatalog, tmp_path: Path, key: str) -> None:
    catalog.put(S3Location("bucket", key), [b"x"])
    assert download(catalog, S3Location("bucket", "in/"), tmp_path / "deep" / "in") == 0
    assert not (tmp_path / "outside").exists()


def test_a_versioned_bucket_keeps_earlier_versions(tmp_path: Path, catalog: ObjectCatalog) -> None:
    catalog.make_bucket("kept", versioning="Enabled")
    location = S3Location("kept", "a")
    for content in (b"1", b"2", b"3"):
        catalog.put(location, [content])
    catalog.remove(location)
    assert catalog.find(location) is None
    (_, marker, is_latest), *earlier = catalog.versions("kept")
    assert (is_latest, is_delete_marker(marker)) == (True, True)
    contents = [catalog.blobs.path(body["blob"]).read_bytes() for _, body, _ in earlier]
    assert contents == [b"3", b"2", b"1"]


@pytest.mark.parametrize("uri", ["", "bucket/key", "s3://", "s3:///key", "https://bucket/key"])
def test_a_malformed_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="write s3://bucket/key"):
        S3Location.parse(uri)


def test_an_object_needs_an_existing_bucket(catalog: ObjectCatalog) -> None:
    with pytest.raises(NoSuchBucketError):
        catalog.put(S3Location("elsewhere", "a"), [b"x"])
