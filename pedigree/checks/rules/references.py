"""References: everything that is named must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.errors import Missing
from pedigree.language.near import did_you_mean


@rule("REF001", Severity.ERROR)
def parameter(subject: Subject) -> Iterator[Violation]:
    """Unknown parameter.

    Every {"Get": "Parameters.X"} needs an X among the Parameters.
    """
    yield from _dangling(subject, "parameter", "declare it under Parameters, or refer to one that is")


@rule("REF002", Severity.ERROR)
def step(subject: Subject) -> Iterator[Violation]:
    """Unknown step.

    An expression refers to it, or a step waits for it (DependsOn).
    """
    yield from _dangling(subject, "step", "refer to a step of this definition")


@rule("REF003", Severity.ERROR)
def path(subject: Subject) -> Iterator[Violation]:
    """Unknown value of a step.

    A step of type Training, Processing, Tuning, Transform, Model, RegisterModel, EndpointConfig or Endpoint has
    the members of the matching Describe operation's answer, and nothing else.
    """
    yield from _dangling(subject, "path", "refer to a member of the Describe operation's answer")


@rule("REF004", Severity.ERROR)
def variable(subject: Subject) -> Iterator[Violation]:
    """Unknown execution variable.

    There are StartDateTime, CurrentDateTime, PipelineName, PipelineArn, PipelineExecutionId, PipelineExecutionArn,
    TrainingJobName and ProcessingJobName.
    """
    yield from _dangling(subject, "variable", "use one like Execution.PipelineExecutionId")


@rule("REF005", Severity.ERROR)
def property_file(subject: Subject) -> Iterator[Violation]:
    """Unknown property file.

    A JsonGet reads a file that a processing step declares under PropertyFiles.
    """
    yield from _dangling(subject, "property file", "declare it under the step's PropertyFiles")


@rule("REF006", Severity.ERROR)
def property_file_output(subject: Subject) -> Iterator[Violation]:
    """Property file in an unknown output.

    The file is in the output of that name, so the name must be one of ProcessingOutputConfig.Outputs.
    """
    for processing in subject.steps:
        for index, file in enumerate(processing.property_files if processing.type == "Processing" else ()):
            names = subject.output_names(processing)
            if file.output and file.output not in names:
                pointer = f"{processing.pointer}/PropertyFiles/{index}/OutputName"
                cause = f"{processing.name} has no output {file.output} for its file {file.name}"
                yield Violation(pointer, cause, did_you_mean(file.output, names) or "name an output of the step")


@rule("REF007", Severity.ERROR)
def output(subject: Subject) -> Iterator[Violation]:
    """Undeclared output of a function.

    A Lambda or Callback step has OutputParameters['name'] for its declared outputs, and nothing else.
    """
    yield from _dangling(subject, "output", "declare it under the step's OutputParameters")


@rule("REF008", Severity.ERROR)
def tuned(subject: Subject) -> Iterator[Violation]:
    """Hyperparameter that the search does not tune.

    TunedHyperParameters has the keys of the ranges only, never the static ones: those are known when the definition
    is built, so write the value itself.
    """
    yield from _dangling(subject, "tuned", "give it a range in the search, or write its value")


@rule("REF009", Severity.ERROR)
def entry(subject: Subject) -> Iterator[Violation]:
    """Unknown output, input or channel of a step's request.

    Lists like ProcessingOutputConfig.Outputs['train'] are looked up by the names in the request; a search's
    summaries go from [0] to [49].
    """
    yield from _dangling(subject, "entry", "use a name that the step's request has")


@rule("REF012", Severity.ERROR)
def expression(subject: Subject) -> Iterator[Violation]:
    """Malformed expression.

    There are Get, Std:Join and Std:JsonGet.
    """
    for malformed in subject.malformed_expressions:
        cause = re.sub(r"\s+", " ", malformed.error.cause)
        remedy = malformed.error.remedy or "write Parameters.X, Execution.X or Steps.X.Member"
        yield Violation(malformed.pointer, cause, remedy)


@rule("REF014", Severity.ERROR)
def best_of_several(subject: Subject) -> Iterator[Violation]:
    """BestTrainingJob of a search with several training definitions.

    Such a search has OverallBestTrainingJob; BestTrainingJob is for searches with one definition.
    """
    several = {tuning.name for tuning in subject.steps if "TrainingJobDefinitions" in tuning.arguments}
    for use in subject.step_uses:
        segments = use.reference.path
        if use.reference.step in several and segments and getattr(segments[0], "name", "") == "BestTrainingJob":
            cause = f"{use.reference.step} has several training definitions and so no BestTrainingJob"
            yield Violation(use.pointer, cause, "write OverallBestTrainingJob")


def _dangling(subject: Subject, missing: Missing, remedy: str) -> Iterator[Violation]:
    """The dangling references that lack one kind of thing; the remedy is for those without a better one."""
    for dangling in subject.dangling_references:
        if dangling.error.missing == missing:
            yield Violation(dangling.use.pointer, dangling.error.cause, dangling.error.remedy or remedy)
