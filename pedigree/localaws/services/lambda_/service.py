"""Functions and what calls them, put together: one object for the daemon to start and to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pedigree.localaws.http.service import Provider, Service
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.queues import Queues
from pedigree.localaws.moto.service import MotoService
from pedigree.localaws.moto.services import Records
from pedigree.localaws.services.events.deliveries import DeliveryChannel, DeliveryQueue
from pedigree.localaws.services.events.operations import EventBridgeOperations
from pedigree.localaws.services.events.rules import RuleDispatcher
from pedigree.localaws.services.events.targets import TargetChannel
from pedigree.localaws.services.lambda_ import async_invocations
from pedigree.localaws.services.lambda_.async_invocations import AsyncInvoker
from pedigree.localaws.services.lambda_.code_cache import CodeCache
from pedigree.localaws.services.lambda_.code_operations import CodeOperations
from pedigree.localaws.services.lambda_.environment_pool import ACCOUNT_LIMIT
from pedigree.localaws.services.lambda_.event_source_mappings import EventSourceMappings
from pedigree.localaws.services.lambda_.function_catalog import FunctionCatalog
from pedigree.localaws.services.lambda_.invoker import Invoker, RuntimeConfig
from pedigree.localaws.services.lambda_.operations import InvocationOperations, ProvisionedConcurrencyOperations
from pedigree.localaws.services.lambda_.provisioned_concurrency import ProvisionedConcurrencyConfigs
from pedigree.localaws.services.scheduler.operations import SchedulerOperations
from pedigree.localaws.services.scheduler.scheduler import Scheduler
from pedigree.localaws.services.sqs.operations import SqsOperations


class Part(Protocol):
    """Something that works in threads of its own."""

    def begin(self) -> None:
        """Start to work."""
        ...

    def end(self) -> None:
        """Stop."""
        ...


class LambdaService:
    """Lambda, and the parts of SQS, EventBridge and Scheduler that do something by themselves."""

    def __init__(
        self, world: World, records: Records, clients: Clients, logs: LogWriter, machine: RuntimeConfig
    ) -> None:
        book = FunctionCatalog(records, world.region)
        codes = CodeCache(world.folder / "functions")
        self._invoker = Invoker(book, clients, codes, logs, world.clock, machine)
        at_once = {async_invocations.CHANNEL: ACCOUNT_LIMIT}
        self._deliveries = DeliveryQueue(world.store, world.clock, lambda: self._ways, at_once)
        self._promised = AsyncInvoker(self._invoker, self._deliveries)
        self._ways: Mapping[str, DeliveryChannel] = {
            async_invocations.CHANNEL: self._promised,
            "target": TargetChannel(clients),
        }
        self._provisioned = ProvisionedConcurrencyConfigs(world.store, world.clock, book, self._invoker.fleet)
        queues = Queues(records, world.region)
        self._mappings = EventSourceMappings(records, queues, clients, self._invoker, world.region)
        self._rules = RuleDispatcher(world, records, self._deliveries)
        self._scheduler = Scheduler(world, records, self._rules, self._deliveries, clients)
        moto = {name: MotoService(name, records) for name in ("lambda", "sqs", "events", "scheduler")}
        self.services: Mapping[str, Service] = {
            "lambda": Provider(
                InvocationOperations(self._invoker, self._promised),
                ProvisionedConcurrencyOperations(self._provisioned),
                CodeOperations(world.objects, moto["lambda"]),
                fallback=moto["lambda"],
            ),
            "sqs": Provider(SqsOperations(queues, moto["sqs"]), fallback=moto["sqs"]),
            "events": Provider(EventBridgeOperations(world, self._rules, moto["events"]), fallback=moto["events"]),
            "scheduler": Provider(SchedulerOperations(moto["scheduler"]), fallback=moto["scheduler"]),
        }

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
