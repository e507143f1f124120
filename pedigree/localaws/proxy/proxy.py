"""The proxy: it listens on this machine only, and all its connections are served by one thread.

A tunnel to a host of AWS leads to a second port of this process, where TLS ends; what comes out of it goes on to the
HTTP server as it is. So the bytes that a client has signed are the bytes that are verified, and none is held here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from pedigree.localaws.http.aws_hosts import is_aws
from pedigree.localaws.http.server import ADDRESS
from pedigree.localaws.proxy.certificates import HostCertificates
from pedigree.localaws.proxy.connections import ProxyConnection, join
from pedigree.localaws.proxy.request_head import HostAndPort, ProxyRequest, ProxyRequestError, parse
from pedigree.localaws.proxy.upstream import Upstream, connect

_LOG = logging.getLogger(__name__)
_HEAD_BYTES, _HEAD_SECONDS, _START_SECONDS, _END_SECONDS = 64 << 10, 10.0, 30.0, 1.0
_MOST_CONNECTIONS, _STEPS = 2048, 5
_READY = b"HTTP/1.1 200 Connection established\r\n\r\n"
_BUSY = "there are too many connections"
_FORBIDDEN, _UNAVAILABLE = "403 Forbidden", "503 Service Unavailable"
Serve = Callable[[ProxyConnection], Awaitable[None]]


class Proxy:
    """A CONNECT proxy in front of the HTTP server at a port."""

    def __init__(
        self, certificates: HostCertificates, upstream: Upstream, http_port: Callable[[], int], port: int = 0
    ) -> None:
        self._certificates = certificates
        self._upstream = upstream
        self._http_port = http_port
        self.port = port
        self._tls_port = 0
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._ready = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def start(self) -> None:
        """Listen from now on; OSError if the port is taken."""
        self._thread.start()
        self._ready.wait(_START_SECONDS)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Close the ports and every connection."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _listen(self) -> None:
        context = self._certificates.context()
        tls = await asyncio.start_server(
            self._served(self._to_http), ADDRESS, ssl=context, ssl_handshake_timeout=_HEAD_SECONDS
        )
        plain = await asyncio.start_server(self._served(self._answer), ADDRESS, self.port, limit=_HEAD_BYTES)
        self.port, self._tls_port = plain.sockets[0].getsockname()[1], tls.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        await self._end((plain, tls))

    async def _end(self, servers: Sequence[asyncio.Server]) -> None:
        """Accept no more, let what was accepted just now begin, and end all connections.

        A server that is closed before a connection begins would leave that one open.
        """
        for server in servers:
            for listening in server.sockets:
                self._loop.remove_reader(listening.fileno())
        await _steps()
        for server in servers:
            server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=_END_SECONDS)
            await _steps()

    def _served(self, serve: Serve) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        """Serve a connection in a task, after which it is closed even if the task never began."""

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._serve(serve, ProxyConnection(reader, writer)))
            task.add_done_callback(lambda _: writer.close())

        return connected

    async def _serve(self, serve: Serve, stream: ProxyConnection) -> None:
        """Serve a connection to its end, unless there are too many."""
        self._open += 1
        try:
            if self._open > _MOST_CONNECTIONS:
                await _refuse(stream, _UNAVAILABLE, _BUSY)
            else:
                await serve(stream)
        except OSError:  # the client is gone
            return
        except Exception:  # noqa: BLE001  # one connection's bug ends no other
            _LOG.exception("a connection of the proxy has failed")
        finally:
            self._open -= 1
            await stream.close()

    async def _to_http(self, stream: ProxyConnection) -> None:
        """Pass on what came by TLS to the HTTP server."""
        await self._join(stream, HostAndPort(ADDRESS, self._http_port()))

    async def _answer(self, client: ProxyConnection) -> None:
        """Read what a client of the proxy asks for, and do it."""
        try:
            head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError):
            return
        try:
            await self._follow(client, parse(head))
        except ProxyRequestError as error:
            await _refuse(client, _FORBIDDEN, error.cause)

    async def _follow(self, client: ProxyConnection, request: ProxyRequest) -> None:
        if is_aws(request.target.host):
            port = self._tls_port if request.is_tunnel else self._http_port()
            target = await connect(HostAndPort(ADDRESS, port))
        else:
            target = await self._upstream.open(request)
        try:
            (client if request.is_tunnel else target).writer.write(request.forwarded or _READY)
            await join(client, target)
        finally:
            await target.close()

    async def _join(self, client: ProxyConnection, place: HostAndPort) -> None:
        target = await connect(place)
        try:
            await join(client, target)
        finally:
            await target.close()


async def _steps() -> None:
    """Let the loop do what it has begun: to make a connection, or to close one, takes it a few steps."""
    for _ in range(_STEPS):
        await asyncio.sleep(0)


async def _refuse(client: ProxyConnection, status: str, reason: str) -> None:
    """Answer with one line, in the status too: most clients show nothing else."""
    body = f"{reason}\n".encode("latin-1", "replace")
    head = f"HTTP/1.1 {status}: {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    client.writer.write(f"{head}Connection: close\r\n\r\n".encode("latin-1", "replace") + body)
    with suppress(OSError):
        await client.writer.drain()
