"""Access control lists: kept with buckets and objects, and given back. What a caller may do, only policies say here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument, bad_request
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.bucket_configuration import configuration_text
from pedigree.localaws.services.s3.catalog import BUCKET, S3Location
from pedigree.localaws.services.s3.storage import ObjectStorage, requested_version, version_headers

_GROUPS = "http://acs.amazonaws.com/groups/"
_ALL_USERS, _AUTHENTICATED = f"{_GROUPS}global/AllUsers", f"{_GROUPS}global/AuthenticatedUsers"
_LOG_DELIVERY = f"{_GROUPS}s3/LogDelivery"
_FULL = "FULL_CONTROL"
_PERMISSIONS = (_FULL, "READ", "WRITE", "READ_ACP", "WRITE_ACP")
_CANNED: Mapping[str, Sequence[tuple[str, str]]] = {
    "private": (),
    "public-read": ((_ALL_USERS, "READ"),),
    "public-read-write": ((_ALL_USERS, "READ"), (_ALL_USERS, "WRITE")),
    "authenticated-read": ((_AUTHENTICATED, "READ"),),
    "log-delivery-write": ((_LOG_DELIVERY, "WRITE"), (_LOG_DELIVERY, "READ_ACP")),
    "aws-exec-read": (),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}
_GRANT_HEADERS = {f"x-amz-grant-{permission.lower().replace('_', '-')}": permission for permission in _PERMISSIONS}
_GRANTEE = re.compile(r'\s*(\w+)\s*=\s*"?([^"]*)"?\s*')
_ID = re.compile(r"[0-9a-f]{64}")
_OWN = ("private", "bucket-owner-full-control")
_SCHEMA_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ENFORCED = "BucketOwnerEnforced"


def new_object_members(storage: ObjectStorage, headers: Mapping[str, str], location: S3Location) -> dict[str, Any]:
    """The members with the list of a new object; none if the request gives no list."""
    grants = _of_headers(headers, storage.owner)
    if grants is None:
        return {}
    _check_enabled(storage, headers, location.bucket)
    _check_not_public(storage, grants, location.bucket)
    return {"grants": grants}


def new_bucket_members(headers: Mapping[str, str], owner: str) -> dict[str, Any]:
    """The members with the list of a new bucket."""
    grants = _of_headers(headers, owner)
    return {} if grants is None else {"grants": grants}


def get_acl(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Answer with the list of a bucket or an object; without one, its owner may do everything."""
    body = _target(storage, exchange, location)
    owner = {"ID": storage.owner}
    grants = body.get("grants")
    listed = [_full_control(storage.owner)] if grants is None else grants
    content = {"Owner": owner, "AccessControlList": {"Grant": [_grant(grant) for grant in listed]}}
    return Response(xml.document("AccessControlPolicy", content), content_type="application/xml")


def _grant(grant: Document) -> dict[str, Any]:
    """A grant as an element, whose grantee has its type as an attribute."""
    grantee = dict(grant["Grantee"])
    kind = grantee.pop("type")
    start = f'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{kind}">'
    inner = "".join(f"<{name}>{xml.text(value)}</{name}>" for name, value in grantee.items())
    return {"": xml.Markup(f"{start}{inner}</Grantee>"), "Permission": grant["Permission"]}


