"""Compares the documents that configure a bucket with the shapes that botocore's model has of them."""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.models import model
from pedigree.localaws.http.protocol.s3_errors import malformed

_SCHEMA_PREFIX = "xsi:"
# S3 takes other values here than its model names, or refuses them in words of their own.
_UNCHECKED = ("BucketLogsPermission", "FilterRuleName", "BucketAccelerateStatus")


def read_document(operation: str, content: bytes) -> Element:
    """The root of the document of an operation; MalformedXML if it is not of the operation's schema."""
    root = xml.parse(content)
    if not _fits(_payload(operation), root):
        raise malformed()
    return root


@cache
def _payload(operation: str) -> Any:
    """The shape of the document that an operation takes."""
    shape: Any = model("s3").operation_model(operation).input_shape
    return shape.members[shape.serialization["payload"]]


def _fits(shape: Any, element: Element) -> bool:
    if shape.type_name == "structure":
        return _fits_structure(shape, element)
    if shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        return all(child.tag == name and _fits(shape.member, child) for child in element)
    return not len(element) and _fits_scalar(shape, (element.text or "").strip())


def _fits_structure(shape: Any, element: Element) -> bool:
    members = {_element_name(name, member): (name, member) for name, member in shape.members.items()}
    found = {child.tag for child in element}
    required = [_element_name(name, shape.members[name]) for name in shape.required_members]
    attributes = [name for name in required if name.startswith(_SCHEMA_PREFIX)]
    if not found <= set(members) or not set(required) - set(attributes) <= found:
        return False
    return all(_fits_member(members[child.tag][1], child) for child in element) and _no_repeated(members, element)


def _fits_member(member: Any, child: Element) -> bool:
    is_flat = member.type_name == "list" and member.serialization.get("flattened")
    return _fits(member.member if is_flat else member, child)


def _no_repeated(members: dict[str, tuple[str, Any]], element: Element) -> bool:
    tags = [child.tag for child in element]
    single = [tag for tag, (_, member) in members.items() if not member.serialization.get("flattened")]
    return all(tags.count(tag) <= 1 for tag in single)


def _element_name(name: str, member: Any) -> str:
    if member.type_name == "list" and member.serialization.get("flattened"):
        return str(member.serialization.get("name") or member.member.serialization.get("name") or name)
    return str(member.serialization.get("name", name))


def _fits_scalar(shape: Any, text: str) -> bool:
    if getattr(shape, "enum", None) and shape.name not in _UNCHECKED:
        return text in shape.enum
    if shape.type_name in ("integer", "long"):
        return text.lstrip("-").isdecimal()
    if shape.type_name == "boolean":
        return text.lower() in ("true", "false")
    return True
