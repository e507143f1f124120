"""What S3 answers to a form: a status, a document or another page, as the form's fields ask for."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from werkzeug import Response

from pedigree.localaws.http.aws_hosts import s3_bucket
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.services.s3.catalog import S3Location

_NO_CONTENT, _CREATED, _OK, _SEE_OTHER = 204, 201, 200, 303
_STATUSES = {str(status): status for status in (_OK, _CREATED, _NO_CONTENT)}


def form_answer(fields: Mapping[str, str], exchange: Exchange, location: S3Location, put: Response) -> Response:
    """The answer, after the object was put."""
    etag, address = put.headers["ETag"], object_url(exchange, location)
    page = _page(fields.get("success_action_redirect") or fields.get("redirect") or "")
    if page:
        query = urlencode({"bucket": location.bucket, "key": location.key, "etag": etag}, quote_via=quote)
        joined = f"{page}{'&' if '?' in page else '?'}{query}"
        return Response(status=_SEE_OTHER, headers={**put.headers, "Location": joined})
    status = _STATUSES.get(fields.get("success_action_status", ""), _NO_CONTENT)
    headers = {**put.headers, "Location": address}
    if status != _CREATED:
        return Response(status=status, headers=headers)
    members = {"Location": address, "Bucket": location.bucket, "Key": location.key, "ETag": etag}
    return Response(xml.plain_document("PostResponse", members), status, headers, content_type="application/xml")


def _page(url: str) -> str:
    """An address to go on at; empty for what is none, as if the form had not said it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    is_address = parts.scheme in ("http", "https") and bool(parts.netloc)
    return url if is_address and url.isascii() and url.isprintable() else ""


def object_url(exchange: Exchange, location: S3Location) -> str:
    """Where the object is, with the bucket where the request had it."""
    host = exchange.headers.get("host", "")
    bucket = "" if s3_bucket(host) else f"/{location.bucket}"
    return f"{exchange.environ['wsgi.url_scheme']}://{host}{bucket}/{quote(location.key, safe='')}"
