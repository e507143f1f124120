"""Passes bytes on between two connections, in pieces: a fast sender waits for a slow reader."""

from __future__ import annotations

import asyncio
from contextlib import suppress

_PIECE = 64 << 10
_GONE = (ConnectionError, TimeoutError, asyncio.TimeoutError, OSError)


class ProxyConnection:
    """A connection as asyncio gives it: a reader and a writer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def close(self) -> None:
        """Close it, whatever the other side does."""
        self.writer.close()
        with suppress(*_GONE):
            await self.writer.wait_closed()


async def join(one: ProxyConnection, other: ProxyConnection) -> None:
    """Pass on in both directions until both have ended."""
    await asyncio.gather(_pass_on(one.reader, other.writer), _pass_on(other.reader, one.writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()  # TLS has no half-closed connections
    except _GONE:
        writer.close()
