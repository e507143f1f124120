"""Features of a frozen backbone: computed once, so that every epoch after that costs the head alone.

They are the same for every epoch, every trial and every head, as long as pictures and backbone are: where a folder for
them is given, the next training takes them from there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from kept_features import Kept
from progress import Progress
from ranks import Ranks
from scratch import Table
from sources import FromPictures
from split import Split
from stopping import Stop, StoppedError

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


def of(
    backbone: nn.Module,
    source: FromPictures,
    ranks: Ranks,
    stop: Stop,
    kept: Kept,
    room: Callable[[int, int], Table],
) -> Table:
    """The features of all pictures of a source, in their order: those that were kept, or new ones."""
    found = kept.load(source.count)
    # All take them or none does: whoever computed them alone would wait for the others for ever.
    (any_has_none,) = ranks.any_says(found is None)
    if found is not None and not any_has_none:
        log.info("features of %d pictures are taken from %s", len(found), kept.path)
        return found
    table = _extracted(backbone, source, ranks, stop, room)
    if ranks.is_first:
        kept.save(table)
    return table


def _extracted(
    backbone: nn.Module, source: FromPictures, ranks: Ranks, stop: Stop, room: Callable[[int, int], Table]
) -> Table:
    """Every process sees its part of each batch, and all of them get all features."""
    backbone.eval()
    log.info("features of %d pictures are computed", source.count)
    whole, done, progress = source.share.batch * source.share.world, 0, Progress("features", "pictures")
    table: Table | None = None
    with torch.inference_mode():
        for pictures, _ in source.batches(0):
            (asked,) = ranks.any_says(stop.asked)
            if asked:
                raise StoppedError(f"the features of {done} of {source.count} pictures are not kept")
            with source.precision.autocast():
                seen = backbone(pictures).float()
            table = room(source.count, seen.shape[1]) if table is None else table
            first, done = done, min(done + whole, source.count)
            table[first:done] = _gathered(seen, done - first, ranks).cpu().numpy()
            progress.at(done, source.count)
    assert table is not None, "a source has pictures"
    return table


def _gathered(seen: torch.Tensor, count: int, ranks: Ranks) -> torch.Tensor:
    """The features of a batch, of which every process has each so many-th."""
    if not ranks.backend:
        return seen
    mine = torch.zeros((count, seen.shape[1]), device=seen.device)
    place = ranks.place
    if place.rank < count:
        mine[place.rank :: place.world] = seen
    return ranks.summed(mine)
