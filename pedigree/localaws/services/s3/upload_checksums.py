"""The checksums of an upload in parts: what its parts and its completion must say, and what the joined object has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pedigree.localaws.http import checksums
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_request
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3 import object_checksums
from pedigree.localaws.services.s3.object_checksums import COMPOSITE, FULL_OBJECT, header

UploadPrecondition: TypeAlias = Callable[["Document | None", int], None]
"""Raises an error if an upload must not be completed: given the object, and its number when the upload began."""


@dataclass(frozen=True)
class ListedPart:
    """A part as the client lists it to complete an upload; checksums by the names of their headers."""

    number: int
    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)

    def is_(self, stored: Document | None) -> bool:
        """Whether a part is stored that is the one that the client means."""
        if stored is None or stored["etag"] != self.etag.strip('"'):
            return False
        known = stored.get("checksums", {})
        return all(known.get(name, value) == value for name, value in self.checksums.items())


@dataclass(frozen=True)
class Completion:
    """What a client asks for to complete an upload."""

    parts: Sequence[ListedPart]
    precondition: Callable[..., None]
    checksum: tuple[str, str] | None = None
    size: int | None = None
    kind: str = ""


@dataclass(frozen=True)
class UploadChecksums:
    """The algorithm of an upload, and whether its checksum is of the whole object or of the parts' checksums."""

    algorithm: str
    kind: str

    @classmethod
    def of(cls, upload: Document) -> UploadChecksums:
        """Read them from an upload's document; one of an earlier version says whether it is full."""
        full = FULL_OBJECT if upload.get("full") else COMPOSITE
        algorithm = str(upload.get("algorithm", ""))
        return cls(algorithm, str(upload.get("kind", full)) if algorithm else "")

    def check_completion(self, asked: Completion) -> None:
        """InvalidRequest for a completion in another mode than the upload's."""
        if asked.kind and asked.kind != self.kind:
            words = f"The upload was created using the {self.kind or 'null'} checksum mode. "
            raise bad_request(f"{words}The complete request must use the same checksum mode.")

    def check_part(self, part: ListedPart) -> None:
        """S3Error for a listed part with another checksum than the upload's, or without where it must have one."""
        own = header(self.algorithm)
        for name in part.checksums:
            if self.algorithm and name != own:
                algorithm = name.removeprefix(checksums.PREFIX)
                words = f"The {algorithm} you specified for part {part.number} did not match what we received."
                raise S3Error("BadDigest", words, 400)
        if self.kind == COMPOSITE and own not in part.checksums:
            words = f"The upload was created using a {self.algorithm} checksum. The complete request must include the "
            raise bad_request(f"{words}checksum for each part. It was missing for part {part.number} in the request.")

    def digest(self) -> checksums.Digest | None:
        """What computes the checksum of the whole object; None where that is made of the parts' checksums."""
        if self.kind == COMPOSITE:
            return None
        return checksums.ALGORITHMS[self.algorithm or object_checksums.DEFAULT]()

    def of_object(
        self, parts: Sequence[Document], digest: checksums.Digest | None, asked: Completion
    ) -> Mapping[str, str]:
        """The checksum of the joined object; BadDigest if the client expects another."""
        algorithm = self.algorithm or object_checksums.DEFAULT
        value = checksums.encoded(digest) if digest else object_checksums.composite(algorithm, parts)
        if not value:
            return {}
        name, expected = asked.checksum or ("", "")
        if name == algorithm and expected.partition("-")[0] != value.partition("-")[0]:
            words = f"The {algorithm} you specified did not match the calculated checksum."
            raise S3Error("BadDigest", words, 400)
        return {header(algorithm): value, object_checksums.TYPE: FULL_OBJECT if digest else COMPOSITE}
