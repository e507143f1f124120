"""Debugger: the images, jobs and combinations that it does not work with."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.aws.pytorch import has_smdebug
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.request_problems import DEBUG_MEMBERS
from pedigree.checks.rule import rule
from pedigree.checks.rules.distribution import uses_smddp
from pedigree.checks.rules.images import job_images
from pedigree.checks.subject import Subject

_TENSOR_MEMBERS = ("DebugHookConfig", "DebugRuleConfigurations")


@rule("CON020", Severity.WARNING)
def image(subject: Subject) -> Iterator[Violation]:
    """Debugger on an image without its library.

    smdebug is in AWS's PyTorch images up to 2.0. On later ones nothing is saved, so rules see no tensors and stay
    silent. Debugger takes no new customers since July 2026. A hook without collections and rules is left alone: SDKs
    write it for every training job, and it does nothing.
    """
    for job, address in job_images(subject):
        release = address.release
        if address.is_pytorch and release and not has_smdebug(release) and job.step.type == "Training":
            member = next((member for member in _TENSOR_MEMBERS if job.get(member)), "")
            if member and not _is_default_of_sdks(job):
                cause = f"PyTorch {'.'.join(map(str, release))} images have no smdebug"
                yield Violation(job.pointer_to(member), cause, "use 2.0.1, or remove it")


@rule("CON021", Severity.ERROR)
def tuning_job(subject: Subject) -> Iterator[Violation]:
    """Debugger or profiler in a tuning job.

    The training definition of a tuning job has no such member; one SDK drops it silently. Put it on the training step
    that follows.
    """
    for job in subject.jobs:
        for member in DEBUG_MEMBERS if job.step.type == "Tuning" else ():
            if job.get(member) is not None:
                remedy = "remove it; use it on a Training step"
                yield Violation(job.pointer_to(member), f"a tuning job has no {member}", remedy)


@rule("CON022", Severity.ERROR)
def with_smddp(subject: Subject) -> Iterator[Violation]:
    """Debugger, smddp and checkpoints in one job.

    Each pair works, the three together end in an error.
    """
    for job in subject.jobs:
        if uses_smddp(job) and job.get("CheckpointConfig") and job.get("DebugHookConfig"):
            cause = "Debugger, smddp and checkpoints fail together"
            yield Violation(job.pointer_to("DebugHookConfig"), cause, "remove one of them")


def _is_default_of_sdks(job: JobRequest) -> bool:
    return job.get("DebugHookConfig", "CollectionConfigurations") == [] and not job.get("DebugRuleConfigurations")
