"""The TLS contexts of AWS's host names, one for each name that a client asks for, and of the last names only."""

from __future__ import annotations

import datetime as dt
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from pedigree.localaws.http.aws_hosts import is_aws
from pedigree.localaws.proxy.authority import LEAF_LIFE, Authority, Certificate

_MOST_HOSTS = 256
_HTTP = "http/1.1"


class HostCertificates:
    """Gives each TLS handshake the certificate of the host that its client names."""

    def __init__(self, authority: Authority, now: Callable[[], dt.datetime]) -> None:
        self._authority = authority
        self._now = now
        self._made: OrderedDict[str, tuple[dt.datetime, ssl.SSLContext]] = OrderedDict()

    def context(self) -> ssl.SSLContext:
        """The context of a server for all of AWS's hosts; a client that names another host is refused."""
        context = _server_context(self._authority.issue("amazonaws.com"))
        context.sni_callback = self._choose
        return context

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, host: str | None, _context: ssl.SSLContext
    ) -> int | None:
        if host is None or not is_aws(host):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._of(host.lower())
        return None

    def _of(self, host: str) -> ssl.SSLContext:
        made, context = self._made.pop(host, (None, None))
        if made is None or context is None or self._now() - made > LEAF_LIFE / 2:
            made, context = self._now(), _server_context(self._authority.issue(host))
        self._made[host] = made, context
        while len(self._made) > _MOST_HOSTS:
            self._made.popitem(last=False)
        return context


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([_HTTP])
    # ssl reads a key from files only.
    with tempfile.TemporaryDirectory(prefix="pedigree-") as folder:
        path = Path(folder, "certificate.pem")
        path.touch(mode=0o600)
        path.write_bytes(certificate.key + certificate.certificate)
        context.load_cert_chain(path)
    return context
