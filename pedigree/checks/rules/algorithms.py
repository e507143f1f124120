"""Built-in algorithms: what their containers refuse when they start, after the machine has been paid for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pedigree.aws.xgboost import HYPERPARAMETERS, REPOSITORIES, REQUIRED
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import job_images
from pedigree.checks.rules.tuning import ranges
from pedigree.checks.subject import Subject
from pedigree.language.expressions import is_expression
from pedigree.language.near import did_you_mean

_PROGRAM = "sagemaker_program"


@rule("SCR017", Severity.ERROR)
def rounds(subject: Subject) -> Iterator[Violation]:
    """XGBoost without num_round.

    The built-in algorithm has no default for the number of rounds, and the job fails when it starts.
    """
    for job, given in _algorithm_jobs(subject):
        if REQUIRED not in given:
            has_any = job.get(job.hyperparameters) is not None
            pointer = job.pointer_to(job.hyperparameters) if has_any else job.pointer
            yield Violation(pointer, f"XGBoost needs {REQUIRED}", f'add "{REQUIRED}": "100"')


@rule("SCR018", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Violation]:
    """Hyperparameter that XGBoost does not know.

    The built-in algorithm refuses it when it starts.
    """
    for _, given in _algorithm_jobs(subject):
        for name, pointer in given.items():
            if name not in HYPERPARAMETERS and not name.startswith("sagemaker_"):
                remedy = did_you_mean(name, HYPERPARAMETERS) or "remove it"
                yield Violation(pointer, f"XGBoost has no hyperparameter {name}", remedy)


def _algorithm_jobs(subject: Subject) -> Iterator[tuple[JobRequest, Mapping[str, str]]]:
    """The jobs of the built-in XGBoost, with the pointer to each hyperparameter, those of the search among them."""
    for job, address in job_images(subject):
        fixed = job.fixed_hyperparameters
        has_own = job.get("AlgorithmSpecification", "ContainerEntrypoint") or _PROGRAM in fixed
        if job.trains and address.repository in REPOSITORIES and not has_own and not is_expression(fixed):
            given = {name: job.pointer_to(job.hyperparameters, name) for name in fixed}
            yield job, {**given, **_searched(subject, job)}


def _searched(subject: Subject, job: JobRequest) -> Mapping[str, str]:
    return {tuned.name: f"{tuned.pointer}/Name" for tuned in ranges(subject) if tuned.step is job.step}
