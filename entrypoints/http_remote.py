"""A file on a web server, as download.py needs it."""

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

from download import DownloadInterrupted, RemoteChanged, RemoteStream
from errors import DataError

_RETRYABLE = (408, 425, 429)


class HttpRemote:
    """A file on a web server."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url, self._timeout = url, timeout_seconds
        self.name = public_address(url)

    @contextmanager
    def open(self, offset: int, version: str) -> Iterator[RemoteStream]:
        """Opens the bytes from an offset, or all of them if the server does not support ranges."""
        request = urllib.request.Request(self._url, headers={"Accept-Encoding": "identity"})  # noqa: S310 - _opener
        if offset:
            request.add_header("Range", f"bytes={offset}-")
            if version:
                request.add_header("If-Range", version)
        try:
            with _opener().open(request, timeout=self._timeout) as response:
                yield RemoteStream(
                    response.read, *_content_range(response.status, response.headers), _version(response.headers)
                )
        except urllib.error.HTTPError as error:
            error.close()
            raise _translate(self.name, error) from None
        except (http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise DownloadInterrupted(f"the connection failed ({reason})") from None
        except ValueError as error:
            raise DataError(f"{self.name} is not a valid address: {error}", "give a complete one") from None


def public_address(source: str) -> str:
    """Returns an address without secrets: no password, no signature."""
    parts = urlsplit(source)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _opener() -> urllib.request.OpenerDirector:
    # Only HTTP, so that a redirect cannot lead to file:// or ftp://.
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


def _content_range(status: int, headers: Message) -> tuple[int, int | None]:
    """Returns where the bytes begin, and the total size."""
    if status != HTTPStatus.PARTIAL_CONTENT:
        length = headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", headers.get("Content-Range", "").strip())
    if not match:
        raise RemoteChanged("answered with a range that cannot be read")
    return int(match[1]), int(match[2])


def _version(headers: Message) -> str:
    tag = headers.get("ETag", "")
    return headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag


def _translate(name: str, error: urllib.error.HTTPError) -> Exception:
    answer = f"answered {error.code} {error.reason}"
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return RemoteChanged(answer)
    if error.code in _RETRYABLE or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return DownloadInterrupted(answer)
    return DataError(f"{name} {answer}", "check the address, and whether it can be read without logging in")
