"""References: everything that is named must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.rule import rule
from pedigree.checks.subject import Lost, Subject


def _lost(subject: Subject, kind: str, otherwise: str) -> Iterator[Spot]:
    for one in subject.lost:
        if one.kind == kind:
            yield _spot(one, otherwise)


def _spot(one: Lost, otherwise: str) -> Spot:
    cause, _, hint = one.cause.partition("; ")
    return Spot(one.pointer, cause, hint or otherwise)


@rule("REF001", Severity.ERROR)
def parameter(subject: Subject) -> Iterator[Spot]:
    """A parameter that the definition does not declare.

    Every {"Get": "Parameters.X"} needs an X among the Parameters.
    """
    yield from _lost(subject, "parameter", "declare it under Parameters, or refer to one that is")


@rule("REF002", Severity.ERROR)
def step(subject: Subject) -> Iterator[Spot]:
    """A step that the definition does not have.

    In an expression, or among those that a step waits for (DependsOn).
    """
    yield from _lost(subject, "step", "refer to a step of this definition")


@rule("REF003", Severity.ERROR)
def path(subject: Subject) -> Iterator[Spot]:
    """A value that the step does not have.

    A step of type Training, Processing, Tuning, Transform, Model, RegisterModel, EndpointConfig or Endpoint has
    what the matching Describe operation answers, and nothing else.
    """
    yield from _lost(subject, "path", "refer to what the Describe operation of the step answers")


@rule("REF004", Severity.ERROR)
def variable(subject: Subject) -> Iterator[Spot]:
    """An execution variable that does not exist.

    There are StartDateTime, CurrentDateTime, PipelineName, PipelineArn, PipelineExecutionId, PipelineExecutionArn,
    TrainingJobName and ProcessingJobName.
    """
    yield from _lost(subject, "variable", "use one like Execution.PipelineExecutionId")


@rule("REF005", Severity.ERROR)
def property_file(subject: Subject) -> Iterator[Spot]:
    """A property file that the step does not declare.

    A JsonGet reads a file that a processing step declares under PropertyFiles.
    """
    yield from _lost(subject, "property file", "declare it under the step's PropertyFiles")


@rule("REF006", Severity.ERROR)
def property_file_output(subject: Subject) -> Iterator[Spot]:
    """A property file in an output that the step does not have.

    The file is looked for in the output of that name, so the name must be one of ProcessingOutputConfig.Outputs.
    """
    for one in subject.steps:
        for index, file in enumerate(one.property_files if one.type == "Processing" else ()):
            names = subject.outputs(one)
            if file.output and file.output not in names:
                cause = f"{one.name} has no output {file.output} for its file {file.name}"
                yield Spot(
                    f"{one.pointer}/PropertyFiles/{index}/OutputName", cause, subject.near(file.output, names) or _NONE
                )


_NONE = "name an output of the step"


@rule("REF007", Severity.ERROR)
def declared(subject: Subject) -> Iterator[Spot]:
    """An output that the function does not declare.

    A Lambda or Callback step has OutputParameters['name'] for those that are declared, and nothing else.
    """
    yield from _lost(subject, "output", "declare it under the step's OutputParameters")


@rule("REF008", Severity.ERROR)
def tuned(subject: Subject) -> Iterator[Spot]:
    """A hyperparameter that the search does not tune.

    TunedHyperParameters has the keys of the ranges only, never the static ones: those are known when the definition
    is built, so write the value itself.
    """
    yield from _lost(subject, "tuned", "give it a range in the search, or write its value")


@rule("REF009", Severity.ERROR)
def entry(subject: Subject) -> Iterator[Spot]:
    """An output, input or channel that the step's request does not have.

    Lists like ProcessingOutputConfig.Outputs['train'] are looked up by the names that the request gives; a search's
    summaries go from [0] to [49].
    """
    yield from _lost(subject, "entry", "use a name that the step's request has")


@rule("REF010", Severity.ERROR)
def branch(subject: Subject) -> Iterator[Spot]:
    """A step that runs in another branch only.

    What lies in a branch of a condition may not run, so only steps of that branch can use it.
    """
    yield from _lost(subject, "branch", "move the step into that branch, or what it uses out of it")


@rule("REF012", Severity.ERROR)
def expression(subject: Subject) -> Iterator[Spot]:
    """An expression that cannot be read.

    There are Get, Std:Join and Std:JsonGet.
    """
    for pointer, cause in subject.broken:
        told, _, remedy = cause.partition("; ")
        yield Spot(pointer, re.sub(r"\s+", " ", told), remedy or "write Parameters.X, Execution.X or Steps.X.Member")


@rule("REF014", Severity.ERROR)
def best_of_several(subject: Subject) -> Iterator[Spot]:
    """The best job of a search with several training definitions.

    Such a search has OverallBestTrainingJob; BestTrainingJob is for searches with one definition.
    """
    several = {one.name for one in subject.steps if "TrainingJobDefinitions" in one.arguments}
    for use in subject.step_uses:
        path = use.reference.path
        if use.reference.step in several and path and getattr(path[0], "name", "") == "BestTrainingJob":
            cause = f"{use.reference.step} has several training definitions and so no BestTrainingJob"
            yield Spot(use.pointer, cause, "write OverallBestTrainingJob")
