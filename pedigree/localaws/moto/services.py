"""The services that moto keeps: a change is on the disk before it is answered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.moto import answers, bounds, failures, snapshots
from pedigree.localaws.moto.environ import environ_for

# By the name in a request's credential scope: moto's name, and whether its records are kept.
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
# Logs are written more often than they are kept, and sessions that services take are not kept at all.
_UNDONE = frozenset(name for name, is_kept in SERVICES.values() if is_kept) - {"logs", "sts"}
_READING = ("Get", "List", "Describe", "Head", "Batch", "Simulate")


class Records:
    """moto's services in this process."""

    def __init__(self, folder: Path, account: str) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from pedigree.localaws.moto.mending import mend

        mend()
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._account = account
        self._lock = RLock()
        self._listeners: list[Callable[[str], None]] = []
        self._application = DomainDispatcherApplication(create_backend_app)

    def restore(self) -> None:
        """Remember what an earlier process kept, and nothing else."""
        for name, is_kept in SERVICES.values():
            self._restore(name, is_kept)

    def _restore(self, name: str, is_kept: bool) -> None:
        path = self._path(name)
        _backends(name).clear()  # its reset() would forget all services
        if is_kept and path.exists():
            for account, held in snapshots.restored(path.read_bytes()).items():
                dict.__setitem__(_backends(name), account, held)

    def _undo(self, name: str) -> None:
        """Forget what a call may have changed before it failed: what was kept holds."""
        if name in _UNDONE:
            self._restore(name, is_kept=True)
            for listener in tuple(self._listeners):
                listener(name)

    def answer(self, exchange: Exchange) -> Response:
        """Answer a request, one at a time: moto's backends know no locks."""
        name, is_kept = SERVICES[exchange.service]
        bounds.check(exchange.service, exchange.members)
        with self._lock:
            try:
                answer = answers.told(self._application, environ_for(exchange))
                failures.check(exchange.operation, answer)
            except Exception as error:  # moto's own, whatever it is; ours goes on as what it is
                self._undo(name)
                raise failures.told(exchange.operation, error) from error
            if not exchange.operation.startswith(_READING):
                self._changed(name, is_kept)
        return answer

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell a listener which service has changed, after each change and before it is kept; it must be quick."""
        self._listeners.append(listener)

    @contextmanager
    def held(self, name: str, region: str) -> Iterator[Any]:
        """What moto's service of that name holds in a region; nobody else uses it meanwhile."""
        with self._lock:
            yield _backends(name)[self._account][region]

    def _changed(self, name: str, is_kept: bool) -> None:
        for listener in tuple(self._listeners):
            listener(name)
        if is_kept:
            self.keep(name)

    def keep(self, name: str) -> None:
        """Keep what a service's backends hold now."""
        with self._lock:
            beside = self._path(name).with_suffix(".arriving")
            beside.write_bytes(snapshots.taken(_backends(name)))
            beside.replace(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.{snapshots.VERSION}"


def _backends(name: str) -> Any:
    from moto.backends import get_backend

    return get_backend(name)  # type: ignore[call-overload]  # moto lists every name as a literal
