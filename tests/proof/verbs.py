"""The operator's commands, each by the functions of pipeline.account and pedigree.account that it calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from pedigree.account import endpoint_status, executions, start, versions
from pedigree.account.apply import apply_change, apply_plan
from pedigree.account.errors import AbsentError, OperationsError
from pedigree.account.execution_logs import ExecutionLogs
from pedigree.account.plan import Change, plan
from pedigree.account.progress import progress_reader
from pedigree.account.step_logs import LogFilter
from pipeline.account import predict, rollback, schedule_status, schedule_target
from pipeline.account import schedule as schedules
from pipeline.account.past_hours import past_hours
from pipeline.account.usage import jobs
from tests.proof.account import apply_resources
from tests.proof.environment import ProofEnvironment
from tests.proof.functions import ENDPOINT, deploy, event, scaled, until_at_rest
from tests.proof.running import BUCKET, PIPELINE
from tests.proof.running import status as ended
from tests.support.waiting import until

GROUP = "dog-breeds"
# A picture of one pixel.
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_OVER = ("Succeeded", "Failed", "Stopped")


def as_text(verb: Callable[[ProofEnvironment], Any]) -> Callable[[ProofEnvironment], str]:
    """Run a command; why it failed, or which of its calls were denied."""

    def do(env: ProofEnvironment) -> str:
        try:
            verb(env)
        except OperationsError as error:
            return str(error)
        return " ".join(error for error in env.client_errors if "not authorized to perform" in error)

    return do


def _done(env: ProofEnvironment, change: Change | None) -> None:
    if change is not None:
        apply_change(change, env.account)


def _until_over(env: ProofEnvironment, arn: str) -> None:
    until(lambda: ended(env, arn) in _OVER, what="the execution to be over")


def starting(env: ProofEnvironment) -> None:
    """pedigree start, of a slow execution."""
    request = start.StartRequest(("InputDataUrl=s3://images/slow/",))
    _done(env, start.start(env.account, PIPELINE, request))


def listing(env: ProofEnvironment) -> None:
    """pedigree executions."""
    executions.newest(env.account, PIPELINE, 10)


def status(env: ProofEnvironment) -> str:
    """pedigree status, with the last log lines of failed jobs."""
    chosen = executions.choose(env.account, PIPELINE, env.state["failed"].rpartition("/")[2])
    view = progress_reader(env.account, PIPELINE, chosen.arn)()
    return " ".join(line for tail in view.logs.values() for line in tail.lines)


def following(env: ProofEnvironment) -> None:
    """pedigree status, of an execution that has succeeded."""
    progress_reader(env.account, PIPELINE, env.state["done"])()


def logging(env: ProofEnvironment) -> None:
    """pedigree logs, of an execution that has succeeded."""
    logs = ExecutionLogs(env.account, env.state["done"], LogFilter())
    logs.refresh()
    assert list(logs.new_events())


def failed_search(env: ProofEnvironment) -> None:
    """Let an execution fail in its tuning job."""
    root = env.root("sagemaker")
    given = [{"Name": "Epochs", "Value": "1003"}]
    begun = root.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
    env.state["failed"] = begun["PipelineExecutionArn"]
    _until_over(env, env.state["failed"])


def costing(env: ProofEnvironment) -> None:
    """pedigree cost: how long the jobs of past executions took."""
    past_hours(env.account, PIPELINE, jobs(env.settings))


def stopping(env: ProofEnvironment) -> None:
    """pedigree stop."""
    _done(env, executions.stop(executions.choose(env.account, PIPELINE)))


def stopped(env: ProofEnvironment) -> str:
    """Stop an execution, and wait until it has stopped."""
    arn = env.state["slow"]
    root = env.root("sagemaker")
    with suppress(ClientError):
        root.stop_pipeline_execution(PipelineExecutionArn=arn)

    _until_over(env, arn)
    steps = root.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return " ".join(step.get("FailureReason", "") for step in steps if "authorized" in step.get("FailureReason", ""))


def execution_at(step: str, **parameters: str) -> Callable[[ProofEnvironment], None]:
    """Start an execution and wait until it runs that step."""

    def before(env: ProofEnvironment) -> None:
        root = env.root("sagemaker")
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        begun = root.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
        arn = env.state["slow"] = begun["PipelineExecutionArn"]

        def is_there() -> bool:
            steps = root.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
            failed = [failed_step["StepName"] for failed_step in steps if failed_step["StepStatus"] == "Failed"]
            if failed:
                root.retry_pipeline_execution(PipelineExecutionArn=arn)
            return any(listed["StepName"] == step and listed["StepStatus"] == "Executing" for listed in steps)

        until(is_there, what=f"{step} to run")

    return before


def failed(env: ProofEnvironment) -> None:
    """Let an execution fail."""
    root = env.root("sagemaker")
    given = [{"Name": "InputDataUrl", "Value": "s3://images/nowhere/"}]
    begun = root.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
    env.state["failed"] = begun["PipelineExecutionArn"]
    _until_over(env, env.state["failed"])


def retrying(env: ProofEnvironment) -> None:
    """pedigree retry."""
    _done(env, executions.retry(executions.choose(env.account, PIPELINE, env.state["failed"])))


def another_version(env: ProofEnvironment) -> None:
    """Register a version that waits for approval."""
    root = env.root("sagemaker")
    first = root.describe_model_package(ModelPackageName=event(env, "DeployEndpoint")["model_package_arn"])
    until_at_rest(env)
    made = root.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification=first["InferenceSpecification"],
        ModelApprovalStatus="PendingManualApproval",
    )
    env.state["version"] = made["ModelPackageArn"]


def approving(env: ProofEnvironment) -> None:
    """pedigree approve, first the list and then the newest."""
    newest = versions.newest(env.account, GROUP, 10)
    versions.served(env.account, ENDPOINT)
    _done(env, versions.approve(env.account, GROUP, newest[0].number))
    until(lambda: env.has_logged('"decided"'), what="the event of the approval")


def approved(env: ProofEnvironment) -> str:
    """Approve a version; it is deployed to its endpoint and scales there."""
    root, version = env.root("sagemaker"), env.state["version"]
    root.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    until(lambda: env.denials() or env.has_logged("configure_autoscaling"), what="the version to be served")
    return env.denials()


def predicting(env: ProofEnvironment) -> str:
    """pedigree predict, with a local picture and with one in S3."""
    env.root("s3").put_object(Bucket=BUCKET, Key="pedigree/pictures/dog.png", Body=_PNG)
    for picture in ({"image": base64.b64encode(_PNG).decode()}, {"url": f"s3://{BUCKET}/pedigree/pictures/dog.png"}):
        try:
            predict.predict(env.account, PIPELINE, picture)
        except OperationsError as error:
            return f"{error} {env.denials()}"
    return ""


def endpoint(env: ProofEnvironment) -> None:
    """pedigree endpoint-status."""
    endpoint_status.report(env.account, ENDPOINT)


def rolling_back(env: ProofEnvironment) -> None:
    """pedigree rollback to the configuration before."""
    planned = rollback.plan(env.account, env.settings, ENDPOINT)
    _done(env, rollback.change(env.settings, planned))
    until_at_rest(env)


def rollback_to_nothing(env: ProofEnvironment) -> None:
    """pedigree rollback to a configuration that does not exist: it lists the existing ones."""
    try:
        rollback.plan(env.account, env.settings, ENDPOINT, "dog-breeds-v9-0123456789")
    except AbsentError:
        return


def scheduling(env: ProofEnvironment) -> None:
    """pedigree schedule make, pause, show."""
    schedule_target.check(env.account, env.settings)
    for resource in (schedules.managed_schedule(env.settings), schedules.Switch(env.settings, "DISABLED")):
        apply_plan([resource], env.account, plan([resource], env.account), lambda _change: None)
    schedule_status.status(env.account, env.settings)


def unscheduling(env: ProofEnvironment) -> str:
    """pedigree schedule remove."""
    return apply_resources([schedules.Removal(env.settings)], env.account)


def schedule_fires(env: ProofEnvironment) -> str:
    """Let the schedule fire at once: it starts an execution, or sends the reason to its dead-letter queue."""
    scheduler = env.root("scheduler")
    there = scheduler.get_schedule(Name=PIPELINE)
    unchanged = {name: there[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
    before = _count(env)
    minutes = env.state["minutes"] = env.state.get("minutes", 10) + 1  # another rate starts a new period
    scheduler.update_schedule(**unchanged, State="ENABLED", ScheduleExpression=f"rate({minutes} minutes)")
    until(lambda: env.denials() or _count(env) > before or _letters(env), what="the schedule to fire")
    letter = env.state.pop("letters", "")
    return env.denials() or (letter if "authorized" in letter else "")


def _count(env: ProofEnvironment) -> int:
    as_text = env.root("sagemaker").list_pipeline_executions(PipelineName=PIPELINE, MaxResults=100)
    return len(as_text["PipelineExecutionSummaries"])


def _letters(env: ProofEnvironment) -> bool:
    queues = env.root("sqs")
    url = queues.get_queue_url(QueueName="dog-breeds-schedule-dead")["QueueUrl"]
    as_text = queues.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    for message in as_text:
        env.state["letters"] = message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bool(as_text)


def schedule_of_wrong_parameters(env: ProofEnvironment) -> None:
    """Let the schedule pass a parameter that the pipeline does not have."""
    scheduler = env.root("scheduler")
    there = scheduler.get_schedule(Name=PIPELINE)
    parameters = {"PipelineParameterList": [{"Name": "Nothing", "Value": json.dumps(None)}]}
    target = {**there["Target"], "SageMakerPipelineParameters": parameters}
    unchanged = {name: there[name] for name in ("Name", "FlexibleTimeWindow", "State", "ScheduleExpression")}
    scheduler.update_schedule(**unchanged, Target=target)


def deployed_twice(env: ProofEnvironment) -> None:
    """Deploy twice, on different instance types, and let the endpoint scale."""
    for kind in ("ml.m5.xlarge", "ml.c5.xlarge"):
        env.clear()
        until_at_rest(env)
        deploy(env, instance_type=kind)
    scaled(env)
