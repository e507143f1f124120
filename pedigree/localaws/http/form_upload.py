"""A file that comes in a form: what the form's fields say, and the reader that takes the file out of the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pedigree.localaws.http import checksums
from pedigree.localaws.http.payload import ContentReader, Payload, PlainReader
from pedigree.localaws.http.protocol import s3_form
from pedigree.localaws.http.protocol.multipart_form import MultipartDecoder, malformed
from pedigree.localaws.http.sigv4.post_policy import LARGEST, SizeRange
from pedigree.localaws.http.spool import Spool

_MOST_AROUND_FILE = 1 << 20


@dataclass
class FormUpload:
    """A form whose fields come first; `content` is what has come of the file along with them.

    `received` counts all bytes of the body. The sizes are those that the form's policy allows.
    """

    decoder: MultipartDecoder
    content: bytes = field(default=b"", repr=False)
    received: int = 0
    sizes: SizeRange = field(default_factory=SizeRange)

    @classmethod
    def of(cls, content_type: str) -> FormUpload:
        return cls(MultipartDecoder(content_type))

    def add(self, piece: bytes) -> None:
        """Take a piece of the body that has some of the fields; S3Error if there is none."""
        if not piece:
            raise malformed()
        self.received += len(piece)
        self.content = b"".join(self.decoder.decode(piece))

    @property
    def fields(self) -> Mapping[str, str]:
        return s3_form.expanded(self.decoder.fields, self.decoder.file_name)


class FormFileReader(PlainReader):
    """Takes the rest of a form: its file is counted, compared with its checksums, and spooled."""

    def __init__(self, form: FormUpload, spool: Spool, length: int | None) -> None:
        super().__init__(spool, length, LARGEST + _MOST_AROUND_FILE)
        self.received = form.received
        self._form = form
        form.sizes.check((length or 0) - _MOST_AROUND_FILE, is_whole=False)
        sums = {name: value for name, value in form.fields.items() if name.startswith(checksums.PREFIX)}
        self._file = ContentReader(spool, None, LARGEST, sums, is_object=True)
        self._add(form.content)

    def write(self, piece: bytes) -> None:
        self._count(piece)
        for content in self._form.decoder.decode(piece):
            self._add(content)

    def finish(self) -> Payload:
        """Return the file; S3Error if it is not whole, or not of an allowed size."""
        self._check_length()
        if not self._form.decoder.is_complete:
            raise malformed()
        self._form.sizes.check(self._file.received, is_whole=True)
        return self._file.finish()

    def _add(self, content: bytes) -> None:
        self._form.sizes.check(self._file.received + len(content), is_whole=False)
        self._file.write(content)
