"""Network and encryption: settings that some jobs have and others lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pedigree.aws.machines import has_local_storage
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import machine_types
from pedigree.checks.subject import Subject
from pedigree.language.text import clip

Path: TypeAlias = tuple[str, ...]


@rule("NET001", Severity.WARNING)
def volumes(subject: Subject) -> Iterator[Violation]:
    """Volume without a key where other volumes have one.

    The other volumes are encrypted with a key of your own, and this one is not. Machines with disks of their own are
    left alone: they encrypt them.
    """
    encryptable = [job for job in subject.jobs if not any(map(has_local_storage, machine_types(subject, job)))]
    paths = (("ResourceConfig", "VolumeKmsKeyId"), ("ProcessingResources", "ClusterConfig", "VolumeKmsKeyId"))
    for job in _exceptions(encryptable, paths):
        cause = f"{job.step.name} has no volume key, and others have"
        yield Violation(job.pointer_to(*job.cluster), cause, "add VolumeKmsKeyId")


@rule("NET002", Severity.WARNING)
def outputs(subject: Subject) -> Iterator[Violation]:
    """Output without a key where other outputs have one.

    What it writes to S3 is encrypted with the bucket's key only.
    """
    writing = [job for job in subject.jobs if job.get(*_output(job))]
    paths = (("OutputDataConfig", "KmsKeyId"), ("ProcessingOutputConfig", "KmsKeyId"))
    for job in _exceptions(writing, paths):
        cause = f"{job.step.name} has no output key, and others have"
        yield Violation(job.pointer_to(*_output(job)), cause, "add KmsKeyId")


@rule("NET003", Severity.WARNING)
def traffic(subject: Subject) -> Iterator[Violation]:
    """Unencrypted traffic between machines where other jobs encrypt it.

    Another job encrypts what its machines send to each other, this one does not. A job of one machine sends nothing.
    """
    member = "EnableInterContainerTrafficEncryption"
    for job in _exceptions(subject.jobs, ((member,), ("NetworkConfig", member))):
        if subject.possible(job.get(*job.cluster, "InstanceCount")) == (1,):
            continue
        path = (member,) if job.trains else ("NetworkConfig", member)
        pointer = job.pointer_to(*path) if job.get(*path) is not None else job.pointer
        yield Violation(pointer, f"{job.step.name} does not encrypt its traffic, and others do", f"set {member}")


@rule("NET004", Severity.WARNING)
def outside_vpc(subject: Subject) -> Iterator[Violation]:
    """Job outside of the VPC that others run in.

    It reaches the internet, and not the services that only the VPC reaches.
    """
    for job in _exceptions(subject.jobs, (("VpcConfig",), ("NetworkConfig", "VpcConfig"))):
        remedy = "add VpcConfig" if job.trains else "add NetworkConfig.VpcConfig"
        yield Violation(job.pointer, f"{job.step.name} runs in no VPC, and others do", remedy)


@rule("NET005", Severity.WARNING)
def isolated(subject: Subject) -> Iterator[Violation]:
    """Web address for a job without a network.

    A container in network isolation reaches nothing but its channels: no https, no S3, no pip.
    """
    for job in subject.jobs:
        if job.get("EnableNetworkIsolation") is True or job.get("NetworkConfig", "EnableNetworkIsolation") is True:
            for pointer, value in _arguments(job):
                text = subject.plain(value)
                if isinstance(text, str) and text.startswith(("https://", "http://")):
                    cause = f"{job.step.name} has no network, and gets the address {clip(text)}"
                    yield Violation(pointer, cause, "use a channel")


@rule("NET006", Severity.WARNING)
def model_outside_vpc(subject: Subject) -> Iterator[Violation]:
    """Model outside of the VPC that jobs run in.

    Its endpoint's containers reach the internet, and not the services that only the VPC reaches.
    """
    inside = any(job.get("VpcConfig") or job.get("NetworkConfig", "VpcConfig") for job in subject.jobs)
    for step in subject.steps if inside else ():
        if step.type == "Model" and not step.arguments.get("VpcConfig"):
            cause = f"{step.name} is in no VPC, and jobs are"
            yield Violation(f"{step.pointer}/Arguments", cause, "add VpcConfig")


def _exceptions(jobs: Sequence[JobRequest], paths: Sequence[Path]) -> Iterator[JobRequest]:
    """The jobs that have none of some members, if other jobs have one."""
    having = [job for job in jobs if any(job.get(*path) for path in paths)]
    if having:
        yield from (job for job in jobs if job not in having)


def _output(job: JobRequest) -> Path:
    return ("OutputDataConfig",) if job.trains else ("ProcessingOutputConfig",)


def _arguments(job: JobRequest) -> Iterator[tuple[str, object]]:
    """The variables, hyperparameters and arguments that a container gets, with their pointers."""
    for member in ("Environment", job.hyperparameters):
        values = job.get(member)
        for name, value in values.items() if isinstance(values, dict) else ():
            yield job.pointer_to(member, name), value
    arguments = job.get("AppSpecification", "ContainerArguments")
    for index, value in enumerate(arguments if isinstance(arguments, list) else ()):
        yield job.pointer_to("AppSpecification/ContainerArguments", str(index)), value
