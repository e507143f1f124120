"""moto's services, in this process: a change is on the disk before it is answered."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.moto import failures, quotas, responses, snapshots
from pedigree.localaws.moto.environ import environ_for

# By the name in credential scopes: moto's name, and whether its state outlives the process.
SERVICES: Mapping[str, tuple[str, bool]] = {
    "iam": ("iam", True),
    "sts": ("sts", True),
    "sqs": ("sqs", True),
    "lambda": ("awslambda", True),
    "events": ("events", True),
    "scheduler": ("scheduler", True),
    "application-autoscaling": ("applicationautoscaling", True),
    "monitoring": ("cloudwatch", True),
    "logs": ("logs", True),
    "tagging": ("resourcegroupstaggingapi", False),
    "ssm": ("ssm", False),
    "ec2": ("ec2", True),
}
# Logs are written more often than they are saved, and sessions that services take are not saved at all.
_UNDONE = frozenset(name for name, is_kept in SERVICES.values() if is_kept) - {"logs", "sts"}
_READ_ONLY = ("Get", "List", "Describe", "Head", "Batch", "Simulate")
_WRITING = ("GetFederationToken",)


class MotoBackends:
    """moto's state by service and region, and its answers to requests."""

    def __init__(self, folder: Path, account: str) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account
        # moto reads MOTO_ACCOUNT_ID when it is imported.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from pedigree.localaws.moto.patches import apply_patches

        apply_patches()
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._account = account
        self._lock = RLock()
        self._listeners: list[Callable[[str], None]] = []
        self._application = DomainDispatcherApplication(create_backend_app)

    def restore(self, but: Collection[str] = ()) -> None:
        """Load what an earlier process saved, and nothing else; some services can keep what they have."""
        with self._lock:
            for name, is_kept in SERVICES.values():
                if name not in but:
                    self._restore(name, is_kept)
                    self._notify(name)

    def _restore(self, name: str, is_kept: bool) -> None:
        path = self._path(name)
        _backends(name).clear()  # its reset() would forget all services
        if is_kept and path.exists():
            for account, regions in snapshots.restored(path.read_bytes()).items():
                dict.__setitem__(_backends(name), account, regions)

    def _undo(self, name: str) -> None:
        """Forget what a call may have changed before it failed: what was saved holds."""
        if name in _UNDONE:
            self._restore(name, is_kept=True)
            self._notify(name)

    def answer(self, exchange: Exchange) -> Response:
        """Answer a request, one at a time: moto's backends know no locks."""
        name, is_kept = SERVICES[exchange.service]
        quotas.check(exchange.service, exchange.members)
        with self._lock:
            try:
                answer = responses.moto_response(self._application, environ_for(exchange))
                failures.check(exchange.operation, answer)
            except Exception as error:  # moto fails with errors of any type
                self._undo(name)
                raise failures.translated(exchange.operation, error) from error
            if exchange.operation in _WRITING or not exchange.operation.startswith(_READ_ONLY):
                self._changed(name, is_kept)
        return answer

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call a listener with the service that has changed, before the change is saved; it must be quick."""
        self._listeners.append(listener)

    @contextmanager
    def backend(self, name: str, region: str) -> Iterator[Any]:
        """moto's backend of a service in a region; nothing else uses it meanwhile."""
        with self._lock:
            yield _backends(name)[self._account][region]

    def _changed(self, name: str, is_kept: bool) -> None:
        self._notify(name)
        if is_kept:
            self.save(name)

    def _notify(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener(name)

    def save(self, name: str) -> None:
        """Write down what a service's backends hold now."""
        with self._lock:
            beside = self._path(name).with_suffix(".arriving")
            beside.write_bytes(snapshots.taken(_backends(name)))
            beside.replace(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.{snapshots.VERSION}"


def _backends(name: str) -> Any:
    from moto.backends import get_backend  # after MOTO_ACCOUNT_ID is set

    return get_backend(name)  # type: ignore[call-overload]  # moto lists every name as a literal
