"""Distributed training: how several machines work together in one job, if they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pedigree.aws.machines import SMDDP_TYPES
from pedigree.aws.pytorch import LAST_WITH_SMDDP, has_smddp
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import job_images, machine_types
from pedigree.checks.subject import Subject
from pedigree.language.pointers import entries

_SMDDP = "sagemaker_distributed_dataparallel_enabled"
_LAUNCHERS = (
    *(_SMDDP, "sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled", "sagemaker_mpi_enabled"),
    *("sagemaker_parameter_server_enabled", "sagemaker_pytorch_xla_multi_worker_enabled", "sagemaker_distribution"),
    *("sagemaker_multi_worker_mirrored_strategy_enabled", "mp_parameters"),
)
# A channel by which newer SDKs bring their own launcher.
_DRIVERS = "sm_drivers"


def uses_smddp(job: JobRequest) -> bool:
    """Whether a job is launched with smdistributed.dataparallel."""
    return job.trains and _is_on(job.fixed_hyperparameters.get(_SMDDP))


@rule("CON010", Severity.ERROR)
def image(subject: Subject) -> Iterator[Violation]:
    """smddp on an image without it.

    smdistributed.dataparallel is in AWS's PyTorch images up to 2.5; later ones have torchrun with NCCL. The SDK
    compiles it without a warning, and the script fails at its import.
    """
    for job, address in job_images(subject):
        if address.is_pytorch and address.release and not has_smddp(address.release) and uses_smddp(job):
            cause = f"PyTorch {'.'.join(map(str, address.release))} images have no smddp"
            remedy = f"use {LAST_WITH_SMDDP}, or sagemaker_torch_distributed_enabled"
            yield Violation(job.pointer_to(*job.image), cause, remedy)


@rule("CON011", Severity.ERROR)
def machine(subject: Subject) -> Iterator[Violation]:
    """smddp on a machine that it does not support.

    It runs on ml.p4d.24xlarge and ml.p4de.24xlarge only.
    """
    for job in subject.jobs:
        wrong = [name for name in machine_types(subject, job) if name not in SMDDP_TYPES] if uses_smddp(job) else []
        if wrong:
            pointer = job.pointer_to(*job.cluster, "InstanceType")
            yield Violation(pointer, f"{wrong[0]} has no smddp", f"use {' or '.join(SMDDP_TYPES)}, or torchrun")


@rule("CON012", Severity.WARNING)
def no_launcher(subject: Subject) -> Iterator[Violation]:
    """Several machines without a launcher.

    Each machine trains by itself, all of them write the same model, and the last one wins.
    """
    for job, address in job_images(subject):
        possible = subject.possible(job.get("ResourceConfig", "InstanceCount"))
        count = max((count for count in possible if isinstance(count, int)), default=1)
        if job.trains and address.is_pytorch and count > 1 and not _has_launcher(job):
            pointer = job.pointer_to("ResourceConfig/InstanceCount")
            remedy = "set sagemaker_torch_distributed_enabled, or use one machine"
            yield Violation(pointer, f"{count} machines train without a launcher", remedy)


def _has_launcher(job: JobRequest) -> bool:
    channels = {str(channel.get("ChannelName")) for _, channel in entries(job.get("InputDataConfig"))}
    # A container with an entry point of its own may launch anything.
    has_own = job.get("AlgorithmSpecification", "ContainerEntrypoint") or _DRIVERS in channels
    return bool(has_own) or any(_is_on(job.fixed_hyperparameters.get(name)) for name in _LAUNCHERS)


def _is_on(value: Any) -> bool:
    return value not in (None, "false", '"false"', False)
