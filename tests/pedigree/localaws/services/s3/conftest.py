"""A local S3 behind a real port, boto3's client of it, and requests that boto3 would not send."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pedigree.clock import SystemClock
from pedigree.localaws.daemon import ACCOUNT
from pedigree.localaws.http.chain import request_chain
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.server import HttpServer
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.api import S3Api
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from tests.support.local_aws import REGION, client
from tests.support.malformed import wire

_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class LocalS3:
    """A local S3 that allows every call, with one bucket."""

    port: int
    folder: Path
    client: Any

    def send(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> wire.HttpResponse:
        """Send a request as it is."""
        return wire.send(self.port, wire.HttpRequest(method, target, {**wire.signed("s3"), **(headers or {})}, body))

    def send_part(self, target: str, length: int, body: bytes) -> bytes:
        """Announce a body of a length, send less, hang up, and return what is answered."""
        signed = "".join(f"{name}: {value}\r\n" for name, value in wire.signed("s3").items())
        head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{signed}Content-Length: {length}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_SECONDS) as connection:
            connection.sendall(head.encode() + body)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def send_slowly(self, target: str, body: bytes, headers: dict[str, str], meanwhile: Callable[[], None]) -> bytes:
        """Send the body of an object only after something else has happened, and return what is answered."""
        lines = {**wire.signed("s3"), **headers, "Content-Length": str(len(body)), "Connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_SECONDS) as connection:
            first = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nExpect: 100-continue\r\n"
            connection.sendall(f"{first}{head}\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 100")  # so the head was found to be good
            meanwhile()
            connection.sendall(body)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def content(self, key: str) -> bytes:
        """Return what an object contains."""
        content: bytes = self.client.get_object(Bucket="bucket", Key=key)["Body"].read()
        return content

    def keys(self) -> list[str]:
        """List the objects of the bucket."""
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket="bucket").get("Contents", [])]

    def files(self) -> list[Path]:
        """List the files that have contents."""
        return [path for path in (self.folder / "blobs").rglob("*") if path.is_file()]


def let_pass(_exchange: Exchange) -> None:
    """Here everybody may do everything."""


@pytest.fixture
def local_s3(tmp_path: Path) -> Iterator[LocalS3]:
    store = Store(tmp_path / "state.sqlite")
    blobs = BlobStore(tmp_path / "blobs", store)
    api = S3Api(store, ObjectCatalog(store, blobs, SystemClock()), ACCOUNT)
    chain = request_chain(
        {"s3": api},
        let_pass,
        let_pass,
        let_pass,
        region=REGION,
        port=lambda: server.port,
        spool_folder=blobs.arriving,
    )
    server = HttpServer(chain, 0)
    server.start()
    boto = client(f"http://127.0.0.1:{server.port}", "s3")
    boto.create_bucket(Bucket="bucket")
    yield LocalS3(server.port, tmp_path, boto)
    server.stop()
    store.close()


@pytest.fixture
def s3(local_s3: LocalS3) -> Any:
    return local_s3.client
