"""Writes requests in their service's protocol; unlike a client of AWS, it does not validate them."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from pedigree.localaws.http.protocol.models import model
from pedigree.localaws.http.sigv4 import signature, verifier
from pedigree.localaws.http.sigv4.canonical import canonical_request
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import CredentialScope
from pedigree.localaws.kernel.access_key import AccessKey
from tests.support.local_aws import KEY, REGION

Shape = Any
# What a service is called in a credential's scope, where that is not botocore's name.
_SCOPES = {"sagemaker-runtime": "sagemaker", "cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging"}
SERVICES = (
    *("sagemaker", "sagemaker-runtime", "s3", "lambda", "sqs", "events", "scheduler", "iam", "sts"),
    *("application-autoscaling", "cloudwatch", "logs", "ec2", "ssm", "resourcegroupstaggingapi"),
)
_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class HttpRequest:
    """A request before it is sent."""

    method: str = "POST"
    target: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class HttpResponse:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error's code, wherever the protocol writes it."""
        found = re.search(rb"<Code>([^<]+)</Code>", self.body)
        if found:
            return found[1].decode()
        error = json.loads(self.body) if self.body[:1] == b"{" else {}
        return str(error.get("__type") or self.headers.get("x-amzn-errortype", ""))


def scope(service: str) -> str:
    """What a service is called in a credential's scope."""
    return _SCOPES.get(service, service)


def signed(service: str, key: str = "local") -> dict[str, str]:
    """The headers of a signature that is none; for requests that are refused before, or where nothing verifies it."""
    place = f"Credential={key}/20260101/{REGION}/{scope(service)}/aws4_request"
    signature = f"AWS4-HMAC-SHA256 {place}, SignedHeaders=host, Signature=0"
    return {"Authorization": signature, "X-Amz-Date": "20260101T000000Z"}


def sign(
    request: HttpRequest, service: str, port: int, key: AccessKey = KEY, token: str = "", region: str = REGION
) -> HttpRequest:
    """A request with the headers of its signature; the request itself may be malformed."""
    time_ = signature.written_time(time.time())
    digest = hashlib.sha256(request.body).hexdigest()
    added = {
        "X-Amz-Date": time_,
        **({"X-Amz-Security-Token": token} if token else {}),
        **({"X-Amz-Content-SHA256": digest} if service == "s3" else {}),
    }
    named = {name.lower(): value for name, value in {**request.headers, **added}.items()}
    headers = {"host": f"127.0.0.1:{port}", **named}
    names = sorted(name for name in headers if name == "host" or name.startswith("x-amz-"))
    path, _, query = request.target.partition("?")
    parts = RequestParts(request.method, path, query, headers)
    place = CredentialScope(time_[:8], region, scope(service))
    canonical = hashlib.sha256(canonical_request(parts, names, digest, place.service)).hexdigest()
    value = verifier.sign(verifier.signing_key(key.secret, place), f"AWS4-HMAC-SHA256\n{time_}\n{place}\n{canonical}")
    words = f"Credential={key.id}/{place}, SignedHeaders={';'.join(names)}, Signature={value}"
    return replace(request, headers={**request.headers, **added, "Authorization": f"AWS4-HMAC-SHA256 {words}"})


def send(port: int, request: HttpRequest) -> HttpResponse:
    """Send a request; the answer must come in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.putrequest(request.method, request.target, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(request.body)), **request.headers}.items():
            connection.putheader(name, value)
        connection.endheaders(request.body)
        answer = connection.getresponse()
        return HttpResponse(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def request(service: str, operation: str, members: Mapping[str, Any]) -> HttpRequest:
    """A request of an operation in the service's protocol."""
    described = model(service)
    if described.metadata.get("targetPrefix"):
        target = f"{described.metadata['targetPrefix']}.{operation}"
        kind = f"application/x-amz-json-{described.metadata['jsonVersion']}"
        return HttpRequest(headers={"X-Amz-Target": target, "Content-Type": kind}, body=_json(members))
    if described.metadata["protocol"] in ("query", "ec2"):
        form = {"Action": operation, "Version": described.api_version}
        shape = described.operation_model(operation).input_shape
        form |= dict(_flat(shape, members, "", described.metadata["protocol"] == "ec2"))
        kind = "application/x-www-form-urlencoded"
        return HttpRequest(headers={"Content-Type": kind}, body=urlencode(form, errors="replace").encode())
    return _rest(service, operation, members)


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_plain).encode()


