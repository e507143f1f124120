"""Provisioned concurrency: how many environments of a version are started before anybody calls, and stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError, Store
from pedigree.localaws.kernel.world import Clock
from pedigree.localaws.services.lambda_.environment_pool import EnvironmentPool
from pedigree.localaws.services.lambda_.function_catalog import LATEST, Function, FunctionCatalog

KIND = "provisioned-concurrency"
_LOOK_SECONDS = 1.0


class ProvisionedConcurrencyConfigs:
    """The configurations, and the thread that keeps what they ask for."""

    def __init__(self, store: Store, clock: Clock, book: FunctionCatalog, fleet: EnvironmentPool) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._fleet = fleet
        self._loop = WakeableLoop("provisioned", self._look)

    def begin(self) -> None:
        """Start what is asked for."""
        self._loop.start()

    def end(self) -> None:
        """Start nothing any more."""
        self._loop.stop()

    def put(self, name: str, qualifier: str, wanted: int) -> Mapping[str, Any]:
        """Ask for so many environments of a version or an alias."""
        function = self._book.find(name, qualifier)
        if function.version == LATEST:
            words = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            raise ServiceError("InvalidParameterValueException", words)
        if function.reserved is not None and wanted > function.reserved:
            words = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution"
            raise ServiceError("InvalidParameterValueException", f"{words} for function")
        config = {
            "name": function.name,
            "qualifier": qualifier,
            "wanted": wanted,
            "LastModified": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        self._store.put(KIND, f"{function.name}:{qualifier}", config)
        self._loop.wake()
        return self._described(config)

    def get(self, name: str, qualifier: str) -> Mapping[str, Any]:
        """How far a configuration is carried out."""
        function = self._book.find(name, qualifier)
        config = self._store.find(KIND, f"{function.name}:{qualifier}")
        if config is None:
            words = "No Provisioned Concurrency Config found for this function"
            raise ServiceError("ProvisionedConcurrencyConfigNotFoundException", words, 404)
        return self._described(config)

    def all(self, name: str) -> list[Mapping[str, Any]]:
        """All configurations of a function."""
        function = self._book.find(name)
        return [
            {"FunctionArn": f"{function.arn}:{entry.body['qualifier']}", **self._described(entry.body)}
            for entry in self._store.entries(KIND, f"{function.name}:")
        ]

    def remove(self, name: str, qualifier: str) -> None:
        """Ask for none any more."""
        function = self._book.find(name, qualifier)
        try:
            self._store.remove(KIND, f"{function.name}:{qualifier}")
        except DocumentNotFoundError:
            return  # nothing was asked for, and so it stays
        self._loop.wake()

    def _described(self, config: Document) -> dict[str, Any]:
        function = self._found(config)
        available = min(self._fleet.count(function.key), config["wanted"]) if function else 0
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

    def _found(self, config: Document) -> Function | None:
        try:
            return self._book.find(config["name"], config["qualifier"])
        except ServiceError:
            return None

    def _look(self) -> float:
        self._fleet.provision(self._start_missing())
        self._fleet.sweep()
        return _LOOK_SECONDS

    def _start_missing(self) -> Mapping[str, int]:
        wanted: dict[str, int] = {}
        for entry in self._store.entries(KIND):
            function = self._found(entry.body)
            if function is None:
                self._store.remove(KIND, entry.name)
                continue
            wanted[function.key] = wanted.get(function.key, 0) + entry.body["wanted"]
            self._fleet.provision({**wanted})
            while not self._loop.is_stopped and self._fleet.count(function.key) < wanted[function.key]:
                if not self._is_started(entry.name, function):
                    break
        return wanted

    def _is_started(self, name: str, function: Function) -> bool:
        """Start one more; a failure is noted, and tried again at the next look."""
        try:
            warm = self._fleet.warm_up(function)
            failure = warm.started.body.decode() if warm.started.is_error else ""
        except ServiceError as error:
            failure = error.message
        except OSError as error:
            failure = str(error)
        if self._fleet.is_over:
            return False
        known = self._store.find(KIND, name)
        if known is not None and known.get("StatusReason", "") != failure:
            self._store.put(KIND, name, {**known, "StatusReason": failure})
        return not failure
