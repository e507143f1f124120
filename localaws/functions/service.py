"""Functions and what calls them, put together: one object for the daemon to start and to end."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.clients import Clients
from localaws.functions import asynchronous
from localaws.functions.api import FunctionsApi
from localaws.functions.asynchronous import Asynchronous
from localaws.functions.book import Book
from localaws.functions.code import Codes
from localaws.functions.deliveries import Deliveries, Way
from localaws.functions.invoking import Invoker, Machine
from localaws.functions.provisioned import Provisioned
from localaws.functions.targets import Targets
from localaws.records.services import Records
from localaws.web.router import Application
from localaws.world import Logs, World


class Functions:
    """Lambda, and the parts of SQS, EventBridge and Scheduler that do something by themselves."""

    def __init__(self, world: World, records: Records, clients: Clients, logs: Logs, machine: Machine) -> None:
        book = Book(records, world.region)
        codes = Codes(world.folder / "functions")
        self._records = records
        self._invoker = Invoker(book, clients, codes, logs, world.clock, machine)
        self._deliveries = Deliveries(world.store, world.clock, lambda: self._ways)
        self._promised = Asynchronous(self._invoker, self._deliveries)
        self._ways: Mapping[str, Way] = {asynchronous.WAY: self._promised, "target": Targets(clients)}
        self._provisioned = Provisioned(world.store, world.clock, book, self._invoker.fleet)
        self._api = FunctionsApi(self._invoker, self._promised, self._provisioned, records)

    def applications(self) -> Mapping[str, Application]:
        """What answers for a service, where moto alone does not."""
        return {"lambda": self._api}

    def begin(self) -> None:
        """Do what is due."""
        self._provisioned.begin()
        self._deliveries.begin()

    def end(self) -> None:
        """Do nothing any more, and leave no process behind."""
        self._deliveries.end()
        self._provisioned.end()
        self._invoker.fleet.end()
