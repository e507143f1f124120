"""A partial download outlives a stopped run, and is resumed while the remote file is the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from file_server import Behavior, ReceivedRequest, Reply, Server, part, serving

from download import DownloadRetries
from download_folder import download_folder
from errors import DataError, DownloadFailedError
from fetch import LocalSource, fetch, parse_source

CONTENT = random.Random(1).randbytes(300_000)
ONCE = DownloadRetries(timeout_seconds=5, max_attempts=1, first_backoff_seconds=0.001)
TWICE = DownloadRetries(timeout_seconds=5, max_attempts=2, first_backoff_seconds=0.001)
BREAKS_OFF: Behavior = lambda request, _: part(CONTENT, request, limit=100_000)  # noqa: E731
WHOLE: Behavior = lambda request, _: part(CONTENT, request)  # noqa: E731


def run(
    server: Server, output: Path, retry: DownloadRetries = ONCE, ending: Callable[[], object] = list
) -> LocalSource:
    """Runs a download, and ends in the given way."""
    address = f"{server.url}/images.zip"
    with download_folder(output, "https://host/images.zip") as folder:
        found = fetch(parse_source(address), folder, retry=retry)
        assert found.path.read_bytes() == CONTENT
        ending()
        return found


def given_up(output: Path) -> None:
    """Runs a download that only receives a part."""
    with serving(BREAKS_OFF) as server, pytest.raises(DownloadFailedError):
        run(server, output)


def stop() -> None:
    raise SystemExit(143)


def files_in(output: Path) -> list[str]:
    return sorted(path.name for path in output.rglob("*") if path.is_file())


def test_a_completed_run_keeps_nothing(tmp_path: Path) -> None:
    with serving(WHOLE) as server:
        run(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_was_given_up_is_resumed(tmp_path: Path) -> None:
    given_up(tmp_path)
    assert files_in(tmp_path) == ["source.json", "source.zip"]
    with serving(WHOLE) as server:
        run(server, tmp_path)
    assert [(request.begin, request.headers["If-Range"]) for request in server.requests] == [(100_000, '"1"')]
    assert list(tmp_path.iterdir()) == []


def test_a_complete_download_requests_only_its_last_byte(tmp_path: Path) -> None:
    with serving(WHOLE) as server:
        with pytest.raises(SystemExit):
            run(server, tmp_path, ending=stop)
        run(server, tmp_path)
    assert [request.begin for request in server.requests] == [0, len(CONTENT) - 1]


def test_a_changed_file_is_fetched_again(tmp_path: Path) -> None:
    given_up(tmp_path)
    with serving(lambda request, _: part(CONTENT, request, tag='"2"')) as server:
        run(server, tmp_path)
    assert server.requests[0].begin == 100_000
    assert len(server.requests) == 1


def test_a_part_of_another_version_is_not_accepted(tmp_path: Path) -> None:
    given_up(tmp_path)

    def careless(request: ReceivedRequest, number: int) -> Reply:
        reply = part(bytes(len(CONTENT)) if number == 1 else CONTENT, request)
        reply.headers["ETag"] = '"2"'
        return reply

    with serving(careless) as server:
        run(server, tmp_path, TWICE)
    assert [request.begin for request in server.requests] == [100_000, 0]


@pytest.mark.parametrize("note", ["", "{", "[]", '{"version": "", "total": 300000}', '{"version": "1", "total": null}'])
def test_an_invalid_state_file_is_ignored(tmp_path: Path, note: str) -> None:
    given_up(tmp_path)
    next(tmp_path.rglob("source.json")).write_text(note)
    with serving(WHOLE) as server:
        run(server, tmp_path)
    assert [request.begin for request in server.requests] == [0]


def test_a_download_that_cannot_be_resumed_is_not_kept(tmp_path: Path) -> None:
    def nameless(request: ReceivedRequest, number: int) -> Reply:
        reply = part(CONTENT, request, limit=100_000)
        del reply.headers["ETag"]
        return reply

    with serving(nameless) as server, pytest.raises(DownloadFailedError):
        run(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_nothing(tmp_path: Path) -> None:
    def mistake() -> None:
        raise DataError("too few pictures")

    with serving(WHOLE) as server, pytest.raises(DataError, match="too few"):
        run(server, tmp_path, ending=mistake)
    assert list(tmp_path.iterdir()) == []


def test_a_partial_download_of_another_address_is_deleted(tmp_path: Path) -> None:
    given_up(tmp_path)
    with download_folder(tmp_path, "https://host/other.zip") as folder:
        assert [path for path in tmp_path.iterdir() if path != folder] == []
        assert files_in(tmp_path) == []


def test_a_folder_without_a_state_file_is_started_again(tmp_path: Path) -> None:
    with download_folder(tmp_path, "s3://pictures/dogs/") as folder:
        name = folder.name
    (tmp_path / name / "source").mkdir(parents=True)
    with download_folder(tmp_path, "s3://pictures/dogs/") as folder:
        assert list(folder.iterdir()) == []
