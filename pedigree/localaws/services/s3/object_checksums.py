"""The checksums that are kept with objects: by the names of their headers, with the type of what they are of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO

from pedigree.localaws.http import checksums
from pedigree.localaws.http.protocol.s3_errors import bad_request
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.blob_store import PIECE

FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
DEFAULT = "crc64nvme"
TYPE = f"{checksums.PREFIX}type"
# A checksum of these can be joined from those of parts; the others are of the parts' checksums only.
_JOINABLE = ("crc32", "crc32c", DEFAULT)


def header(algorithm: str) -> str:
    """The name of the header that has a checksum."""
    return f"{checksums.PREFIX}{algorithm}"


def of_content(found: Mapping[str, str]) -> dict[str, str]:
    """What is stored of the checksum that came with an object's whole content."""
    return {**found, TYPE: FULL_OBJECT} if found else {}


def algorithm_of(body: Document) -> str:
    """The algorithm of an object's checksum; empty if it has none."""
    names = [name.removeprefix(checksums.PREFIX) for name in body.get("checksums", {}) if name != TYPE]
    return next(iter(names), "")


def type_of(body: Document) -> str:
    """Of what an object's checksum is."""
    return str(body.get("checksums", {}).get(TYPE, FULL_OBJECT))


def elements(body: Document) -> dict[str, str]:
    """An object's checksum as elements of a document."""
    algorithm = algorithm_of(body)
    if not algorithm:
        return {}
    return {f"Checksum{algorithm.upper()}": body["checksums"][header(algorithm)], "ChecksumType": type_of(body)}


def listed(body: Document) -> dict[str, str]:
    """What a list of objects says of a checksum."""
    algorithm = algorithm_of(body)
    return {"ChecksumAlgorithm": algorithm.upper(), "ChecksumType": type_of(body)} if algorithm else {}


def of_file(algorithm: str, file: IO[bytes]) -> dict[str, str]:
    """The checksum of an open file, which is read from its beginning."""
    digest = checksums.ALGORITHMS[algorithm]()
    file.seek(0)
    for piece in iter(lambda: file.read(PIECE), b""):
        digest.update(piece)
    return {header(algorithm): checksums.encoded(digest), TYPE: FULL_OBJECT}


def requested(headers: Mapping[str, str], name: str = "x-amz-checksum-algorithm") -> str:
    """The algorithm that a request asks for, in small letters; empty if it asks for none."""
    algorithm = headers.get(name, "").lower()
    if algorithm and algorithm not in checksums.ALGORITHMS:
        words = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        raise bad_request(f"{words}[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    return algorithm


def upload_type(headers: Mapping[str, str], algorithm: str) -> str:
    """Of what the checksum of an upload in parts is; empty if it has none."""
    wanted = headers.get(TYPE, "").upper()
    if not algorithm:
        if wanted:
            raise bad_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return ""
    if wanted == COMPOSITE and algorithm == DEFAULT:
        raise bad_request("The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.")
    if wanted == FULL_OBJECT and algorithm not in _JOINABLE:
        raise bad_request(f"The FULL_OBJECT checksum type cannot be used with the {algorithm} checksum algorithm.")
    return wanted or (FULL_OBJECT if algorithm == DEFAULT else COMPOSITE)


def composite(algorithm: str, parts: Sequence[Document]) -> str:
    """The checksum of the checksums of parts; empty if a part came without."""
    texts = [part.get("checksums", {}).get(header(algorithm), "") for part in parts]
    if not all(texts):
        return ""
    digest = checksums.ALGORITHMS[algorithm]()
    for text in texts:
        digest.update(checksums.value(algorithm, text))
    return f"{checksums.encoded(digest)}-{len(parts)}"


def part_elements(part: Document, algorithm: str) -> dict[str, str]:
    """A part's checksum as an element, if it is of the upload's algorithm."""
    value = part.get("checksums", {}).get(header(algorithm)) if algorithm else None
    return {f"Checksum{algorithm.upper()}": value} if value else {}


def names_in(headers: Iterable[str]) -> list[str]:
    """The algorithms whose headers a request has."""
    return [name for name in checksums.ALGORITHMS if header(name) in headers]
