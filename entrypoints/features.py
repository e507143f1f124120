"""Features of a frozen backbone: computed once, so that every epoch after that costs the head alone.

They are the same for every epoch, every trial and every head, as long as pictures and backbone are: where a folder for
them is given, the next training takes them from there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from ranks import Ranks
from sources import FromPictures
from split import Split

_SHARE_OF_MEMORY = 0.25
_PATIENCE = 10.0
Array: TypeAlias = "np.ndarray[Any, Any]"
log = logging.getLogger(__name__)


def identity(folder: Split, described: Mapping[str, Any]) -> str:
    """What the features of a split depend on, as a name: its pictures, and what sees them."""
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for path in folder.paths:
        status = path.stat()
        digest.update(f"{path.parent.name}/{path.name} {status.st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def digest_of(module: nn.Module) -> str:
    """What a module has learned, or was drawn with, as a name."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def of(backbone: nn.Module, source: FromPictures, ranks: Ranks, place: Path | None, scratch: Path) -> Array:
    """The features of all pictures of a source, in their order: those that were kept at a place, or new ones."""
    found = _kept(place, source.count)
    # All take them or none does: whoever computed them alone would wait for the others for ever.
    had = ranks.summed(torch.tensor(float(found is not None), device=ranks.device))
    if found is not None and int(had) == ranks.place.world:
        log.info("features of %d pictures are taken from %s", len(found), place)
        return found
    array = _extract(backbone, source, ranks, scratch)
    if place and ranks.is_first:
        _keep(place, array)
    return array


def _extract(backbone: nn.Module, source: FromPictures, ranks: Ranks, scratch: Path) -> Array:
    """Every process sees its part of each batch, and all of them get all features."""
    backbone.eval()
    share, told = source.share, time.monotonic()
    whole = share.batch * share.world
    store: Array = np.empty((0, 0), np.float32)
    with torch.inference_mode():
        for step, (pictures, _) in enumerate(source.batches(0)):
            with source.precision.autocast():
                seen = backbone(pictures).float()
            if not store.size:
                store = _store(source.count, seen.shape[1], scratch)
            first, last = step * whole, min((step + 1) * whole, source.count)
            store[first:last] = _gathered(seen, last - first, ranks).cpu().numpy()
            if time.monotonic() - told > _PATIENCE:
                log.info("features of %d of %d pictures", last, source.count)
                told = time.monotonic()
    return store


def _gathered(seen: torch.Tensor, count: int, ranks: Ranks) -> torch.Tensor:
    """The features of a batch, of which every process has each so many-th."""
    if not ranks.backend:
        return seen
    mine = torch.zeros((count, seen.shape[1]), device=seen.device)
    place = ranks.place
    if place.rank < count:
        mine[place.rank :: place.world] = seen
    return ranks.summed(mine)


def _kept(path: Path | None, count: int) -> Array | None:
    """The features that an earlier training kept, if they are of as many pictures."""
    if path is None or not path.is_file():
        return None
    try:
        found: Array = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read (%s); the features are computed again", path, error)
        return None
    return found if len(found) == count else None


def _keep(path: Path, features: Array) -> None:
    """Keep features for the next training: they appear whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = mkstemp(dir=path.parent, suffix=".npy")
    os.close(handle)
    try:
        np.save(name, features)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _store(count: int, width: int, scratch: Path) -> Array:
    if count * width * 4 <= _memory() * _SHARE_OF_MEMORY:
        return np.empty((count, width), np.float32)
    handle, name = mkstemp(dir=scratch, suffix=".features")
    os.close(handle)
    store = np.memmap(name, np.float32, "w+", shape=(count, width))
    Path(name).unlink()  # the mapping keeps it; nothing is left behind, however the process ends
    return store


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
