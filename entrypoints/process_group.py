"""The processes that train together: their ranks, their devices, and the values that they exchange.

The launcher describes them in the environment: torchrun (RANK, WORLD_SIZE, LOCAL_RANK), mpirun, which SageMaker's smddp
launcher uses (OMPI_COMM_WORLD_…), or only SageMaker's list of hosts. A single process needs none of these.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

import torch
from torch import distributed

import backends
import command
import devices
from errors import LostProcessError
from watchdog import watchdog

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    *(tuple(f"OMPI_COMM_WORLD_{name}" for name in ("RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE")),),
)
PATIENCE = 1800.0
_PORT = "29400"
_RETRY_SECONDS = 0.1
_SIGNS_OF_GLOO = ("/gloo/", "Gloo ")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rank:
    """The rank of this process among all processes, and among those on its machine."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1


@dataclass(frozen=True)
class ProcessGroup:
    """This process and the group that it trains with; without a backend, it trains alone."""

    rank_info: Rank
    device: torch.device
    backend: str
    patience: float = PATIENCE

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank_info.rank == 0

    def all_reduce_sum(self, values: torch.Tensor) -> torch.Tensor:
        """Replaces values by their sum over all processes."""
        if self.backend:
            distributed.all_reduce(values)
        return values

    def totals(self, values: torch.Tensor) -> list[float]:
        """Returns the sums over all processes as numbers."""
        with self._watchdog():
            totals: list[float] = self.all_reduce_sum(values.clone()).tolist()
        return totals

    def any_true(self, *answers: bool) -> tuple[bool, ...]:
        """Returns, for each flag, whether it is true in any process."""
        if not self.backend:
            return answers
        votes = torch.tensor(answers, dtype=torch.float32, device=self.device)
        return tuple(total > 0 for total in self.totals(votes))

    def minimum(self, value: int) -> int:
        """Returns the minimum over all processes."""
        if not self.backend:
            return value
        values = torch.zeros(self.rank_info.world_size, dtype=torch.float64, device=self.device)
        values[self.rank_info.rank] = value
        return int(min(self.totals(values)))

    def broadcast(self, value: Any) -> Any:
        """Returns the main process's value in every process."""
        if not self.backend:
            return value
        box = [value]
        with self._watchdog():
            distributed.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def barrier(self) -> None:
        """Waits for all processes."""
        if self.backend:
            with self._watchdog():
                distributed.barrier()

    def shut_down(self, code: int = 0) -> None:
        """Leaves the group and ends the process: gloo's threads may abort a process that lives longer."""
        if self.backend:
            distributed.destroy_process_group()
            self.exit_now(code)

    def exit_now(self, code: int) -> NoReturn:
        """Ends the process at once: others may wait for it in the middle of an operation, and notice its end."""
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def lost_error(self, reason: str) -> LostProcessError:
        rank_info = self.rank_info
        return LostProcessError(
            f"process {rank_info.rank + 1} of {rank_info.world_size} lost the connection to the others ({reason})",
            "read the log of the process that ended first, or raise --wait-minutes",
        )

    def _watchdog(self) -> AbstractContextManager[None]:
        """Limits waiting for other processes, except for gloo, which has its own time-out."""
        if self.backend in ("", "gloo"):
            return nullcontext()
        return watchdog(self.patience, self._time_out)

    def _time_out(self) -> None:
        command.report_error(self.lost_error(f"no answer for {self.patience / 60:g} minutes"))
        self.exit_now(command.USER_ERROR_EXIT)


def from_environment(environ: Mapping[str, str]) -> Rank:
    """Returns the rank of this process from its launcher's variables."""
    for rank, world_size, *local in _LAUNCHERS:
        if rank in environ and world_size in environ:
            here = (int(environ.get(name, default)) for name, default in zip(local, "01", strict=True))
            return Rank(int(environ[rank]), int(environ[world_size]), *here)
    hosts = _hosts(environ)
    if len(hosts) > 1 and environ.get("SM_CURRENT_HOST") in hosts:
        return Rank(hosts.index(environ["SM_CURRENT_HOST"]), len(hosts))
    return Rank()


def join(device: str, backend: str, patience: float, environ: Mapping[str, str] = os.environ) -> ProcessGroup:
    """Joins the process group, if there are several processes."""
    rank_info = from_environment(environ)
    chosen = devices.choose(device, rank_info.local_rank, rank_info.local_world_size, devices.gpu_count())
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    used = backends.choose(backend, chosen.type, environ)
    if rank_info.world_size == 1:
        return ProcessGroup(rank_info, chosen, "")
    backends.load(used)
    os.environ.setdefault("MASTER_ADDR", next(iter(_hosts(environ)), "127.0.0.1"))
    os.environ.setdefault("MASTER_PORT", _PORT)
    _init_process_group(used, rank_info, patience)
    log.info("process %d of %d, joined by %s on %s", rank_info.rank + 1, rank_info.world_size, used, chosen)
    return ProcessGroup(rank_info, chosen, used, patience)


def is_lost_peer(error: BaseException) -> bool:
    """Returns whether another process ended or does not answer; gloo has no exception class for that."""
    return isinstance(error, distributed.DistError) or any(sign in str(error) for sign in _SIGNS_OF_GLOO)


def _init_process_group(backend: str, rank_info: Rank, patience: float) -> None:
    # Our own watchdog acts first; the library's time-out would abort the process.
    limit = timedelta(seconds=patience if backend == "gloo" else 2 * patience)
    try:
        if rank_info.rank:
            _wait_for_main_process(patience)
        distributed.init_process_group(backend, rank=rank_info.rank, world_size=rank_info.world_size, timeout=limit)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not is_lost_peer(error):
            raise
        reason = str(error).partition("\n")[0]
        raise LostProcessError(
            f"process {rank_info.rank + 1} of {rank_info.world_size} could not connect to the others at "
            f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} ({reason})",
            "start all of them with the same MASTER_ADDR and the same free and reachable MASTER_PORT",
        ) from None


def _wait_for_main_process(patience: float) -> None:
    """Waits until the main process listens; torch would print a C++ stack for each failed attempt."""
    address = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
    deadline = time.monotonic() + patience
    while True:
        try:
            socket.create_connection(address, max(1.0, deadline - time.monotonic())).close()
        except OSError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _hosts(environ: Mapping[str, str]) -> list[str]:
    """Returns the hosts of a job in the same order on all of them."""
    listed: list[str] = json.loads(environ.get("SM_HOSTS", "[]"))
    return sorted(listed)
