"""Lifecycle rules: what S3 takes, and when an object expires by them. Nothing expires here; answers have the date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import format_datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import bad_argument, bad_request, malformed
from pedigree.localaws.kernel.store import Document

_DAY = dt.timedelta(days=1)


def check_lifecycle(root: Element) -> None:
    """Refuse rules that S3 does not take."""
    if not root.findall("Rule"):
        raise malformed()
    for rule in root.findall("Rule"):
        _check_rule(rule)


def _check_rule(rule: Element) -> None:
    found = rule.find("Filter")
    if (found is None) == (rule.find("Prefix") is None):
        raise malformed()
    if found is not None and len(found) > 1:
        raise malformed()
    noncurrent = rule.find("NoncurrentVersionExpiration")
    if noncurrent is not None and not len(noncurrent):
        raise malformed()
    keys = [tag.findtext("Key") for tag in rule.iter("Tag")]
    if len(set(keys)) < len(keys):
        raise bad_request("Duplicate Tag Keys are not allowed.")
    expiration = rule.find("Expiration")
    if expiration is not None:
        if len(expiration) != 1:
            raise malformed()
        _check_date(expiration.findtext("Date"))


def _check_date(text: str | None) -> None:
    if text is None:
        return
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.time() != dt.time():
        raise bad_argument("Date", text, "'Date' must be at midnight GMT")


def expiration_header(text: str, key: str, body: Document) -> dict[str, str]:
    """The header that says by which rule an object expires first, and when."""
    if not text:
        return {}
    due = [(moment, rule) for rule in xml.parse(text.encode()).findall("Rule") if (moment := _due(rule, key, body))]
    if not due:
        return {}
    moment, rule = min(due, key=lambda each: each[0])
    name = quote(rule.findtext("ID", ""))
    return {"x-amz-expiration": f'expiry-date="{format_datetime(moment, usegmt=True)}", rule-id="{name}"'}


def _due(rule: Element, key: str, body: Document) -> dt.datetime | None:
    """When a rule makes an object expire; None if it does not."""
    days, date = rule.findtext("Expiration/Days"), rule.findtext("Expiration/Date")
    if rule.findtext("Status") != "Enabled" or not (days or date) or not _applies(rule, key, body):
        return None
    if date:
        return dt.datetime.fromisoformat(date.replace("Z", "+00:00")).astimezone(dt.timezone.utc)
    written = dt.datetime.fromisoformat(body["modified"])
    midnight = written.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (int(days or 0) + 1) * _DAY


def _applies(rule: Element, key: str, body: Document) -> bool:
    tags: Mapping[str, str] = body.get("tags") or {}
    wanted = {tag.findtext("Key", ""): tag.findtext("Value", "") for tag in rule.iter("Tag")}
    least, most = (_number(rule, name) for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"))
    return (
        all(key.startswith(prefix.text or "") for prefix in rule.iter("Prefix"))
        and all(tags.get(name) == value for name, value in wanted.items())
        and (least is None or body["size"] > least)
        and (most is None or body["size"] < most)
    )


def _number(rule: Element, name: str) -> int | None:
    element = next(rule.iter(name), None)
    return int(element.text or 0) if element is not None else None
