"""A file on a web server, for download.py."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from download import Answer, Changed, Interrupted
from errors import DataError

_COME_BACK = (408, 425, 429)


class HttpRemote:
    """A file on a web server."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url, self._timeout = url, timeout_seconds
        self.name = public_address(url)

    @contextmanager
    def open(self, offset: int, version: str) -> Iterator[Answer]:
        """The bytes from an offset on, or all of them where the server does not know ranges."""
        request = urllib.request.Request(self._url, headers={"Accept-Encoding": "identity"})  # noqa: S310 - _opener
        if offset:
            request.add_header("Range", f"bytes={offset}-")
            if version:
                request.add_header("If-Range", version)
        try:
            with _opener().open(request, timeout=self._timeout) as response:
                yield Answer(response.read, *_extent(response.status, response.headers), _version(response.headers))
        except urllib.error.HTTPError as error:
            error.close()
            raise _refusal(self.name, error) from None
        except (http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise Interrupted(f"the connection failed ({reason})") from None
        except ValueError as error:
            raise DataError(f"{self.name} is no address: {error}; give a whole one") from None


def public_address(source: str) -> str:
    """An address without what is a secret in it: a password, a signature."""
    parts = urlsplit(source)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _opener() -> urllib.request.OpenerDirector:
    # Nothing but HTTP, whatever a server redirects to: no file://, no ftp://.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _extent(status: int, headers: Message) -> tuple[int, int | None]:
    """Where the bytes begin, and how many the whole has."""
    if status != HTTPStatus.PARTIAL_CONTENT:
        length = headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", headers.get("Content-Range", "").strip())
    if not found:
        raise Changed("answered with a range that cannot be read")
    return int(found[1]), int(found[2])


def _version(headers: Message) -> str:
    tag = headers.get("ETag", "")
    return headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag


def _refusal(name: str, error: urllib.error.HTTPError) -> Exception:
    told = f"answered {error.code} {error.reason}"
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Changed(told)
    if error.code in _COME_BACK or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Interrupted(told)
    return DataError(f"{name} {told}; check the address, and whether it can be read without logging in")