def put_acl(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Response:
    """Replace the list of a bucket or an object, by headers or by a document."""
    body = _target(storage, exchange, location)
    grants = _requested(exchange, storage.owner)
    _check_enabled(storage, exchange.headers, location.bucket, exchange.body)
    _check_not_public(storage, grants, location.bucket)
    if not location.key:
        storage.store.update(BUCKET, location.bucket, lambda bucket: {**bucket, "grants": grants})
        return Response(status=200)
    storage.catalog.update(location, lambda stored: {**stored, "grants": grants}, requested_version(exchange))
    storage.publish_event(exchange, "ObjectAcl:Put", location, body)
    return Response(status=200, headers=version_headers(storage.bucket(location.bucket), body))


def _target(storage: ObjectStorage, exchange: Exchange, location: S3Location) -> Document:
    """The bucket or the version of an object whose list is meant."""
    if not location.key:
        return storage.bucket(location.bucket)
    try:
        return storage.find(location, requested_version(exchange), exchange.method)
    except S3Error as refusal:
        if refusal.code == "NoSuchKey" and refusal.headers and exchange.method == "PUT":
            raise _deleted(refusal) from None
        raise


def _deleted(refusal: S3Error) -> S3Error:
    message = "The specified method is not allowed against this resource."
    answer = S3Error("MethodNotAllowed", message, 405, Method="PUT", ResourceType="DeleteMarker")
    answer.headers = refusal.headers
    return answer


def _requested(exchange: Exchange, owner: str) -> list[Document]:
    """The list that a request sets."""
    grants = _of_headers(exchange.headers, owner)
    if grants is not None:
        if exchange.body:
            raise S3Error("UnexpectedContent", "This request does not support content", 400)
        return grants
    if not exchange.body:
        message = "Your request was missing a required header"
        raise S3Error("MissingSecurityHeader", message, 400, MissingHeaderName="x-amz-acl")
    return list(_of_document(exchange.body))


def _of_headers(headers: Mapping[str, str], owner: str) -> list[Document] | None:
    """The list of a request's headers; None if they have none."""
    canned, given = headers.get("x-amz-acl"), [name for name in _GRANT_HEADERS if name in headers]
    if canned is not None and given:
        raise bad_request("Specifying both Canned ACLs and Header Grants is not allowed")
    if canned is not None:
        if canned not in _CANNED:
            raise bad_argument("x-amz-acl", canned, "")
        groups = [{"Grantee": _group(uri), "Permission": permission} for uri, permission in _CANNED[canned]]
        return [_full_control(owner), *groups]
    if not given:
        return None
    return [
        {"Grantee": grantee, "Permission": _GRANT_HEADERS[name]}
        for name in given
        for grantee in _grantees(name, headers[name])
    ]


def _grantees(name: str, text: str) -> Iterator[Document]:
    for piece in text.split(","):
        match = _GRANTEE.fullmatch(piece)
        if match is None or match[1] not in ("id", "uri", "emailAddress"):
            raise bad_argument(name, text, "Argument format not recognized")
        if match[1] == "uri":
            yield _group(_checked_group(match[2], "uri"))
        else:
            yield _user(_checked_id(match[2], "id"))


def _of_document(content: bytes) -> Iterator[Document]:
    """The list of a request's document."""
    root = xml.parse(content)
    owner, grants = root.find("Owner"), root.find("AccessControlList")
    if owner is None or grants is None or not owner.findtext("ID"):
        raise _malformed()
    for element in grants.findall("Grant"):
        grantee, permission = element.find("Grantee"), element.findtext("Permission")
        if grantee is None or permission not in _PERMISSIONS:
            raise _malformed()
        yield {"Grantee": _grantee(grantee), "Permission": permission}
    _checked_id(owner.findtext("ID", ""), "CanonicalUser/ID")


def _grantee(element: Element) -> Document:
    kind = element.get(_SCHEMA_TYPE, "").rpartition(":")[2]
    if kind == "Group" and element.findtext("URI"):
        return _group(_checked_group(element.findtext("URI", ""), "Group/URI"))
    if kind == "CanonicalUser" and element.findtext("ID"):
        return _user(_checked_id(element.findtext("ID", ""), "CanonicalUser/ID"))
    raise _malformed()


def _checked_group(uri: str, argument: str) -> str:
    if uri not in (_ALL_USERS, _AUTHENTICATED, _LOG_DELIVERY):
        raise bad_argument(argument, uri, "Invalid group uri")
    return uri


def _checked_id(text: str, argument: str) -> str:
    if not _ID.fullmatch(text):
        raise bad_argument(argument, text, "Invalid id")
    return text


def _check_enabled(storage: ObjectStorage, headers: Mapping[str, str], bucket: str, document: bytes = b"") -> None:
    """AccessControlListNotSupported where the bucket's owner owns all objects, as is the default."""
    is_own = not document and headers.get("x-amz-acl", "") in _OWN
    controls = configuration_text(storage.store, bucket, "ownershipControls")
    if not is_own and f"<ObjectOwnership>{ENFORCED}<" in controls:
        raise S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


def _check_not_public(storage: ObjectStorage, grants: Sequence[Document], bucket: str) -> None:
    """AccessDenied for a list that lets everybody in, where the bucket blocks that."""
    block = configuration_text(storage.store, bucket, "publicAccessBlock")
    is_public = any(grant["Grantee"].get("URI") in (_ALL_USERS, _AUTHENTICATED) for grant in grants)
    if is_public and block and xml.parse(block.encode()).findtext("BlockPublicAcls", "").lower() == "true":
        raise S3Error("AccessDenied", "Access Denied", 403)


def _full_control(owner: str) -> Document:
    return {"Grantee": _user(owner), "Permission": _FULL}


def _user(identity: str) -> Document:
    return {"ID": identity, "type": "CanonicalUser"}


def _group(uri: str) -> Document:
    return {"URI": uri, "type": "Group"}


def _malformed() -> S3Error:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return S3Error("MalformedACLError", message, 400)
