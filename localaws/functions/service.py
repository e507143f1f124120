"""Functions and what calls them, put together: one object for the daemon to start and to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from localaws.clients import Clients
from localaws.functions import asynchronous
from localaws.functions.api import FunctionsApi
from localaws.functions.asynchronous import Asynchronous
from localaws.functions.book import Book
from localaws.functions.code import Codes
from localaws.functions.deliveries import Deliveries, Way
from localaws.functions.events_api import EventsApi
from localaws.functions.fleet import ACCOUNT_LIMIT
from localaws.functions.invoking import Invoker, Machine
from localaws.functions.mappings import Mappings
from localaws.functions.provisioned import Provisioned
from localaws.functions.rules import Rules
from localaws.functions.scheduler import Scheduler
from localaws.functions.schedules_api import SchedulesApi
from localaws.functions.targets import Targets
from localaws.functions.uploads import Uploads
from localaws.records.queues import Queues
from localaws.records.services import Records
from localaws.web.router import Application
from localaws.world import Logs, World


class Part(Protocol):
    """Something that works in threads of its own."""

    def begin(self) -> None:
        """Start to work."""
        ...

    def end(self) -> None:
        """Stop."""
        ...


class Functions:
    """Lambda, and the parts of SQS, EventBridge and Scheduler that do something by themselves."""

    def __init__(self, world: World, records: Records, clients: Clients, logs: Logs, machine: Machine) -> None:
        book = Book(records, world.region)
        codes = Codes(world.folder / "functions")
        self._invoker = Invoker(book, clients, codes, logs, world.clock, machine)
        at_once = {asynchronous.WAY: ACCOUNT_LIMIT}
        self._deliveries = Deliveries(world.store, world.clock, lambda: self._ways, at_once)
        self._promised = Asynchronous(self._invoker, self._deliveries)
        self._ways: Mapping[str, Way] = {asynchronous.WAY: self._promised, "target": Targets(clients)}
        self._provisioned = Provisioned(world.store, world.clock, book, self._invoker.fleet)
        queues = Queues(records, world.region)
        self._mappings = Mappings(records, queues, clients, self._invoker, world.region)
        self._rules = Rules(world, records, self._deliveries)
        self._scheduler = Scheduler(world, records, self._rules, self._deliveries, clients)
        self._applications: Mapping[str, Application] = {
            "lambda": FunctionsApi(self._invoker, self._promised, self._provisioned, Uploads(world.objects, records)),
            "sqs": queues,
            "events": EventsApi(world, self._rules, records),
            "scheduler": SchedulesApi(records),
        }

    def applications(self) -> Mapping[str, Application]:
        """What answers for a service, where moto alone does not."""
        return self._applications

    def begin(self) -> None:
        """Do what is due."""
        for part in self._parts():
            part.begin()

    def end(self) -> None:
        """Do nothing any more, and leave no process behind."""
        first, *others = self._parts()
        for part in reversed(others):
            part.end()
        self._invoker.fleet.end()
        first.end()  # it waits for what it has started last, which may load for long unless it is ended

    def _parts(self) -> list[Part]:
        """Each before those that give it work; the first one starts environments itself."""
        return [self._provisioned, self._deliveries, self._mappings, self._rules, self._scheduler]
