"""Generates requests that a model allows, with troublesome values where it allows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pedigree.localaws.http.protocol.model_patterns import compiled, fits

Shape = Any
Draw = Callable[[st.SearchStrategy[Any]], Any]
Pool = Mapping[str, Sequence[str]]
_DEEPEST = 3
_TROUBLE = (
    *("", "x", "..", "../../etc/passwd", "/", "//", "\x00", "\n", "é", "😀", "\u202e", "%s", "%00", "${x}", "{}", "[]"),
    *("null", "-1", "0", "9" * 30, "1e999", "NaN", "true", "a" * 1000, "'\"<>&", "&Action=DeleteQueue&", ":" * 6),
    *("arn:aws:s3:::x", "arn:", "arn:aws:lambda:us-east-1:123456789012:function:", "s3://", "s3://x", "s3://x/y"),
    *("2026-01-01T00:00:00Z", "0000-00-00", "rate(0 days)", "cron(x)", "at(now)", '{"a":', '{"a": [{"b": 1}]}'),
    *("[" * 2000, '{"Version":"2012-10-17","Statement":[]}', '{"Statement": 1}', "10.0.0.0/0", "::/0", "(", "[a-", "*"),
)
_PLAIN = (
    *(
        "expendable",
        "expendable-1",
        "1",
        "a",
        "us-east-1",
        "s3://expendable/x",
        "2026-01-01T00:00:00Z",
        "123456789012",
        "rate(1 hour)",
    ),
    *(
        "arn:aws:iam::123456789012:role/expendable",
        "arn:aws:sagemaker:us-east-1:123456789012:pipeline/expendable",
        "ml.m5.large",
    ),
    *(
        "arn:aws:lambda:us-east-1:123456789012:function:expendable",
        "arn:aws:sqs:us-east-1:123456789012:expendable",
        "/expendable",
        "aa" * 16,
    ),
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/expendable:1",
)
_NUMBERS = {"integer": 2**31 - 1, "long": 2**63 - 1}


def request(draw: Draw, shape: Shape, pool: Pool) -> dict[str, Any]:
    """The members of a valid request; names come from a pool, where it has some."""
    found: dict[str, Any] = value(draw, shape, "", pool, 0) if shape is not None else {}
    return found


def value(draw: Draw, shape: Shape, name: str, pool: Pool, depth: int) -> Any:
    """A value of a shape."""
    make = _MAKERS.get(shape.type_name, _text)
    return make(draw, shape, name, pool, depth)


def _structure(draw: Draw, shape: Shape, _name: str, pool: Pool, depth: int) -> dict[str, Any]:
    optional = [member for member in shape.members if member not in shape.required_members]
    most = 4 if depth < _DEEPEST else 0
    chosen = draw(st.lists(st.sampled_from(optional), max_size=most, unique=True)) if optional and most else []
    if getattr(shape, "is_tagged_union", False):
        chosen = [draw(st.sampled_from(optional))]
    members = [*shape.required_members, *chosen]
    return {member: value(draw, shape.members[member], member, pool, depth + 1) for member in members}


def _list(draw: Draw, shape: Shape, name: str, pool: Pool, depth: int) -> list[Any]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 3)
    count = draw(st.integers(least, max(least, min(most, least + 2))))
    return [value(draw, shape.member, name, pool, depth + 1) for _ in range(count if depth <= 2 * _DEEPEST else least)]


def _map(draw: Draw, shape: Shape, name: str, pool: Pool, depth: int) -> dict[str, Any]:
    count = draw(st.integers(shape.metadata.get("min", 0), max(shape.metadata.get("min", 0), 2)))
    drawn = [
        (value(draw, shape.key, "", pool, depth + 1), value(draw, shape.value, name, pool, depth + 1))
        for _ in range(count)
    ]
    return dict(drawn)


def _text(draw: Draw, shape: Shape, name: str, pool: Pool, _depth: int) -> str:
    if getattr(shape, "enum", None):
        return str(draw(st.sampled_from(shape.enum)))
    pooled = [text for text in pool.get(name, ()) if _is_allowed(shape, text)]
    if pooled and draw(st.integers(0, 3)):
        return str(draw(st.sampled_from(pooled)))
    return str(draw(_texts(shape.metadata.get("pattern", ""), shape.metadata.get("min", 0), shape.metadata.get("max"))))


@cache
def _texts(pattern: str, least: int, most: int | None) -> st.SearchStrategy[str]:
    bound = 10_000 if most is None else most
    usual = [
        text for text in (*_PLAIN, *_TROUBLE) if least <= len(text) <= bound and (not pattern or fits(pattern, text))
    ]
    if not pattern:
        usual += [text.ljust(least, "x")[:bound] for text in ("y", "a" * 200)]
    if usual:
        return st.sampled_from(usual)
    return st.from_regex(re.compile(compiled(pattern).pattern), fullmatch=True).filter(
        lambda text: least <= len(text) <= bound
    )


def _is_allowed(shape: Shape, text: str) -> bool:
    limits = shape.metadata
    within = limits.get("min", 0) <= len(text) <= limits.get("max", len(text))
    return within and ("pattern" not in limits or fits(limits["pattern"], text))


def _whole(draw: Draw, shape: Shape, *_: Any) -> int:
    extreme = _NUMBERS[shape.type_name]
    least, most = int(shape.metadata.get("min", -extreme)), int(shape.metadata.get("max", extreme))
    some = [number for number in (0, 1, 2, 5, 60, least, most) if least <= number <= most]
    return int(draw(st.sampled_from(some)))


def _decimal(draw: Draw, shape: Shape, *_: Any) -> float:
    least, most = float(shape.metadata.get("min", -1e300)), float(shape.metadata.get("max", 1e300))
    return float(draw(st.sampled_from([number for number in (0.0, 0.5, 1.0, least, most) if least <= number <= most])))


def _bytes(draw: Draw, shape: Shape, *_: Any) -> bytes:
    some = (b"", b"x", b"\x00\xff", b"{}", b"[" * 3000, b"PK\x03\x04")
    return bytes(draw(st.sampled_from([content.ljust(shape.metadata.get("min", 0), b"x") for content in some])))


_MAKERS: Mapping[str, Callable[..., Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "integer": _whole,
    "long": _whole,
    "float": _decimal,
    "double": _decimal,
    "boolean": lambda draw, *_: draw(st.booleans()),
    "timestamp": lambda draw, *_: draw(
        st.sampled_from([0, 1_767_225_600, "2026-01-01T00:00:00Z", -1, 253_402_300_799])
    ),
    "blob": _bytes,
}
