"""How a program reaches the local AWS, as environment variables: by its address, and by AWS's own host names.

Libraries read the file of roots from variables of their own, so each of those names the same file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BUNDLE = "ca-bundle.pem"
"""The file of roots in the folder: the system's own, and the authority of the local AWS."""
DIRECT_HOSTS = ("127.0.0.1", "localhost", "::1")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy")
NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
BUNDLE_VARIABLES = (
    *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),  # boto3; requests; OpenSSL, httpx and Go
    *("CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
)


@dataclass(frozen=True)
class ClientAccess:
    """The addresses of a local AWS and of its proxy, and the file of roots that their clients trust."""

    url: str
    proxy_url: str
    bundle: Path

    @classmethod
    def of(cls, folder: Path, url: str, proxy_port: int) -> ClientAccess:
        """The access to the local AWS of a folder."""
        return cls(url, f"http://127.0.0.1:{proxy_port}", folder.resolve() / BUNDLE)

    def environment(self, direct_hosts: str = "") -> dict[str, str]:
        """The variables that clients read; hosts that need no proxy already are kept."""
        hosts = [host for host in direct_hosts.split(",") if host]
        direct = ",".join((*hosts, *(host for host in DIRECT_HOSTS if host not in hosts)))
        return {
            "AWS_ENDPOINT_URL": self.url,
            **dict.fromkeys(PROXY_VARIABLES, self.proxy_url),
            **dict.fromkeys(NO_PROXY_VARIABLES, direct),
            **dict.fromkeys(BUNDLE_VARIABLES, str(self.bundle)),
        }
