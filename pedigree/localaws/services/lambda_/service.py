"""Lambda's parts, put together for the daemon."""

from __future__ import annotations

from pedigree.localaws.http.service import Provider
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.moto.service import MotoService
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.lambda_.async_invocations import AsyncInvoker
from pedigree.localaws.services.lambda_.code_cache import CodeCache
from pedigree.localaws.services.lambda_.code_operations import CodeOperations
from pedigree.localaws.services.lambda_.event_source_mappings import EventSourceMappings
from pedigree.localaws.services.lambda_.function_catalog import FunctionCatalog
from pedigree.localaws.services.lambda_.invoker import Invoker, RuntimeConfig
from pedigree.localaws.services.lambda_.operations import (
    InvocationOperations,
    ProvisionedConcurrencyOperations,
    check_size,
)
from pedigree.localaws.services.lambda_.provisioned_concurrency import ProvisionedConcurrencyConfigs


class LambdaService:
    """Invokes functions for clients, queues and other services."""

    def __init__(
        self,
        world: World,
        backends: MotoBackends,
        clients: Clients,
        logs: LogWriter,
        runtime: RuntimeConfig,
        deliveries: DeliveryQueue,
        queues: QueueWaiter,
    ) -> None:
        catalog = FunctionCatalog(backends, world.region)
        code = CodeCache(world.folder / "functions")
        self._invoker = Invoker(catalog, clients, code, logs, world.clock, runtime)
        self._provisioned = ProvisionedConcurrencyConfigs(world.store, world.clock, catalog, self._invoker.pool)
        self._mappings = EventSourceMappings(backends, queues, clients, self._invoker, world.region)
        moto = MotoService("lambda", backends)
        self.provider = Provider(
            InvocationOperations(self._invoker, AsyncInvoker(self._invoker, deliveries)),
            ProvisionedConcurrencyOperations(self._provisioned),
            CodeOperations(world.objects, moto),
            fallback=moto,
        )

    def start(self) -> None:
        """Start provisioned environments, and poll queues."""
        self._provisioned.start()
        self._mappings.start()

    def invoke(self, name_or_arn: str, payload: bytes) -> tuple[bytes, str]:
        """Invoke a function for another service, which has authorized that; its payload, and the kind of its error."""
        check_size(payload)
        result = self._invoker.invoke(name_or_arn, payload)
        return result.body, result.error

    def stop(self) -> None:
        """End all processes of functions."""
        self._mappings.stop()
        self._invoker.pool.stop()
        self._provisioned.stop()  # it waits for the environment that it starts, which the pool has just killed
