"""Pages in a browser reach nothing, and the daemon's own paths are for reading only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import running_local_aws
from tests.support.malformed import wire

HEALTH = "/_local/health"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as started:
        yield started


def status(local: LocalAws, method: str = "GET", target: str = HEALTH, **headers: str) -> int:
    named = {name.replace("_", "-"): value.format(port=local.port) for name, value in headers.items()}
    return wire.send(local.port, wire.HttpRequest(method, target, named)).status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_the_health_is_only_read(local: LocalAws, method: str) -> None:
    answer = wire.send(local.port, wire.HttpRequest(method, HEALTH, body=b"{}"))
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_there_are_no_other_paths_of_its_own(local: LocalAws) -> None:
    assert status(local, target="/_local/state.sqlite") == 404


@pytest.mark.parametrize("origin", ["null", "http://elsewhere.example", "http://localhost:3000", "https://127.0.0.1"])
@pytest.mark.parametrize("target", [HEALTH, "/"])
def test_a_foreign_origin_is_refused(local: LocalAws, origin: str, target: str) -> None:
    assert status(local, target=target, Origin=origin, **wire.signed("sqs")) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("target", [HEALTH, "/"])
def test_what_a_page_of_another_site_makes_a_browser_send_is_refused(local: LocalAws, site: str, target: str) -> None:
    assert status(local, target=target, Sec_Fetch_Site=site, **wire.signed("sqs")) == 403


@pytest.mark.parametrize("headers", [{}, {"Sec_Fetch_Site": "none"}, {"Origin": "http://127.0.0.1:{port}"}])
def test_a_program_and_the_address_bar_of_a_browser_are_answered(local: LocalAws, headers: dict[str, str]) -> None:
    assert status(local, **headers) == 200
