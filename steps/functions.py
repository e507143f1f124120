"""The Lambda functions around the endpoint: their names, their sizes, and the steps that call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from steps import dag
from steps.build import Build
from steps.config import Config

LambdaMegabytes = Annotated[int, Field(ge=128, le=10_240)]
StepSeconds = Annotated[int, Field(ge=10, le=600)]
LIVE = "live"  # the alias that all callers use: it moves to a version when that is complete
MOST_RECEIVES = 990  # how often a waiting message can be received: SQS counts to 1000, and some are spare
FUNCTIONS = {
    "deploy": "deploy-endpoint",
    "await": "await-endpoint",
    "autoscale": "configure-autoscaling",
    "predict": "predict",
}


class StepFunctionConfig(Config):
    """A function that a step calls; the step waits ten minutes at most."""

    memory_megabytes: LambdaMegabytes = 256
    timeout_seconds: StepSeconds = 240
    """A step waits ten minutes at most."""


class AwaitFunctionConfig(Config):
    """The function that the queue calls until the endpoint is in service or time is up."""

    memory_megabytes: LambdaMegabytes = 128
    timeout_seconds: Annotated[int, Field(ge=2, le=600)] = 30
    poll_seconds: Annotated[int, Field(ge=2, le=3600)] = 60
    """Between two polls of the endpoint."""
    give_up_minutes: Annotated[int, Field(ge=5, le=1440)] = 180
    """Then the step fails."""


class PredictFunctionConfig(Config):
    """The function that clients call for predictions."""

    memory_megabytes: LambdaMegabytes = 256
    timeout_seconds: Annotated[int, Field(ge=1, le=900)] = 65
    reserved_concurrency: Annotated[int, Field(ge=0, le=10_000)] = 10
    """0: none reserved."""
    provisioned_concurrency: Annotated[int, Field(ge=0, le=10_000)] = 2
    """0: none kept warm; these cost while they wait."""


class FunctionsConfig(Config):
    """The Lambda functions around the endpoint."""

    runtime: Literal["python3.11", "python3.12", "python3.13", "python3.14"] = "python3.13"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827] = 30
    deploy: StepFunctionConfig = StepFunctionConfig()
    await_: Annotated[AwaitFunctionConfig, Field(alias="await")] = AwaitFunctionConfig()
    autoscale: StepFunctionConfig = StepFunctionConfig(memory_megabytes=128)
    predict: PredictFunctionConfig = PredictFunctionConfig()


def function_name(pipeline: str, function: str) -> str:
    """The name of a function; it contains "sagemaker", because AWS's managed policies allow no others."""
    return f"sagemaker-{pipeline}-{FUNCTIONS[function]}"


def live_name(pipeline: str, function: str) -> str:
    """The name that callers use: the function with the alias of its live version."""
    return f"{function_name(pipeline, function)}:{LIVE}"


def queue_name(pipeline: str) -> str:
    """The name of the queue for the messages of waiting steps."""
    return f"{pipeline}-{FUNCTIONS['await']}"


def function_step(
    name: str, function: str, build: Build, *, description: str, event: Mapping[str, Any], results: Sequence[str]
) -> dag.Step:
    """A step that calls a function with a flat event and declares its results."""
    arn = build.site.arn("lambda", f"function:{live_name(build.pipeline, function)}")
    return dag.LambdaStep(
        name,
        lambda_func=dag.Lambda(function_arn=arn, session=dag.NO_SESSION),
        description=description,
        inputs=dict(event),
        outputs=[dag.LambdaOutput(result, dag.LambdaOutputTypeEnum.String) for result in results],
    )


def result(step: dag.Step, name: str) -> dag.Expression:
    """A declared result of a function step or a callback step."""
    return step.properties.Outputs[name]
