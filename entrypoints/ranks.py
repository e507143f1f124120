"""The processes that train together: who they are, on which device each computes, and what they add up.

Whoever starts them says so in the environment: torchrun (RANK, WORLD_SIZE, LOCAL_RANK), mpirun, which SageMaker's
smddp launcher uses (OMPI_COMM_WORLD_…), or SageMaker's list of hosts alone. One process by itself needs none of it.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from errors import UsageError

_SMDDP = "smdistributed.dataparallel.torch.torch_smddp"
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
)
_PATIENCE = timedelta(minutes=30)
_PORT = "29400"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is, and which on its machine."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0


@dataclass(frozen=True)
class Ranks:
    """This process among all that train together."""

    place: Place
    device: torch.device
    backend: str

    @property
    def is_first(self) -> bool:
        """Whether this is the one process that writes."""
        return self.place.rank == 0

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of what every process has."""
        if self.backend:
            distributed.all_reduce(values)
        return values

    def told(self, value: Any) -> Any:
        """What the first process has, told to all."""
        if not self.backend:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.backend:
            distributed.barrier()

    def leave(self, code: int = 0) -> None:
        """Leave the group: the process ends here too, because gloo's threads may abort what outlives them."""
        if self.backend:
            distributed.destroy_process_group()
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def find(environ: Mapping[str, str]) -> Place:
    """Which process this is, by what its launcher says."""
    for rank, world, local in _LAUNCHERS:
        if rank in environ and world in environ:
            return Place(int(environ[rank]), int(environ[world]), int(environ.get(local, "0")))
    hosts = _hosts(environ)
    if len(hosts) > 1 and environ.get("SM_CURRENT_HOST") in hosts:
        return Place(hosts.index(environ["SM_CURRENT_HOST"]), len(hosts), 0)
    return Place()


def join(device: str, backend: str, environ: Mapping[str, str] = os.environ) -> Ranks:
    """Join the processes that train together, if there are several."""
    place = find(environ)
    chosen = choose_device(device, place)
    if place.world == 1:
        return Ranks(place, chosen, "")
    used = _backend(backend, chosen)
    if used == "smddp":
        importlib.import_module(_SMDDP)  # importing it registers the backend
    os.environ.setdefault("MASTER_ADDR", next(iter(_hosts(environ)), "127.0.0.1"))
    os.environ.setdefault("MASTER_PORT", _PORT)
    distributed.init_process_group(used, rank=place.rank, world_size=place.world, timeout=_PATIENCE)
    log.info("process %d of %d, joined by %s on %s", place.rank + 1, place.world, used, chosen)
    return Ranks(place, chosen, used)


def choose_device(name: str, place: Place) -> torch.device:
    """The device that a name means here: auto is the GPU of this process, or the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: torch sees no GPU here; use cpu")
    device = torch.device(f"cuda:{place.local_rank}" if name == "cuda" else name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def _backend(name: str, device: torch.device) -> str:
    if name != "auto":
        return name
    if device.type != "cuda":
        return "gloo"
    return "smddp" if _has_smddp() else "nccl"


def _has_smddp() -> bool:
    try:
        return importlib.util.find_spec(_SMDDP) is not None
    except ModuleNotFoundError:
        return False


def _hosts(environ: Mapping[str, str]) -> list[str]:
    """The machines of a job, in the order that all of them agree on."""
    listed: list[str] = json.loads(environ.get("SM_HOSTS", "[]"))
    return sorted(listed)
