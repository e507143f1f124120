"""`pedigree results`: prints the results of an execution: champion, trials, model version, endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import printing
from pedigree.cli.options import AccountOptions, expand_options
from pipeline.commands.context import ProjectContext, connect_project

if TYPE_CHECKING:
    from pedigree.account.endpoint_status import Report
    from pedigree.account.progress import ExecutionProgress
    from pipeline.account.results import ChampionResult, Results, TrialResults

Line = tuple[str, str]
_LABELS = 3


@expand_options
def command(
    target: AccountOptions,
    execution: Annotated[
        str, typer.Argument(metavar="[EXECUTION]", help="The start of its id, or its name; default: newest.")
    ] = "",
) -> None:
    """Print the results of an execution."""
    context = connect_project(target)
    from pedigree.account import executions
    from pedigree.account.progress import progress_reader
    from pipeline.account.results import results

    pipeline = context.pipeline
    arn = executions.choose(context.account, pipeline, execution).arn
    view = progress_reader(context.account, pipeline, arn)()
    print_lines(lines(context, view, results(context.account, view)))


def print_lines(named_texts: Iterator[Line]) -> None:
    """Prints each result after its name."""
    for name, text in named_texts:
        printing.line(f"{name:<12}  {text}")


def lines(context: ProjectContext, view: ExecutionProgress, results: Results) -> Iterator[Line]:
    """The results, in the order of the steps."""
    from pedigree.cli.execution_view import headline

    yield "Execution", headline(view.execution, context.account.clock.now()).removeprefix("execution ")
    if results.trials:
        yield "Trials", _trials(results.trials)
    if results.champion:
        yield from _champion(results.champion)
    for note in results.notes.get("RegisterModel", ()):
        yield "Model", f"{context.pipeline}, {note}"
    yield from _endpoint(context)


def prediction(context: ProjectContext, content: bytes, label: str) -> str:
    """The predicted labels of a picture, after its true label."""
    import base64

    from pipeline.account.predict import predict

    event = {"image": base64.b64encode(content).decode()}
    predictions = predict(context.account, context.pipeline, event)[:_LABELS]
    return f"{label}: " + ", ".join(f"{prediction.label} {prediction.probability:.0%}" for prediction in predictions)


def _trials(trials: TrialResults) -> str:
    completed = sum(trial.status == "Completed" for trial in trials.all)
    text = f"{completed} of {len(trials.all)} completed"
    if trials.best is None or trials.best.reached is None:
        return text
    values = ", ".join(f"{name} {_short(value)}" for name, value in trials.best.values.items())
    return f"{text}; the best has {trials.metric} {trials.best.reached:.4g} with {values}"


def _short(value: str) -> str:
    """A number as people write it: Optuna's have seventeen digits."""
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value.strip('"')


def _champion(champion: ChampionResult) -> Iterator[Line]:
    yield "Champion", f"{champion.name}: {champion.accuracy:.1%} of {champion.pictures} test pictures right"
    yield "", champion.reason
    yield "Report", champion.report


def _endpoint(context: ProjectContext) -> Iterator[Line]:
    from pedigree.account.endpoint_status import report
    from pedigree.account.errors import AbsentError

    try:
        endpoint_report = report(context.account, context.settings.endpoint.name)
    except AbsentError:
        return
    yield "Endpoint", f"{endpoint_report.name}: {endpoint_report.status}, {endpoint_report.configuration}"
    yield from _fleets(endpoint_report)


def _fleets(endpoint_report: Report) -> Iterator[Line]:
    for fleet in endpoint_report.fleets:
        yield "Instances", f"{fleet.now} of {fleet.desired} x {fleet.instance_type}, {fleet.variant}"
        if fleet.scaling:
            policies = ", ".join(
                f"{policy.metric} {policy.target:g}" for policy in fleet.scaling.policies if policy.target
            )
            yield "Scaling", f"{fleet.scaling.least} to {fleet.scaling.most} instances, at {policies or 'no target'}"
