"""Answers in pieces as AWS's event streams: each piece is a message with its length, its headers and checksums."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping

from pedigree.localaws.services.sagemaker.endpoints.answer_stream import AnswerStream

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = 7
"""The type of headers that are text."""
_PART = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
_ERROR = {
    ":message-type": "exception",
    ":exception-type": "ModelStreamError",
    ":content-type": "application/json",
}


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """A message of an event stream."""
    written = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(written) + len(payload), len(written))
    content = prelude + struct.pack("!I", zlib.crc32(prelude)) + written + payload
    return content + struct.pack("!I", zlib.crc32(content))


def _header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return bytes([len(name)]) + name.encode() + struct.pack("!BH", _TEXT, len(encoded)) + encoded


class PayloadParts:
    """The pieces of a model's answer as messages; the last one says so if the model did not get to its end."""

    def __init__(self, stream: AnswerStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._stream:
                yield message(_PART, piece)
        except TimeoutError:
            yield _broken("ModelInvocationTimeExceeded", "The model did not go on with its answer in time.")
        except OSError:
            yield _broken("StreamBroken", "The model ended its answer before all of it had come.")

    def close(self) -> None:
        """Take no more of the answer."""
        self._stream.close()


def _broken(code: str, words: str) -> bytes:
    return message(_ERROR, json.dumps({"Message": words, "ErrorCode": code}).encode())
