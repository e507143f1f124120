"""Several machines in one job: how they work together, if they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Job, entries
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import images, machines
from pedigree.checks.subject import Subject

SMDDP = "sagemaker_distributed_dataparallel_enabled"
SMDDP_MACHINES = ("ml.p4d.24xlarge", "ml.p4de.24xlarge")
LAST_WITH_SMDDP = (2, 5)
_LAUNCHERS = (
    *(SMDDP, "sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled", "sagemaker_mpi_enabled"),
    *("sagemaker_parameter_server_enabled", "sagemaker_pytorch_xla_multi_worker_enabled", "sagemaker_distribution"),
    *("sagemaker_multi_worker_mirrored_strategy_enabled", "mp_parameters"),
)
# A channel by which newer SDKs bring their own launcher.
_DRIVERS = "sm_drivers"


def is_smddp(job: Job) -> bool:
    """Whether a job is launched with smdistributed.dataparallel."""
    return job.trains and _is_on(job.fixed.get(SMDDP))


def _is_on(value: Any) -> bool:
    return value not in (None, "false", '"false"', False)


@rule("CON010", Severity.ERROR)
def image(subject: Subject) -> Iterator[Spot]:
    """smddp on an image without it.

    smdistributed.dataparallel is in AWS's PyTorch images up to 2.5; later ones have torchrun with NCCL. The SDK
    compiles it without a word, and the script fails at its import.
    """
    for job, found in images(subject):
        if found.is_pytorch and found.release and found.release > LAST_WITH_SMDDP and is_smddp(job):
            cause = f"PyTorch {'.'.join(map(str, found.release))} images have no smddp"
            yield Spot(job.place(*job.image), cause, "use 2.5.1, or sagemaker_torch_distributed_enabled")


@rule("CON011", Severity.ERROR)
def machine(subject: Subject) -> Iterator[Spot]:
    """smddp on a machine that it does not know.

    It runs on ml.p4d.24xlarge and ml.p4de.24xlarge only.
    """
    for job in subject.jobs:
        wrong = [one for one in machines(subject, job) if one not in SMDDP_MACHINES] if is_smddp(job) else []
        if wrong:
            pointer = job.place(*job.cluster, "InstanceType")
            yield Spot(pointer, f"{wrong[0]} has no smddp", f"use {' or '.join(SMDDP_MACHINES)}, or torchrun")


@rule("CON012", Severity.WARNING)
def alone(subject: Subject) -> Iterator[Spot]:
    """Several machines that do not know of each other.

    Without a launcher each trains on its own, all of them write the same model, and the last one wins.
    """
    for job, found in images(subject):
        counts = [one for one in subject.possible(job.get("ResourceConfig", "InstanceCount")) if isinstance(one, int)]
        channels = {str(one.get("ChannelName")) for _, one in entries(job.get("InputDataConfig"))}
        launched = any(_is_on(job.fixed.get(one)) for one in _LAUNCHERS)
        # What a container is told to run may launch anything.
        own = job.get("AlgorithmSpecification", "ContainerEntrypoint") or _DRIVERS in channels
        if job.trains and found.is_pytorch and any(one > 1 for one in counts) and not launched and not own:
            cause = f"{max(counts)} machines, and nothing makes them one job"
            pointer = job.place("ResourceConfig/InstanceCount")
            yield Spot(pointer, cause, "set sagemaker_torch_distributed_enabled, or use one machine")
