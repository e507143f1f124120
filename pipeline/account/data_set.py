"""Uploads a data set to the project's bucket, under a name made from its content: the same pictures only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

from entrypoints import contract
from pedigree.account.account import Account
from pedigree.account.plan import Change, Stream, Upload
from pipeline.data.errors import DataSetError
from pipeline.data.packing import PicturesZip
from pipeline.samples.plan import ARCHIVE, SamplePlan
from pipeline.settings.tree import Settings
from steps.site import SiteConfig

FOLDER = "data"
KIND = "data"


@dataclass(frozen=True)
class DataSet:
    """A user's own pictures, where the role of jobs can read them."""

    settings: Settings
    package: PicturesZip

    @property
    def uri(self) -> str:
        """The address that an execution gets."""
        return uri(self.settings.site, self.package)

    def changes(self, account: Account) -> Iterator[Change]:
        """Uploads it, unless it is there."""
        why = f"{self.package.pictures} pictures, {self.package.size / 1e6:,.2f} MB"
        upload = _upload(self.settings, self.uri, self.package.size, self.package.open)
        yield from _missing(account, upload, why)


def uri(site: SiteConfig, package: PicturesZip) -> str:
    """The address of a package in a site's bucket."""
    return site.uri(FOLDER, package.name)


@dataclass(frozen=True)
class SampleDataSet:
    """Drawn pictures, in a local AWS whose settings learn from them."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """Draws and uploads them, unless they are there."""
        address = self.settings.site.uri(FOLDER, ARCHIVE)
        if account.has_console or self.settings.data.source != address:
            return
        plan = SamplePlan()
        why = f"{plan.total} drawn pictures in {plan.classes} classes, as `pedigree sample-data` draws them"
        yield from _missing(account, _upload(self.settings, address, 0, lambda: _drawn(plan)), why)


def check_readable(settings: Settings, account: Account, address: str) -> None:
    """Raises DataSetError for an address in S3 that holds nothing, or that the role of jobs may not read."""
    if not address.startswith("s3://"):
        return
    ours = settings.site.uri(FOLDER, "")
    if not address.startswith((ours, settings.data.source)):
        raise DataSetError(
            f"the role of jobs may not read {address}",
            f"copy it below {ours}, or name it as data.source in the settings and upsert them",
        )
    bucket, _, key = address.partition(contract.CHECKSUM)[0].removeprefix("s3://").partition("/")
    if not _keys(account, bucket, key):
        raise DataSetError(f"{address} holds nothing", "check the address")


def _upload(settings: Settings, address: str, size: int, content: Callable[[], Stream]) -> Upload:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    encryption = settings.site.encryption.output_key
    arguments = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption} if encryption else {}
    return Upload(bucket, key, size, content, {"ContentType": "application/zip", **arguments})


def _missing(account: Account, upload: Upload, why: str) -> Iterator[Change]:
    """The change, unless the object exists; listing its name needs no right to read it."""
    if upload.key not in _keys(account, upload.bucket, upload.key):
        yield Change("create", KIND, upload.key, (upload,), (why,))


def _keys(account: Account, bucket: str, prefix: str) -> list[str]:
    """The first key with a prefix, if there is one."""
    listing = account.find("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1) or {}
    return [item["Key"] for item in listing.get("Contents", ())]


def _drawn(plan: SamplePlan) -> Stream:
    from pipeline.samples.archive import write  # NumPy and Pillow take a while to import

    buffer = BytesIO()
    write(buffer, plan, plan.samples())
    buffer.seek(0)
    return buffer
