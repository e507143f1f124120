"""What the store remembers of searches: the jobs as they are described, and their trials."""

from __future__ import annotations

from collections.abc import Sequence

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.tuning import trials
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

JOB = "tuning-job"
STATUS = "HyperParameterTuningJobStatus"
RUNNING = ("InProgress", "Stopping")
_TRIAL = "tuning-trial"


def trials_of(world: World, search: str) -> list[Trial]:
    """The trials of a search, the first one first, as they were kept."""
    kept = [trials.read(entry.body) for entry in world.store.entries(_TRIAL, f"{search}/")]
    return sorted(kept, key=lambda one: one.number)


def keep(world: World, search: str, trial: Trial) -> None:
    """Remember a trial as it is now."""
    world.store.put(_TRIAL, f"{search}/{trial.number}", trial.document())


def forget(world: World, search: str) -> None:
    """Forget the trials of a search."""
    for entry in world.store.entries(_TRIAL, f"{search}/"):
        world.store.remove(_TRIAL, entry.name)


def parents(search: Document) -> Sequence[str]:
    """The searches that a search builds on."""
    given = search.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", ())
    return [one["HyperParameterTuningJobName"] for one in given if "HyperParameterTuningJobName" in one]
