"""Machines: how they are bought, kept and equipped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import machines
from pedigree.checks.subject import Subject

_LOCAL_STORAGE = re.compile(r"^ml\.(g\d|p3dn|p4|p5|p6|trn|inf2|[a-z]\d[a-z]*d[a-z]*\.)")


def has_local_storage(instance_type: str) -> bool:
    """Whether its disks are on the machine: encrypted by hardware, and a volume key is refused."""
    return _LOCAL_STORAGE.match(instance_type) is not None


@rule("CON030", Severity.ERROR)
def warm_spot(subject: Subject) -> Iterator[Spot]:
    """A warm pool of spot machines.

    Machines that can be taken away are not kept.
    """
    for job in subject.jobs:
        kept = subject.plain(job.get("ResourceConfig", "KeepAlivePeriodInSeconds"))
        if kept and job.get("EnableManagedSpotTraining") is True:
            pointer = job.place("ResourceConfig/KeepAlivePeriodInSeconds")
            yield Spot(pointer, "spot machines are not kept", "remove it, or EnableManagedSpotTraining")


@rule("CON031", Severity.ERROR)
def waiting(subject: Subject) -> Iterator[Spot]:
    """A spot job without the time to wait for its machine.

    MaxWaitTimeInSeconds holds the waiting and the running, so it is at least MaxRuntimeInSeconds; without spot
    there is none.
    """
    for job in subject.jobs:
        limit = job.get("StoppingCondition")
        wait, run = (
            subject.plain(job.get("StoppingCondition", key)) for key in ("MaxWaitTimeInSeconds", "MaxRuntimeInSeconds")
        )
        place = job.place("StoppingCondition/MaxWaitTimeInSeconds")
        spot = job.get("EnableManagedSpotTraining")
        if spot is True and isinstance(limit, dict) and "MaxWaitTimeInSeconds" not in limit:
            yield Spot(job.place("StoppingCondition"), "a spot job needs MaxWaitTimeInSeconds", "add it")
        elif spot is True and isinstance(wait, int) and isinstance(run, int) and wait < run:
            yield Spot(place, f"it waits {wait} s and may run {run} s", f"write {run} or more")
        elif spot in (None, False) and wait is not None and job.trains:
            yield Spot(place, "only spot jobs wait", "remove it, or set EnableManagedSpotTraining")


@rule("CON032", Severity.ERROR)
def volume_key(subject: Subject) -> Iterator[Spot]:
    """A volume key on a machine that encrypts its disks itself.

    Disks on the machine are encrypted by hardware, and CreateTrainingJob refuses a VolumeKmsKeyId for them.
    """
    for job in subject.jobs:
        local = [one for one in machines(subject, job) if has_local_storage(one)]
        if local and job.get(*job.cluster, "VolumeKmsKeyId"):
            cause = f"{local[0]} encrypts its disks itself"
            yield Spot(job.place(*job.cluster, "VolumeKmsKeyId"), cause, "remove the key for this machine")


@rule("CON033", Severity.NOTE)
def checkpoints(subject: Subject) -> Iterator[Spot]:
    """A spot job without checkpoints.

    When its machine is taken away, it begins anew.
    """
    for job in subject.jobs:
        if job.get("EnableManagedSpotTraining") is True and not job.get("CheckpointConfig"):
            yield Spot(job.place("EnableManagedSpotTraining"), "an interruption loses all work", "add CheckpointConfig")
