"""The authority of a folder signs for AWS's names only, lasts, and keeps its key to its user."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest

from pedigree.localaws.kernel.client_access import BUNDLE
from pedigree.localaws.proxy.authority import AUTHORITY_LIFE, Authority, write_bundle
from pedigree.localaws.proxy.certificates import HostCertificates


def now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def served(host: str, authority: Authority, roots: bytes) -> str:
    """Make a TLS handshake for a host over a socket, and return the name that was verified."""
    ours, theirs = socket.socketpair()
    context = HostCertificates(authority, now).context()
    refused: list[OSError] = []

    def serve() -> None:
        try:
            context.wrap_socket(theirs, server_side=True).close()
        except OSError as error:
            refused.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cadata=roots.decode())
    client.verify_flags |= getattr(ssl, "VERIFY_X509_STRICT", 0)
    try:
        with client.wrap_socket(ours, server_hostname=host) as connection:
            names = connection.getpeercert()
            assert names is not None
            return str(names["subjectAltName"][0][1])
    finally:
        ours.close()
        thread.join()
        theirs.close()


@pytest.mark.parametrize(
    "host", ["sts.us-east-1.amazonaws.com", "a.dotted.bucket.s3.amazonaws.com", f"{'b' * 63}.s3.amazonaws.com"]
)
def test_clients_that_trust_it_verify_names_of_aws_strictly(host: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path, now)
    assert served(host, authority, authority.pem) == host


def test_it_can_speak_for_no_other_name(tmp_path: Path) -> None:
    """Even with its key, a certificate for another host is refused by its clients."""
    authority = Authority(tmp_path, now)
    issued = authority.issue("pypi.org")
    path = tmp_path / "pypi.pem"
    path.write_bytes(issued.key + issued.certificate)
    ours, theirs = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)

    def serve() -> None:
        with pytest.raises(ssl.SSLError):
            server.wrap_socket(theirs, server_side=True)

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cadata=authority.pem.decode())
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        client.wrap_socket(ours, server_hostname="pypi.org")
    thread.join()
    ours.close()
    theirs.close()


def test_a_client_that_asks_for_another_name_gets_no_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path, now)
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        served("pypi.org", authority, authority.pem)


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    ours, others = Authority(tmp_path, now), Authority(tmp_path / "others", now)
    with pytest.raises(ssl.SSLCertVerificationError):
        served("sts.amazonaws.com", ours, others.pem)


def test_it_stays_until_it_would_expire_and_only_its_user_reads_it(tmp_path: Path) -> None:
    first = Authority(tmp_path, now)
    assert Authority(tmp_path, now).pem == first.pem
    assert (tmp_path / "authority.pem").stat().st_mode & 0o777 == 0o600
    later = Authority(tmp_path, lambda: now() + AUTHORITY_LIFE)
    assert later.pem != first.pem
    (tmp_path / "authority.pem").write_bytes(b"broken off")
    assert Authority(tmp_path, now).pem != later.pem


def test_the_bundle_has_the_systems_roots_and_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(b"the system's")
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    authority, bundle = Authority(tmp_path, now), tmp_path / BUNDLE
    write_bundle(bundle, authority)
    assert bundle.read_bytes() == b"the system's\n" + authority.pem
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    write_bundle(bundle, authority)
    assert bundle.read_bytes().count(authority.pem) == 1
