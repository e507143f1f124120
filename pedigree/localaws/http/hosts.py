"""What the Host of a request decides, before its signature: foreign pages, the question for health, S3's buckets."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug import Response

from pedigree.localaws.http.aws_hosts import is_aws, s3_bucket
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError

_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OWN_PATHS = "/_local/"
_HEALTH = "/_local/health"
_READING = ("GET", "HEAD")
# Of a page of another site, or of another port of this machine.
_FOREIGN_SITES = ("cross-site", "same-site")


class ForeignRequestError(ServiceError):
    """A request that a page in a browser may have sent."""

    def __init__(self, why: str) -> None:
        super().__init__("ForeignHost", f"{why}; the local AWS answers programs on this machine only", 403)


def foreign_request_refuser(port: Callable[[], int]) -> Callable[[Exchange], None]:
    """Refuses requests that a page in a browser may have sent: a foreign Host or Origin, or one from another site.

    AWS's names are not foreign: clients that come by the proxy have them, and a page cannot make such a name lead here.
    """

    def refuse_foreign_requests(exchange: Exchange) -> None:
        headers, own_hosts = exchange.headers, [f"{name}:{port()}" for name in _OWN_NAMES]
        host, origin, site = (headers.get(name) for name in ("host", "origin", "sec-fetch-site"))
        if host not in own_hosts and not (host and is_aws(host)):
            raise ForeignRequestError(f"{host or ''} is not this machine")
        if origin is not None and origin not in [f"http://{own_host}" for own_host in own_hosts]:
            raise ForeignRequestError(f"{origin} is a foreign page")
        if site in _FOREIGN_SITES:
            raise ForeignRequestError(f"The request is {site}")

    return refuse_foreign_requests


def answer_health(exchange: Exchange) -> Response | None:
    """Say that the daemon is ready; nothing else of its own can be asked without a signature."""
    if not exchange.raw_path.startswith(_OWN_PATHS) or "authorization" in exchange.headers:
        return None
    if exchange.raw_path != _HEALTH:
        raise ServiceError("NotFound", f"{exchange.raw_path} does not exist", 404)
    if exchange.method not in _READING:
        refusal = ServiceError("MethodNotAllowed", f"{_HEALTH} is read with GET", 405)
        refusal.headers = {"Allow": ", ".join(_READING)}
        raise refusal
    return Response('{"status": "ready"}', content_type="application/json")


def address_bucket(exchange: Exchange) -> None:
    """Let the path of a request to a bucket's own host begin with the bucket, as all others do."""
    host = exchange.headers.get("host", "")
    bucket = s3_bucket(host)
    if bucket:
        exchange.raw_path = f"/{bucket}{exchange.raw_path}"
    if is_aws(host):
        exchange.environ["wsgi.url_scheme"] = "https"
