"""Reads a form of a browser for S3 up to its file, and lets the request go on as the PutObject that it stands for."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from pedigree.localaws.http.aws_hosts import is_aws, s3_bucket
from pedigree.localaws.http.body import read_piece
from pedigree.localaws.http.exchange import Exchange, Scope
from pedigree.localaws.http.form_upload import FormUpload
from pedigree.localaws.http.protocol import s3_form
from pedigree.localaws.http.protocol.multipart_form import FORM, is_form
from pedigree.localaws.http.protocol.s3_address import address
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.http.sigv4 import post_signature
from pedigree.localaws.http.sigv4.errors import S3

_PIECE = 16 << 10
# Of the request itself; all else that it says is said by the form.
_KEPT_HEADERS = ("host", "content-length", "transfer-encoding")


def is_form_upload(exchange: Exchange) -> bool:
    """Whether a request without a signature of its own is a POST to a bucket, which takes forms only."""
    host = exchange.headers.get("host", "")
    if exchange.method != "POST" or exchange.raw_query or "authorization" in exchange.headers:
        return False
    bucket, key, _ = address(f"{s3_bucket(host) or ''}{exchange.raw_path}")
    return bool(bucket) and not key and (s3_bucket(host) is not None or not is_aws(host))


def form_reader(region: str) -> Callable[[Exchange], None]:
    """Reads the fields of forms; a signature of version 2 is for a region, as in `signature_reader`."""

    def read_form(exchange: Exchange) -> None:
        form = exchange.form
        if form is None:
            return
        while not form.decoder.has_file:
            form.add(read_piece(exchange, form.received, _PIECE))
        signature = exchange.signature = post_signature.from_fields(form.fields)
        exchange.scope = Scope(signature.key_id, signature.scope.region if signature.scope else region, S3)
        _become_put(exchange, form)

    return read_form


def begin_form(exchange: Exchange) -> None:
    """Remember that the request is a form, whose signature is yet to come; S3Error if it is none."""
    exchange.service = S3
    content_type = exchange.headers.get("content-type", "")
    if not is_form(content_type):
        words, condition = "At least one of the pre-conditions you specified did not hold", f"enclosure-type {FORM}"
        raise S3Error("PreconditionFailed", words, 412, Condition=f"Bucket POST must be of the {condition}")
    exchange.form = FormUpload.of(content_type)


def _become_put(exchange: Exchange, form: FormUpload) -> None:
    """From here on the request is what would have put the object: IAM and S3 look at nothing else."""
    fields = form.fields
    if not fields.get("key"):
        raise s3_form.lacking("key")
    bucket = address(exchange.raw_path).bucket
    kept = {name: exchange.headers[name] for name in _KEPT_HEADERS if name in exchange.headers}
    exchange.method = "PUT"
    exchange.raw_path = f"/{quote(bucket)}/{quote(fields['key'])}"
    exchange.headers = {**s3_form.object_headers(fields), **kept}
