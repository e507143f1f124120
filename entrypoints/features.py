"""Features of a frozen backbone: computed once, so that every epoch after that costs the head alone.

They are the same for every epoch, every trial and every head, as long as pictures and backbone are: the next training
takes them from where this one keeps them, and goes on with them where this one was stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from feature_cache import Kept, Part
from progress import Progress
from process_group import Ranks
from scratch import Table
from batch_sources import FromPictures
from split import Split
from stop_signal import Stop, StoppedError

# Another one when the same pictures would come to other features: by how they are read, say.
_FORMAT = 2
log = logging.getLogger(__name__)


def identity(folder: Split, sha256: str, described: Mapping[str, Any]) -> str:
    """What the features of a split depend on, as a name: its pictures, and what sees them.

    The hash of a prepared data set stands for what is in its pictures; of others, all is read.
    """
    digest = hashlib.sha256(json.dumps({**described, "data": sha256, "format": _FORMAT}, sort_keys=True).encode())
    for path in folder.paths:
        digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
        if not sha256:
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
    found = _taken(kept, source.count, ranks)
    if found is not None:
        return found
    # Several processes bound how long they wait for each other, so none of them waits for another training.
    patience = 0 if ranks.backend else source.patience
    with kept.growing(ranks.place.local_rank == 0, patience, lambda: stop.asked) as part:
        found = _taken(kept, source.count, ranks)
        if found is not None:
            return found
        table = _extracted(backbone, source, ranks, stop, part, room)
        part.finish()
    return table


def _taken(kept: Kept, count: int, ranks: Ranks) -> Table | None:
    """All take what was kept or none does: whoever computed them alone would wait for the others for ever."""
    found = kept.load(count)
    (any_has_none,) = ranks.any_says(found is None)
    if found is None or any_has_none:
        return None
    log.info("features of %d pictures are taken from %s", len(found), kept.path)
    return found


def _extracted(
    backbone: nn.Module,
    source: FromPictures,
    ranks: Ranks,
    stop: Stop,
    part: Part,
    room: Callable[[int, int], Table],
) -> Table:
    """Every process sees its part of each batch, and all of them get all features."""
    backbone.eval()
    before, whole = part.so_far(source.count), source.share.batch * source.share.world
    # The last batch is computed in any case: it tells how wide the table is.
    first = min(ranks.least(0 if before is None else len(before)) // whole, source.steps - 1)
    done, progress = first * whole, Progress("features", "pictures")
    log.info("features of %d pictures are computed%s", source.count, f", from number {done + 1} on" if done else "")
    table: Table | None = None
    with torch.inference_mode():
        for pictures, _ in source.batches(0, first):
            (asked,) = ranks.any_says(stop.asked)
            if asked:
                kept = "kept" if part.keeps else "not kept"
                raise StoppedError(f"the features of {done} of {source.count} pictures are {kept}")
            with source.precision.autocast():
                seen = backbone(pictures).float()
            if table is None:
                table = room(source.count, seen.shape[1])
                if before is not None:
                    table[:done] = before[:done]
                part.begin(source.count, seen.shape[1], done)
            begin, done = done, min(done + whole, source.count)
            table[begin:done] = _gathered(seen, done - begin, ranks).cpu().numpy()
            part.add(table[begin:done])
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
