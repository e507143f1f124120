"""There are no event sources of partners."""

from __future__ import annotations

from tests.support.local_aws import client


def test_there_are_no_event_sources_of_partners(url: str) -> None:
    assert client(url, "events").list_event_sources()["EventSources"] == []
