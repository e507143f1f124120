"""From where a user says the images are to files on this machine, with their checksum where there is one.

An address of the web or of S3 is downloaded; what lies on this machine is read where it is. `…#sha256=…` after an
address and --sha256 say what the one file must be, and are both held to.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import contract
from download import Patience, download
from errors import DataError, UsageError
from http_remote import HttpRemote, public_address
from download_folder import ARCHIVE, NOTE
from progress import Progress
from s3_remote import S3Remote, fetch_prefix, s3_client, split_uri
from source_readers import lone_zip

PATIENCE = Patience()
MOST_BYTES = 100 * 10**9
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
_PIECE = 1 << 20


@dataclass(frozen=True)
class Source:
    """Where the images are, and the checksums that they must have."""

    address: str
    checksums: frozenset[str] = frozenset()

    @property
    def public(self) -> str:
        """The address as it may be written down."""
        return public_address(self.address) if "://" in self.address else self.address


@dataclass(frozen=True)
class Fetched:
    """A zip or a folder on this machine; a zip's checksum."""

    path: Path
    sha256: str = ""


def source(text: str, sha256: str = "") -> Source:
    """A source as it is given: an address, perhaps with a checksum after it, and perhaps with one beside it."""
    address, mark, after = text.partition(contract.CHECKSUM)
    given = ([after] if mark else []) + ([sha256] if sha256 else [])
    for one in given:
        if not _CHECKSUM.fullmatch(one):
            raise UsageError(f"{one!r} is no SHA-256; give the 64 hexadecimal digits that sha256sum prints")
    checksums = frozenset(one.lower() for one in given)
    if len(checksums) > 1:
        raise UsageError(f"{contract.FLAG_SHA256} and the address ask for different checksums; keep one of them")
    if re.match(r"(?!https?://|s3://)\w+://", address):
        raise UsageError(f"{address} is of a kind that nobody fetches; use https://, s3:// or a path")
    return Source(address, checksums)


def fetch(where: Source, folder: Path, most_bytes: int = MOST_BYTES, patience: Patience = PATIENCE) -> Fetched:
    """The images on this machine; what has to be downloaded lies in the folder afterwards, and may be there in part."""
    found = _brought(where, folder, most_bytes, patience)
    if found.is_dir():
        found = lone_zip(found) or found
    if found.is_file():
        return Fetched(found, _checked(found, where))
    if where.checksums:
        raise UsageError(f"{where.public} is a folder, and a checksum is that of one file; leave it away")
    return Fetched(found)


def _brought(where: Source, folder: Path, most_bytes: int, patience: Patience) -> Path:
    scheme = where.address.partition("://")[0]
    if scheme not in ("http", "https", "s3"):
        return _local(Path(where.address))
    if scheme == "s3" and not where.address.lower().endswith(".zip"):
        return _from_prefix(where, folder / "source", most_bytes, patience)
    remote = (
        S3Remote(s3_client(patience), *split_uri(where.address))
        if scheme == "s3"
        else HttpRemote(where.address, patience.timeout_seconds)
    )
    progress = Progress(f"fetching {where.public}", "bytes")
    download(remote, folder / ARCHIVE, most_bytes, patience, progress, folder / NOTE)
    return folder / ARCHIVE


def _local(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} does not exist; give a folder, a zip, or an address with https:// or s3://")
    return path


def _from_prefix(where: Source, images: Path, most_bytes: int, patience: Patience) -> Path:
    images.mkdir()
    bucket, key = split_uri(where.address)
    prefix = f"s3://{bucket}/{key.rstrip('/')}/" if key.rstrip("/") else f"s3://{bucket}/"
    fetch_prefix(prefix, images, most_bytes, patience, s3_client(patience))
    return images


def _checked(archive: Path, where: Source) -> str:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    found = digest.hexdigest()
    if where.checksums - {found}:
        (expected,) = where.checksums
        raise DataError(f"{where.public} has the SHA-256 {found}, not {expected}; it was changed or damaged on its way")
    return found
