"""Object lock: what keeps versions of objects from being deleted, until a date or until a legal hold is lifted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument, bad_request, malformed
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.bucket_configuration import configuration_text
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.s3.storage import ObjectStorage, requested_version

KIND = "object-lock"
_GOVERNANCE, _COMPLIANCE = "GOVERNANCE", "COMPLIANCE"
_MODE, _UNTIL, _HOLD = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold")
_BYPASS = "x-amz-bypass-governance-retention"
_ON, _OFF = "ON", "OFF"
_PROTECTED = "Access Denied because object protected by object lock."


def is_locking(storage: ObjectStorage, bucket: str) -> bool:
    """Whether objects of a bucket can be locked."""
    return bool(configuration_text(storage.store, bucket, KIND))


def new_members(storage: ObjectStorage, headers: Mapping[str, str], location: S3Location) -> dict[str, Any]:
    """The lock of a new object: what its headers say, or its bucket's default."""
    mode, until, hold = headers.get(_MODE), headers.get(_UNTIL), headers.get(_HOLD)
    if (mode is None) != (until is None):
        lacking = _UNTIL if until is None else _MODE
        words = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        raise S3Error("InvalidArgument", words, 400, ArgumentName=lacking)
    text = configuration_text(storage.store, location.bucket, KIND)
    if not text:
        if mode or hold:
            raise bad_request("Bucket is missing Object Lock Configuration")
        return {}
    members: dict[str, Any] = {"legal_hold": hold} if hold else {}
    if mode is not None and until is not None:
        if mode not in (_GOVERNANCE, _COMPLIANCE):
            raise bad_argument(_MODE, mode, "Unknown wormMode directive.")
        _check_future(until, storage.catalog.now())
        return {**members, "retention": {"Mode": mode, "RetainUntilDate": until}}
    return {**members, **_default(text, storage.catalog.now())}


def _default(text: str, now: dt.datetime) -> dict[str, Any]:
    retention = xml.parse(text.encode()).find("Rule/DefaultRetention")
    if retention is None:
        return {}
    days, years = int(retention.findtext("Days", "0")), int(retention.findtext("Years", "0"))
    until = now + dt.timedelta(days=days + 365 * years)
    return {"retention": {"Mode": retention.findtext("Mode", ""), "RetainUntilDate": _written(until)}}


def check_bypass(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> bool:
    """Whether a deletion goes past governance; InvalidArgument where nothing can be locked."""
    value = exchange.headers.get(_BYPASS)
    if value is not None and not is_locking(storage, location.bucket):
        words = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets."
        raise S3Error("InvalidArgument", words, 400, ArgumentName=_BYPASS)
    return (value or "").lower() == "true"


def check_deletion(body: Document, now: dt.datetime, *, bypass: bool) -> None:
    """AccessDenied for a version that is locked."""
    retention = body.get("retention") or {}
    is_retained = bool(retention) and dt.datetime.fromisoformat(_iso(retention["RetainUntilDate"])) > now
    is_bound = is_retained and not (bypass and retention["Mode"] == _GOVERNANCE)
    if is_bound or body.get("legal_hold") == _ON:
        raise S3Error("AccessDenied", _PROTECTED, 403)


def get_retention(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Answer until when a version is locked."""
    body = _locked_object(storage, exchange, location)
    if not body.get("retention"):
        raise _unset()
    return Response(xml.document("Retention", body["retention"]), content_type="application/xml")


def put_retention(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Lock a version until a date; a lock that holds can be made longer only."""
    before = _locked_object(storage, exchange, location)
    wanted = _retention(exchange.body, storage.catalog.now())
    bypass = exchange.headers.get(_BYPASS, "").lower() == "true"
    if _is_weaker(before.get("retention") or {}, wanted, storage.catalog.now(), bypass=bypass):
        raise S3Error("AccessDenied", _PROTECTED, 403)
    storage.catalog.update(location, lambda body: {**body, "retention": wanted}, requested_version(exchange))
    return Response(status=200)


def get_legal_hold(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Answer whether a legal hold is on a version."""
    body = _locked_object(storage, exchange, location)
    if not body.get("legal_hold"):
        raise _unset()
    return Response(xml.document("LegalHold", {"Status": body["legal_hold"]}), content_type="application/xml")


def put_legal_hold(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Put a legal hold on a version, or lift it."""
    storage.find(location, requested_version(exchange), exchange.method)
    status = xml.parse(exchange.body).findtext("Status") if exchange.body else None
    if status not in (_ON, _OFF):
        raise malformed()
    _locked_object(storage, exchange, location)
    storage.catalog.update(location, lambda body: {**body, "legal_hold": status}, requested_version(exchange))
    return Response(status=200)


def _locked_object(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Document:
    """The version that a request is about; InvalidRequest if its bucket does not lock objects."""
    body = storage.find(location, requested_version(exchange), exchange.method)
    if not is_locking(storage, location.bucket):
        raise bad_request("Bucket is missing Object Lock Configuration")
    return body


def _retention(content: bytes, now: dt.datetime) -> dict[str, str]:
    """What a document says; empty for one that ends a retention."""
    root = xml.parse(content)
    mode, until = root.findtext("Mode"), root.findtext("RetainUntilDate")
    if mode is None and until is None:
        return {}
    if mode not in (_GOVERNANCE, _COMPLIANCE) or not until:
        raise malformed()
    _check_future(until, now)
    return {"Mode": mode, "RetainUntilDate": _written(dt.datetime.fromisoformat(_iso(until)))}


def _check_future(until: str, now: dt.datetime) -> None:
    try:
        moment = dt.datetime.fromisoformat(_iso(until))
    except ValueError:
        raise malformed() from None
    if moment <= now:
        pacific = moment.astimezone(dt.timezone(dt.timedelta(hours=-8)))
        shown = f"{pacific:%a %b %d %H:%M:%S} PST {pacific.year}"
        raise bad_argument("RetainUntilDate", shown, "The retain until date must be in the future!")


def _is_weaker(before: Mapping[str, str], wanted: Mapping[str, str], now: dt.datetime, *, bypass: bool) -> bool:
    """Whether a retention that still holds would be shortened, or taken back."""
    if not before or dt.datetime.fromisoformat(_iso(before["RetainUntilDate"])) <= now:
        return False
    if before["Mode"] == _GOVERNANCE and bypass:
        return False
    if not wanted or (before["Mode"], wanted["Mode"]) == (_COMPLIANCE, _GOVERNANCE):
        return True
    return _iso(wanted["RetainUntilDate"]) < _iso(before["RetainUntilDate"])


def _unset() -> S3Error:
    message = "The specified object does not have a ObjectLock configuration"
    return S3Error("NoSuchObjectLockConfiguration", message, 404)


def _iso(text: str) -> str:
    return text.replace("Z", "+00:00")


def _written(moment: dt.datetime) -> str:
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
