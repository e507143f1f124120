"""Debugger: where it can look on, and where it cannot."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.faults import DEBUG_MEMBERS
from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Job
from pedigree.checks.rule import rule
from pedigree.checks.rules.distribution import is_smddp
from pedigree.checks.rules.images import images
from pedigree.checks.subject import Subject

LAST_WITH_SMDEBUG = (2, 0)
_TENSORS = ("DebugHookConfig", "DebugRuleConfigurations")


@rule("CON020", Severity.WARNING)
def image(subject: Subject) -> Iterator[Spot]:
    """Debugger on an image without its library.

    smdebug is in AWS's PyTorch images up to 2.0. On later ones nothing is saved, so rules see no tensors and stay
    silent. Debugger takes no new customers since July 2026. A hook without collections and rules is left alone: SDKs
    write it for every training, and it does nothing.
    """
    for job, found in images(subject):
        if found.is_pytorch and found.release and found.release > LAST_WITH_SMDEBUG and job.step.type == "Training":
            for member in _TENSORS:
                if job.get(member) and not _is_of_an_sdk(job):
                    cause = f"PyTorch {'.'.join(map(str, found.release))} images have no smdebug"
                    yield Spot(job.place(member), cause, "use 2.0.1, or remove it")
                    break


def _is_of_an_sdk(job: Job) -> bool:
    return job.get("DebugHookConfig", "CollectionConfigurations") == [] and not job.get("DebugRuleConfigurations")


@rule("CON021", Severity.ERROR)
def search(subject: Subject) -> Iterator[Spot]:
    """Debugger or profiler on the jobs of a search.

    A search's training definition has no such member; one SDK drops it without a word. Put it on the training that
    follows.
    """
    for job in subject.jobs:
        for member in DEBUG_MEMBERS if job.step.type == "Tuning" else ():
            if job.get(member) is not None:
                yield Spot(job.place(member), f"a search has no {member}", "remove it; use it on a Training step")


@rule("CON022", Severity.ERROR)
def together(subject: Subject) -> Iterator[Spot]:
    """Debugger, smddp and checkpoints in one job.

    Each pair works, the three together end in an error.
    """
    for job in subject.jobs:
        if is_smddp(job) and job.get("CheckpointConfig") and job.get("DebugHookConfig"):
            yield Spot(
                job.place("DebugHookConfig"), "Debugger, smddp and checkpoints fail together", "remove one of them"
            )
