"""Names of headers: an underscore is no hyphen, though WSGI has one spelling for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.server import HttpServer
from tests.support.malformed import wire


@pytest.fixture
def environs() -> Iterator[tuple[HttpServer, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    server = HttpServer(application, 0)
    server.start()
    yield server, seen
    server.stop()


def test_a_name_with_an_underscore_is_another_name(environs: tuple[HttpServer, list[dict[str, Any]]]) -> None:
    server, seen = environs
    headers = {"X-Amz-Target": "One", "x_amz_target": "Other", "x-amz-meta-snake_case": "1"}
    wire.send(server.port, wire.HttpRequest("GET", "/", headers))
    (environ,) = seen
    assert environ["HTTP_X_AMZ_TARGET"] == "One"
    assert "HTTP_X_AMZ_META_SNAKE_CASE" not in environ
    read = Exchange.of(environ).headers
    assert (read["x-amz-target"], read["x_amz_target"], read["x-amz-meta-snake_case"]) == ("One", "Other", "1")
