"""EventBridge's operations on archives and replays: moto keeps their records, archives.py the events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.http.protocol.serializer import seconds
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.events.archives import ArchivedEvents, size
from pedigree.localaws.services.events.bus_operations import not_found
from pedigree.localaws.services.events.moto_answers import members_of, page
from pedigree.localaws.services.events.pattern_syntax import check_pattern
from pedigree.localaws.services.events.rules import RuleDispatcher

_SERVICE = "events"
_DAY_SECONDS = 86400
_NO_LIMIT = float("inf")


@dataclass(frozen=True)
class ArchiveOperations:
    """Counts archived events, and replays them."""

    _world: World
    _rules: RuleDispatcher
    _use_backend: UseBackend
    _moto: Service

    def create_archive(self, exchange: Exchange) -> Response:
        """Make an archive whose pattern is valid."""
        if pattern := exchange.members.get("EventPattern"):
            check_pattern(pattern)
        return self._moto(exchange)

    def update_archive(self, exchange: Exchange) -> Response:
        return self.create_archive(exchange)

    def describe_archive(self, exchange: Exchange) -> Mapping[str, Any]:
        """Describe an archive with the number and the size of its events."""
        return self._counted(members_of(self._moto, exchange), exchange.region)

    def list_archives(self, exchange: Exchange) -> Mapping[str, Any]:
        """List archives, of a bus that exists if one is named."""
        if arn := exchange.members.get("EventSourceArn"):
            name = arn.rpartition("/")[2]
            with self._use_backend(_SERVICE, exchange.region) as backend:
                if name not in backend.event_buses:
                    raise not_found(f"Event bus {name} does not exist.")
        archives = page("Archives", members_of(self._moto, exchange)["Archives"], exchange.members)
        return {**archives, "Archives": [self._counted(archive, exchange.region) for archive in archives["Archives"]]}

    def delete_archive(self, exchange: Exchange) -> Response:
        """Forget an archive and its events."""
        identifier = self._identifier(exchange.members["ArchiveName"], exchange.region)
        answer = self._moto(exchange)
        self._events.remove_before(identifier, _NO_LIMIT)
        return answer

    def list_replays(self, exchange: Exchange) -> Mapping[str, Any]:
        """List replays by pages."""
        return page("Replays", members_of(self._moto, exchange)["Replays"], exchange.members)

    def start_replay(self, exchange: Exchange) -> Response:
        """Send the events of a span of time to the rules of their bus again."""
        members = exchange.members
        start, end = seconds(members["EventStartTime"]), seconds(members["EventEndTime"])
        if start >= end:
            reason = "Reason: EventStartTime must be before EventEndTime."
            raise InvalidRequestError(f"Parameter EventEndTime is not valid. {reason}")
        answer = self._moto(exchange)
        bus, archive = (
            str(arn).rpartition("/")[2] for arn in (members["Destination"]["Arn"], members["EventSourceArn"])
        )
        chosen = frozenset(members["Destination"].get("FilterArns") or ())
        for event in self._events.between(self._identifier(archive, exchange.region), start, end):
            again = {**event, "id": str(uuid.uuid4()), "replay-name": members["ReplayName"]}
            self._rules.put_event(again, bus, chosen)
        return answer

    @property
    def _events(self) -> ArchivedEvents:
        return ArchivedEvents(self._world.store)

    def _identifier(self, name: str, region: str) -> str:
        """Return the id of an archive, which a later one of the same name has not; empty if there is none."""
        with self._use_backend(_SERVICE, region) as backend:
            archive = backend.archives.get(name)
            return archive.uuid if archive else ""

    def _counted(self, archive: Mapping[str, Any], region: str) -> Mapping[str, Any]:
        identifier, days = self._identifier(archive["ArchiveName"], region), archive.get("RetentionDays") or 0
        if days:
            self._events.remove_before(identifier, self._world.clock.now().timestamp() - days * _DAY_SECONDS)
        events = self._events.all(identifier)
        return {**archive, "EventCount": len(events), "SizeBytes": sum(size(event) for event in events)}
