"""The certificate authority of a folder: it makes certificates for AWS's host names, and can make no others.

Its certificate says that it is for AWS's domains only (name constraints), so a client that trusts it accepts
no other host's name from it. The key is readable by its user only, and nothing is installed in the system.
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pedigree.localaws.http.aws_hosts import DOMAINS
from pedigree.localaws.kernel.state_folder import write_private

AUTHORITY_LIFE = dt.timedelta(days=825)
LEAF_LIFE = dt.timedelta(days=30)
_RENEWED_BEFORE = dt.timedelta(days=60)
_SKEW = dt.timedelta(days=1)
_NAME = "pedigree local AWS"
_LONGEST_COMMON_NAME = 64
# Where Linux distributions and macOS keep the roots that they trust.
_SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates; its own is in a folder, and is made anew before it expires."""

    def __init__(self, folder: Path, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._key, self._certificate = self._stored(folder) or self._made(folder)

    @property
    def pem(self) -> bytes:
        """The certificate that clients have to trust."""
        return self._certificate.public_bytes(_PEM)

    def issue(self, host: str) -> Certificate:
        """A certificate for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        # A common name is short; clients read the alternative name.
        subject = _name(host if len(host) <= _LONGEST_COMMON_NAME else _NAME)
        certificate = (
            _builder(subject, self._certificate.subject, key, self._now(), LEAF_LIFE)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Certificate(certificate.public_bytes(_PEM), _key_pem(key))

    def _stored(self, folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
        """The authority in a folder; None if there is none, or none that is good for long enough."""
        try:
            content = (folder / "authority.pem").read_bytes()
            key = serialization.load_pem_private_key(content, password=None)
            certificate = x509.load_pem_x509_certificate(content)
        except (FileNotFoundError, ValueError):
            return None
        is_good = certificate.not_valid_after_utc - self._now() > _RENEWED_BEFORE
        return (key, certificate) if is_good and isinstance(key, ec.EllipticCurvePrivateKey) else None

    def _made(self, folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(_NAME)
        allowed = [x509.DNSName(domain) for domain in DOMAINS]
        certificate = (
            _builder(name, name, key, self._now(), AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        # One file: a key without its certificate, or with another's, cannot be left behind.
        write_private(folder / "authority.pem", _key_pem(key) + certificate.public_bytes(_PEM))
        return key, certificate


def write_bundle(path: Path, authority: Authority) -> None:
    """Write the file of all roots that a client of the local AWS trusts: the system's own, and the authority's."""
    write_private(path, b"\n".join((_system_roots(path), authority.pem)))


def _system_roots(own_bundle: Path) -> bytes:
    """The roots that this machine trusts; in a shell that uses the local AWS, OpenSSL's are the bundle itself."""
    for name in (ssl.get_default_verify_paths().cafile, *_SYSTEM_ROOTS, _certifi()):
        path = Path(name) if name else None
        if path and path.is_file() and path.resolve() != own_bundle.resolve():
            return path.read_bytes()
    return b""


def _certifi() -> str | None:
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime, life: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
