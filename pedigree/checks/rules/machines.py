"""Machines: spot, warm pools and volume keys."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.aws.machines import has_local_storage
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import machine_types
from pedigree.checks.subject import Subject


@rule("CON030", Severity.ERROR)
def warm_spot(subject: Subject) -> Iterator[Violation]:
    """Warm pool of spot machines.

    SageMaker does not keep machines that AWS can take away.
    """
    for job in subject.jobs:
        warm_seconds = subject.plain(job.get("ResourceConfig", "KeepAlivePeriodInSeconds"))
        if warm_seconds and job.get("EnableManagedSpotTraining") is True:
            pointer = job.pointer_to("ResourceConfig/KeepAlivePeriodInSeconds")
            yield Violation(pointer, "spot machines are not kept", "remove it, or EnableManagedSpotTraining")


@rule("CON031", Severity.ERROR)
def waiting_time(subject: Subject) -> Iterator[Violation]:
    """Wrong MaxWaitTimeInSeconds.

    It is the time for waiting and running together, so it is at least MaxRuntimeInSeconds. A spot job must have it, and
    no other job may.
    """
    for job in subject.jobs:
        spot = job.get("EnableManagedSpotTraining")
        if spot is True:
            yield from _spot_waiting_time(subject, job)
        elif spot in (None, False) and job.trains and job.get("StoppingCondition", "MaxWaitTimeInSeconds") is not None:
            pointer = job.pointer_to("StoppingCondition/MaxWaitTimeInSeconds")
            yield Violation(pointer, "only spot jobs wait", "remove it, or set EnableManagedSpotTraining")


@rule("CON032", Severity.ERROR)
def volume_key(subject: Subject) -> Iterator[Violation]:
    """Volume key on a machine that encrypts its disks itself.

    Hardware encrypts the disks in such a machine, and CreateTrainingJob refuses a VolumeKmsKeyId for them.
    """
    for job in subject.jobs:
        local = [name for name in machine_types(subject, job) if has_local_storage(name)]
        if local and job.get(*job.cluster, "VolumeKmsKeyId"):
            pointer = job.pointer_to(*job.cluster, "VolumeKmsKeyId")
            yield Violation(pointer, f"{local[0]} encrypts its disks itself", "remove the key for this machine")


@rule("CON033", Severity.NOTE)
def checkpoints(subject: Subject) -> Iterator[Violation]:
    """Spot job without checkpoints.

    When AWS takes its machine away, it begins again from the start.
    """
    for job in subject.jobs:
        if job.get("EnableManagedSpotTraining") is True and not job.get("CheckpointConfig"):
            pointer = job.pointer_to("EnableManagedSpotTraining")
            yield Violation(pointer, "an interruption loses all work", "add CheckpointConfig")


def _spot_waiting_time(subject: Subject, job: JobRequest) -> Iterator[Violation]:
    limits = job.get("StoppingCondition")
    wait, run = (
        subject.plain(job.get("StoppingCondition", key)) for key in ("MaxWaitTimeInSeconds", "MaxRuntimeInSeconds")
    )
    if isinstance(limits, dict) and "MaxWaitTimeInSeconds" not in limits:
        yield Violation(job.pointer_to("StoppingCondition"), "a spot job needs MaxWaitTimeInSeconds", "add it")
    elif isinstance(wait, int) and isinstance(run, int) and wait < run:
        pointer = job.pointer_to("StoppingCondition/MaxWaitTimeInSeconds")
        yield Violation(pointer, f"it waits {wait} s and may run {run} s", f"write {run} or more")