def _plain(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return _plain(value)
    return value if isinstance(value, str) else json.dumps(value, default=_plain)


def _flat(shape: Shape, value: Any, place: str, is_ec2: bool) -> Iterator[tuple[str, str]]:
    kind = shape.type_name if shape is not None else "string"
    if kind == "structure" and isinstance(value, Mapping):
        for name, inner in value.items():
            member = shape.members.get(name)
            yield from _flat(member, inner, f"{place}.{_called(name, member, is_ec2)}".lstrip("."), is_ec2)
    elif kind == "list" and isinstance(value, list):
        inside = "" if is_ec2 or shape.serialization.get("flattened") else ".member"
        for number, inner in enumerate(value, 1):
            yield from _flat(shape.member, inner, f"{place}{inside}.{number}", is_ec2)
    elif kind == "map" and isinstance(value, Mapping):
        for number, (key, inner) in enumerate(value.items(), 1):
            yield f"{place}.entry.{number}.key", _text(key)
            yield from _flat(shape.value, inner, f"{place}.entry.{number}.value", is_ec2)
    elif value is not None:
        yield place, _text(value)


def _called(name: str, shape: Shape, is_ec2: bool) -> str:
    traits = shape.serialization if shape is not None else {}
    if not is_ec2:
        return str(traits.get("name", name))
    called = str(traits.get("name", name))
    return str(traits.get("queryName") or called[:1].upper() + called[1:])


def _rest(service: str, operation: str, members: Mapping[str, Any]) -> HttpRequest:
    described = model(service)
    found = described.operation_model(operation)
    shape = found.input_shape
    shapes = shape.members if shape is not None else {}
    parts: dict[str | None, dict[str, Any]] = {}
    for name, value in members.items():
        traits = shapes[name].serialization if name in shapes else {}
        parts.setdefault(traits.get("location"), {})[traits.get("name", name)] = value
    labels = parts.get("uri", {})
    target = _LABEL.sub(
        lambda label: quote(_text(labels.get(label[1], "")), safe="/" if label[2] else "", errors="replace"),
        found.http["requestUri"],
    )
    query = urlencode({name: _text(value) for name, value in parts.get("querystring", {}).items()}, errors="replace")
    headers = {name: _headed(value) for name, value in parts.get("header", {}).items()}
    for name, value in parts.get("headers", {}).items():
        for key, inner in value.items() if isinstance(value, Mapping) else ():
            headers[f"{name}{quote(str(key), errors='replace')}"] = _headed(inner)
    is_xml = described.metadata["protocol"] == "rest-xml"
    body = _body(shape, members, parts.get(None, {}), is_xml)
    joined = f"{target}{'&' if '?' in target else '?'}{query}" if query else target
    # A path that begins with two slashes is one of another host, before it is anything else.
    return HttpRequest(found.http["method"], f"/{joined.lstrip('/')}", headers, body)


def _headed(value: Any) -> str:
    return quote(_text(value), safe=" /:=;,+*\"'()[]{}", errors="replace")[:4000]


def _body(shape: Shape, members: Mapping[str, Any], rest: Mapping[str, Any], is_xml: bool) -> bytes:
    payload = shape.serialization.get("payload") if shape is not None else None
    content = members.get(payload) if payload else rest
    if content is None or (is_xml and not payload and not content):
        return b""
    if payload and isinstance(content, (str, bytes)):
        return content.encode(errors="replace") if isinstance(content, str) else content
    return f"<Root>{_xml(content)}</Root>".encode(errors="replace") if is_xml else _json(content)


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{quote(str(k))}>{_xml(inner)}</{quote(str(k))}>" for k, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return escape(_text(value))
