"""Network and encryption: what some jobs have, and others were forgotten to be given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Job
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import machines
from pedigree.checks.rules.machines import has_local_storage
from pedigree.checks.subject import Subject

Path = tuple[str, ...]


def _missing(jobs: Sequence[Job], paths: Sequence[Path]) -> Iterator[Job]:
    """The jobs that lack what others have; nothing, where none has it."""
    have = [job for job in jobs if any(job.get(*path) for path in paths)]
    if have:
        yield from (job for job in jobs if job not in have)


@rule("NET001", Severity.WARNING)
def volumes(subject: Subject) -> Iterator[Spot]:
    """A volume without the key that other volumes have.

    Somebody wants volumes to be encrypted with a key of their own, and this one is not. Machines with disks of
    their own are left alone: they encrypt them.
    """
    able = [job for job in subject.jobs if not any(map(has_local_storage, machines(subject, job)))]
    paths = (("ResourceConfig", "VolumeKmsKeyId"), ("ProcessingResources", "ClusterConfig", "VolumeKmsKeyId"))
    for job in _missing(able, paths):
        yield Spot(job.place(*job.cluster), f"{job.step.name} has no volume key, and others have", "add VolumeKmsKeyId")


@rule("NET002", Severity.WARNING)
def outputs(subject: Subject) -> Iterator[Spot]:
    """An output without the key that other outputs have.

    What it writes to S3 is encrypted with the bucket's key only.
    """
    writing = [job for job in subject.jobs if job.get(*_output(job))]
    paths = (("OutputDataConfig", "KmsKeyId"), ("ProcessingOutputConfig", "KmsKeyId"))
    for job in _missing(writing, paths):
        yield Spot(job.place(*_output(job)), f"{job.step.name} has no output key, and others have", "add KmsKeyId")


@rule("NET003", Severity.WARNING)
def traffic(subject: Subject) -> Iterator[Spot]:
    """Traffic between machines that is not encrypted, and elsewhere is.

    One job encrypts what its machines send to each other, another one does not.
    """
    member = "EnableInterContainerTrafficEncryption"
    for job in _missing(subject.jobs, ((member,), ("NetworkConfig", member))):
        path = (member,) if job.trains else ("NetworkConfig", member)
        place = job.place(*path) if job.get(*path) is not None else job.place()
        yield Spot(place.rstrip("/"), f"{job.step.name} does not encrypt its traffic, and others do", f"set {member}")


@rule("NET004", Severity.WARNING)
def outside(subject: Subject) -> Iterator[Spot]:
    """A job outside of the VPC in which others run.

    It reaches the internet, and nothing that only the VPC reaches.
    """
    for job in _missing(subject.jobs, (("VpcConfig",), ("NetworkConfig", "VpcConfig"))):
        remedy = "add VpcConfig" if job.trains else "add NetworkConfig.VpcConfig"
        yield Spot(job.pointer, f"{job.step.name} runs in no VPC, and others do", remedy)


@rule("NET005", Severity.WARNING)
def isolated(subject: Subject) -> Iterator[Spot]:
    """A job without network that is given an address on it.

    A container in network isolation reaches nothing but its channels: no https, no S3, no pip.
    """
    for job in subject.jobs:
        if job.get("EnableNetworkIsolation") is True or job.get("NetworkConfig", "EnableNetworkIsolation") is True:
            for pointer, value in _handed_over(job):
                text = subject.plain(value)
                if isinstance(text, str) and text.startswith(("https://", "http://")):
                    yield Spot(
                        pointer, f"{job.step.name} has no network, and is told to use {text[:60]}", "use a channel"
                    )


@rule("NET006", Severity.WARNING)
def public_model(subject: Subject) -> Iterator[Spot]:
    """A model outside of the VPC in which jobs run.

    Its endpoint's containers reach the internet, and nothing that only the VPC reaches.
    """
    inside = any(job.get("VpcConfig") or job.get("NetworkConfig", "VpcConfig") for job in subject.jobs)
    for step in subject.steps if inside else ():
        if step.type == "Model" and not step.arguments.get("VpcConfig"):
            yield Spot(f"{step.pointer}/Arguments", f"{step.name} is in no VPC, and jobs are", "add VpcConfig")


def _output(job: Job) -> Path:
    return ("OutputDataConfig",) if job.trains else ("ProcessingOutputConfig",)


def _handed_over(job: Job) -> Iterator[tuple[str, object]]:
    for member in ("Environment", job.hyperparameters):
        body = job.get(member)
        for name, value in body.items() if isinstance(body, dict) else ():
            yield job.place(member, name), value
    arguments = job.get("AppSpecification", "ContainerArguments")
    for index, value in enumerate(arguments if isinstance(arguments, list) else ()):
        yield job.place("AppSpecification/ContainerArguments", str(index)), value
