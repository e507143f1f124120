"""The processes that train together: who they are, on which device each computes, and what they add up.

Whoever starts them says so in the environment: torchrun (RANK, WORLD_SIZE, LOCAL_RANK), mpirun, which SageMaker's
smddp launcher uses (OMPI_COMM_WORLD_…), or SageMaker's list of hosts alone. One process by itself needs none of it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
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
from watchdog import bounded
from errors import LostError

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    *(tuple(f"OMPI_COMM_WORLD_{name}" for name in ("RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE")),),
)
PATIENCE = 1800.0
_PORT = "29400"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is, of all and of those on its machine."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1


@dataclass(frozen=True)
class Ranks:
    """This process among all that train together."""

    place: Place
    device: torch.device
    backend: str
    patience: float = PATIENCE

    @property
    def is_first(self) -> bool:
        """Whether this is the one process that writes."""
        return self.place.rank == 0

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of what every process has, in its place."""
        if self.backend:
            distributed.all_reduce(values)
        return values

    def totals(self, values: torch.Tensor) -> list[float]:
        """The sums of what every process has, as numbers."""
        with self._bounded():
            found: list[float] = self.summed(values.clone()).tolist()
        return found

    def any_says(self, *answers: bool) -> tuple[bool, ...]:
        """For each of some questions, whether any process says yes: all of them get to know the same."""
        if not self.backend:
            return answers
        votes = torch.tensor(answers, dtype=torch.float32, device=self.device)
        return tuple(total > 0 for total in self.totals(votes))

    def least(self, value: int) -> int:
        """The least of what every process has."""
        if not self.backend:
            return value
        values = torch.zeros(self.place.world, dtype=torch.float64, device=self.device)
        values[self.place.rank] = value
        return int(min(self.totals(values)))

    def told(self, value: Any) -> Any:
        """What the first process has, told to all."""
        if not self.backend:
            return value
        box = [value]
        with self._bounded():
            distributed.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.backend:
            with self._bounded():
                distributed.barrier()

    def leave(self, code: int = 0) -> None:
        """Leave the group in order: the process ends here too, because gloo's threads may abort what outlives them."""
        if self.backend:
            distributed.destroy_process_group()
            self.abandon(code)

    def abandon(self, code: int) -> NoReturn:
        """End at once: others may wait for this process in the middle of something, and learn by its end."""
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def lost(self, reason: str) -> LostError:
        """What to say when the others are not there any more."""
        place = self.place
        return LostError(
            f"process {place.rank + 1} of {place.world} has lost the others ({reason}); "
            "what the first of them that ended has logged says why, and --wait-minutes is how long each is waited for"
        )

    def _bounded(self) -> AbstractContextManager[None]:
        """gloo bounds its own waiting; what waits for a GPU would wait until the library aborts the process."""
        if self.backend in ("", "gloo"):
            return nullcontext()
        return bounded(self.patience, self._give_up)

    def _give_up(self) -> None:
        command.tell(self.lost(f"none has answered for {self.patience / 60:g} minutes"))
        self.abandon(command.MISTAKE_EXIT)


def find(environ: Mapping[str, str]) -> Place:
    """Which process this is, by what its launcher says."""
    for rank, world, *local in _LAUNCHERS:
        if rank in environ and world in environ:
            here = (int(environ.get(name, default)) for name, default in zip(local, "01", strict=True))
            return Place(int(environ[rank]), int(environ[world]), *here)
    hosts = _hosts(environ)
    if len(hosts) > 1 and environ.get("SM_CURRENT_HOST") in hosts:
        return Place(hosts.index(environ["SM_CURRENT_HOST"]), len(hosts))
    return Place()


def join(device: str, backend: str, patience: float, environ: Mapping[str, str] = os.environ) -> Ranks:
    """Join the processes that train together, if there are several."""
    place = find(environ)
    chosen = devices.choose(device, place.local_rank, place.local_world, devices.gpus())
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    used = backends.choose(backend, chosen.type, environ)
    if place.world == 1:
        return Ranks(place, chosen, "")
    backends.load(used)
    os.environ.setdefault("MASTER_ADDR", next(iter(_hosts(environ)), "127.0.0.1"))
    os.environ.setdefault("MASTER_PORT", _PORT)
    _meet(used, place, patience)
    log.info("process %d of %d, joined by %s on %s", place.rank + 1, place.world, used, chosen)
    return Ranks(place, chosen, used, patience)


def _meet(backend: str, place: Place, patience: float) -> None:
    # Where waiting is bounded here, the library's own bound comes second: it aborts the process.
    limit = timedelta(seconds=patience if backend == "gloo" else 2 * patience)
    try:
        distributed.init_process_group(backend, rank=place.rank, world_size=place.world, timeout=limit)
    except distributed.DistError as error:
        raise LostError(
            f"process {place.rank + 1} of {place.world} has not met the others at "
            f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} ({error}); start all of them, "
            "with one MASTER_ADDR and one MASTER_PORT that is free and can be reached"
        ) from None


def _hosts(environ: Mapping[str, str]) -> list[str]:
    """The machines of a job, in the order that all of them agree on."""
    listed: list[str] = json.loads(environ.get("SM_HOSTS", "[]"))
    return sorted(listed)
