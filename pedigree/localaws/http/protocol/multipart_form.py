"""Decodes multipart/form-data piece by piece: the fields before a file, then the file, which is not kept.

S3 takes one file, and nothing that follows it. What comes before it is bounded, so no form takes memory by its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from werkzeug.http import parse_options_header

from pedigree.localaws.http.protocol.s3_errors import S3Error, invalid

MOST_BEFORE_FILE = 20 << 10
FORM = "multipart/form-data"
_FILE = "file"
_LINE_END = b"\r\n"
_MAX_LINE_BYTES = 4096
_OPTION = re.compile(r';\s*([\w-]+\*?)=(?:"((?:\\"|[^"])*)"|([^;"\s]*))')
_MAX_BOUNDARY = 70


def malformed() -> S3Error:
    """A body that is no form."""
    words = "The body of your POST request is not well-formed multipart/form-data."
    return S3Error("MalformedPOSTRequest", words, 400)


def is_form(content_type: str) -> bool:
    """Whether a Content-Type is that of a form with a file."""
    return parse_options_header(content_type)[0].lower() == FORM


class MultipartDecoder:
    """Decodes a form; its names are in small letters, since S3 makes no difference."""

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get("boundary", "")
        if not 1 <= len(boundary) <= _MAX_BOUNDARY or not boundary.isascii():
            raise malformed()
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.has_file = self.is_complete = False
        self._delimiter = b"\r\n--" + boundary.encode()
        self._buffer = bytearray(_LINE_END)  # the first delimiter may be at the beginning
        self._before_file = -len(_LINE_END)
        self._field: str | None = None
        self._step: Callable[[], bool] = self._skip_preamble

    def decode(self, piece: bytes) -> Iterator[bytes]:
        """Yield the content of the file as far as it is in a piece; S3Error if this is no form."""
        if self.is_complete:
            return
        self._buffer += piece
        while not self.has_file and self._step():
            pass
        if not self.has_file:
            self._check_size(len(self._buffer))
        elif content := self._file_content():
            yield content

    def _check_size(self, undecoded: int) -> None:
        if self._before_file + undecoded > MOST_BEFORE_FILE:
            words = "Your POST request fields preceding the upload file were too large."
            raise S3Error("MaxPostPreDataLengthExceededError", words, 400)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._before_file += size
        return taken

    def _skip_preamble(self) -> bool:
        """Pass over what comes before the first delimiter."""
        at = self._buffer.find(self._delimiter)
        if at >= 0:
            self._take(at + len(self._delimiter))
            self._step = self._read_end_of_delimiter
        return at >= 0

    def _read_end_of_delimiter(self) -> bool:
        """Read the rest of a delimiter's line: nothing, or the two hyphens of the last one."""
        line = self._line()
        if line is None:
            if self._buffer.startswith(b"--"):
                raise _no_file()
            return False
        if line.strip(b" \t"):
            raise _no_file() if line.startswith(b"--") else malformed()
        self._step = self._read_headers
        return True

    def _read_headers(self) -> bool:
        """Read the headers of a part, up to the empty line."""
        line = self._line()
        if line is None:
            return False
        if line:
            self._read_header(line)
            return True
        if self._field is None:
            raise malformed()
        self._step = self._read_value
        if self._field == _FILE:
            self._check_size(0)
            self.has_file = True
        return True

    def _read_header(self, line: bytes) -> None:
        name, colon, value = _text(line).partition(":")
        if not colon:
            raise malformed()
        if name.strip().lower() == "content-disposition":
            options = {found[1].lower(): _option_value(found) for found in _OPTION.finditer(value)}
            if not value.strip().lower().startswith("form-data") or not options.get("name"):
                raise malformed()
            self._field = options["name"].lower()
            path = options.get("filename*", options.get("filename"))
            if self._field == _FILE and path is not None:
                self.file_name = re.split(r"[\\/]", path)[-1]

    def _read_value(self) -> bool:
        """Read the value of a field, up to the next delimiter."""
        at = self._buffer.find(self._delimiter)
        if at < 0:
            return False
        value = _text(self._take(at))
        self._take(len(self._delimiter))
        assert self._field is not None
        if self._field in self.fields:
            raise invalid(f"The form has several values of the field {self._field}")
        self.fields[self._field], self._field = value, None
        self._step = self._read_end_of_delimiter
        return True

    def _file_content(self) -> bytes:
        """The content up to the next delimiter; without the bytes at its end that may begin one."""
        at = self._buffer.find(self._delimiter)
        if at >= 0:
            self.is_complete = True
            content, self._buffer = bytes(self._buffer[:at]), bytearray()
            return content
        sure = max(0, len(self._buffer) - len(self._delimiter) + 1)
        content = bytes(self._buffer[:sure])
        del self._buffer[:sure]
        return content

    def _line(self) -> bytes | None:
        """The next line, without its end; None if it has not come whole."""
        end = self._buffer.find(_LINE_END)
        if end < 0:
            return None
        if end > _MAX_LINE_BYTES:
            raise malformed()
        line = self._take(end)
        self._take(len(_LINE_END))
        return line


def _option_value(option: re.Match[str]) -> str:
    """The value of an option, in the forms that browsers and libraries write; only quotes are escaped."""
    quoted, plain = option[2], option[3]
    if option[1].endswith("*"):
        return unquote((quoted or plain).rpartition("''")[2])
    return plain if quoted is None else quoted.replace('\\"', '"').replace("%22", '"')


def _no_file() -> S3Error:
    return invalid("POST requires exactly one file upload per request.")


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise malformed() from None
