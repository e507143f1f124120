"""Tuning jobs and their trials as the store keeps them."""

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
    """The stored trials of a search, by number."""
    stored = [trials.read(entry.body) for entry in world.store.entries(_TRIAL, f"{search}/")]
    return sorted(stored, key=lambda trial: trial.number)


def keep(world: World, search: str, trial: Trial) -> None:
    """Store a trial."""
    world.store.put(_TRIAL, f"{search}/{trial.number}", trial.document())


def forget(world: World, search: str) -> None:
    """Delete the trials of a search."""
    for entry in world.store.entries(_TRIAL, f"{search}/"):
        world.store.remove(_TRIAL, entry.name)


def parents(search: Document) -> Sequence[str]:
    """The names of the searches that a search with a warm start builds on."""
    given = search.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", ())
    return [job["HyperParameterTuningJobName"] for job in given if "HyperParameterTuningJobName" in job]
