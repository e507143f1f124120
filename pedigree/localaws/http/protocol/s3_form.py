"""What the fields of a form say of the object that is uploaded with it: its key, and the headers of a PutObject."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import urlencode

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.encoded_words import mail_safe
from pedigree.localaws.http.protocol.s3_errors import S3Error, invalid

Fields: TypeAlias = Mapping[str, str]
"""The values of a form by the names of its fields, in small letters."""
_FILE_NAME = "${filename}"
_NAMED_HEADERS = {"acl": "x-amz-acl"}
_HEADERS = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"}
)
_METADATA_PREFIX = "x-amz-meta-"
# They are no headers of a PutObject here: the form's signature, and what would make a copy of it.
_OTHERS = frozenset(
    {
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"),
        *("x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer"),
    }
)
_COPY_PREFIX = "x-amz-copy-"
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


def lacking(name: str) -> S3Error:
    """A form without a field that it must have, before the file."""
    return invalid(
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.",
        ArgumentName=name,
        ArgumentValue="",
    )


def expanded(fields: Fields, file_name: str | None) -> Fields:
    """The fields with the file's name in the place of its variable; without a name, they stay as they are."""
    if file_name is None:
        return fields
    return {name: value.replace(_FILE_NAME, file_name) for name, value in fields.items()}


def object_headers(fields: Fields) -> dict[str, str]:
    """The headers of the PutObject that a form stands for."""
    headers = {header: value for name, given in fields.items() for header, value in _header(name, given)}
    if "tagging" in fields:
        tags = xml.parse(fields["tagging"].encode()).iter("Tag")
        headers["x-amz-tagging"] = urlencode([(tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in tags])
    return headers


def _header(name: str, value: str) -> Iterator[tuple[str, str]]:
    is_amazon = name.startswith("x-amz-") and not name.startswith(_COPY_PREFIX) and name not in _OTHERS
    if is_amazon and not _HEADER_NAME.fullmatch(name):
        raise invalid(f"{name!r} cannot be the name of a header")
    if name.startswith(_METADATA_PREFIX):
        yield name, mail_safe(value)
    elif name in _HEADERS or name in _NAMED_HEADERS or is_amazon:
        yield _NAMED_HEADERS.get(name, name), _header_text(value)


def _header_text(value: str) -> str:
    """A value as a header can have it: other characters become spaces, as on AWS."""
    return "".join(
        character if " " <= character <= "~" or "\xa0" <= character <= "\xff" else " " for character in value
    )
