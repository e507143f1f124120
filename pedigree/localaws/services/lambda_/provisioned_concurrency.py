"""Provisioned concurrency: environments of a version that are started in advance and stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.clock import Clock
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError, Store
from pedigree.localaws.services.lambda_.environment_pool import EnvironmentPool
from pedigree.localaws.services.lambda_.function_catalog import LATEST, Function, FunctionCatalog

KIND = "provisioned-concurrency"
_POLL_SECONDS = 1.0


class ProvisionedConcurrencyConfigs:
    """Stores configurations, and keeps as many environments running as they request."""

    def __init__(self, store: Store, clock: Clock, catalog: FunctionCatalog, pool: EnvironmentPool) -> None:
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._pool = pool
        self._loop = WakeableLoop("provisioned", self._reconcile)

    def start(self) -> None:
        """Start the requested environments."""
        self._loop.start()

    def stop(self) -> None:
        """Start no more environments."""
        self._loop.stop()

    def put(self, name: str, qualifier: str, requested: int) -> Mapping[str, Any]:
        """Request a number of environments for a version or an alias."""
        function = self._catalog.find(name, qualifier)
        if function.version == LATEST:
            message = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            raise ServiceError("InvalidParameterValueException", message)
        if function.reserved_concurrency is not None and requested > function.reserved_concurrency:
            message = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution"
            raise ServiceError("InvalidParameterValueException", f"{message} for function")
        config = {
            "name": function.name,
            "qualifier": qualifier,
            "wanted": requested,
            "LastModified": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        self._store.put(KIND, f"{function.name}:{qualifier}", config)
        self._loop.wake()
        return self._description(config)

    def get(self, name: str, qualifier: str) -> Mapping[str, Any]:
        """Return the state of a configuration."""
        function = self._catalog.find(name, qualifier)
        config = self._store.find(KIND, f"{function.name}:{qualifier}")
        if config is None:
            message = "No Provisioned Concurrency Config found for this function"
            raise ServiceError("ProvisionedConcurrencyConfigNotFoundException", message, 404)
        return self._description(config)

    def list_all(self, name: str) -> list[Mapping[str, Any]]:
        """Return the state of all configurations of a function."""
        function = self._catalog.find(name)
        return [
            {"FunctionArn": f"{function.arn}:{entry.body['qualifier']}", **self._description(entry.body)}
            for entry in self._store.entries(KIND, f"{function.name}:")
        ]

    def remove(self, name: str, qualifier: str) -> None:
        """Remove a configuration, if it exists."""
        function = self._catalog.find(name, qualifier)
        try:
            self._store.remove(KIND, f"{function.name}:{qualifier}")
        except DocumentNotFoundError:
            return  # AWS does not refuse this either
        self._loop.wake()

    def _description(self, config: Document) -> dict[str, Any]:
        function = self._find_function(config)
        available = min(self._pool.count(function.key), config["wanted"]) if function else 0
        failure = config.get("StatusReason")
        status = "READY" if available == config["wanted"] else "FAILED" if failure else "IN_PROGRESS"
        return {
            "RequestedProvisionedConcurrentExecutions": config["wanted"],
            "AvailableProvisionedConcurrentExecutions": available,
            "AllocatedProvisionedConcurrentExecutions": available,
            "Status": status,
            "LastModified": config["LastModified"],
            **({"StatusReason": failure} if status == "FAILED" else {}),
        }

    def _find_function(self, config: Document) -> Function | None:
        try:
            return self._catalog.find(config["name"], config["qualifier"])
        except ServiceError:
            return None

    def _reconcile(self) -> float:
        self._pool.set_provisioned(self._start_missing())
        self._pool.remove_idle()
        return _POLL_SECONDS

    def _start_missing(self) -> Mapping[str, int]:
        """Start missing environments, and return the requested number for each function's key."""
        requested: dict[str, int] = {}
        for entry in self._store.entries(KIND):
            function = self._find_function(entry.body)
            if function is None:
                self._store.remove(KIND, entry.name)
                continue
            requested[function.key] = requested.get(function.key, 0) + entry.body["wanted"]
            self._pool.set_provisioned({**requested})
            while not self._loop.is_stopped and self._pool.count(function.key) < requested[function.key]:
                if not self._start_one(entry.name, function):
                    break
        return requested

    def _start_one(self, config_name: str, function: Function) -> bool:
        """Start one environment, and return whether it succeeded; a failure is stored and tried again later."""
        try:
            warm = self._pool.prewarm(function)
            failure = warm.init_result.body.decode() if warm.init_result.is_error else ""
        except ServiceError as error:
            failure = error.message
        except OSError as error:
            failure = str(error)
        if self._pool.is_stopped:
            return False
        config = self._store.find(KIND, config_name)
        if config is not None and config.get("StatusReason", "") != failure:
            self._store.put(KIND, config_name, {**config, "StatusReason": failure})
        return not failure
