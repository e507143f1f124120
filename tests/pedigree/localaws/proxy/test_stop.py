"""The proxy ends with all its connections, those that it accepts at that very moment among them."""

from __future__ import annotations

import gc
import socket
import threading
from pathlib import Path

import pytest

from pedigree.localaws.proxy.authority import Authority
from pedigree.localaws.proxy.certificates import HostCertificates
from pedigree.localaws.proxy.proxy import Proxy
from pedigree.localaws.proxy.upstream import Upstream
from tests.pedigree.localaws.proxy.test_authority import now
from tests.support.waiting import until

CONNECT = b"CONNECT sts.amazonaws.com:443 HTTP/1.1\r\n\r\n"


def connect_until_refused(port: int, opened: list[socket.socket]) -> None:
    try:
        while True:
            connection = socket.create_connection(("127.0.0.1", port))
            opened.append(connection)
            connection.sendall(CONNECT)
    except OSError:
        return


@pytest.mark.parametrize("count", [50, 200])
def test_no_connection_is_left_when_clients_come_until_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    certificates = HostCertificates(Authority(tmp_path, now), now)
    with socket.create_server(("127.0.0.1", 0)) as http:
        proxy = Proxy(certificates, Upstream(is_offline=True), lambda: http.getsockname()[1])
        proxy.start()
        opened: list[socket.socket] = []
        clients = [threading.Thread(target=connect_until_refused, args=(proxy.port, opened)) for _ in range(4)]
        for client in clients:
            client.start()
        until(lambda: len(opened) >= count, what="clients")
        proxy.stop()
        for client in clients:
            client.join()
        for connection in opened:
            connection.close()
    gc.collect()
    assert "destroyed" not in caplog.text
