"""Writes S3's XML from plain values, and parses it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from pedigree.localaws.http.protocol.s3_errors import malformed

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOST_TAGS = 100_000  # CompleteMultipartUpload with 10,000 parts has 80,000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Markup(str):
    """Text that is XML already: elements that stand as they are, whatever the name beside them is."""

    __slots__ = ()


def document(root: str, content: Mapping[str, Any]) -> bytes:
    """A document: a list becomes repeated elements, None is left out."""
    body = "".join(_elements(content))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{body}</{root}>'.encode()


def plain_document(root: str, content: Mapping[str, Any]) -> bytes:
    """A document without a namespace, as S3 writes errors and its answers to forms."""
    body = "".join(_elements(content))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{body}</{root}>'.encode()


def parse(text: bytes) -> ET.Element:
    """The root of a document, names without their namespace.

    Declarations of entities are refused, and more elements than S3 takes.
    """
    if b"<!" in text or text.count(b"<") > _MOST_TAGS:
        raise malformed()
    try:
        root = ET.fromstring(text)  # noqa: S314  # what could expand has been refused
    except ET.ParseError:
        raise malformed() from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _elements(content: Mapping[str, Any]) -> Iterator[str]:
    for name, value in content.items():
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, Markup):
                yield entry
            elif entry is not None:
                yield f"<{name}>{_inner(entry)}</{name}>"


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(_elements(value))
    return str(value).lower() if isinstance(value, bool) else text(str(value))


def text(value: str) -> str:
    """A text with XML's escapes; characters that XML cannot have become U+FFFD."""
    return escape(UNWRITABLE.sub("\ufffd", value))
