"""What the operator types: each verb by the operations that it stands on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from pedigree.account import endpoint_status, executions, start, versions
from pedigree.account.errors import AbsentError, OperationsError
from pedigree.account.perform import carry_out, fulfil
from pedigree.account.plan import Change, plan
from pedigree.account.progress import viewer
from pipeline.account import predict, rollback, schedule_status, schedule_target
from pipeline.account import schedule as schedules
from pipeline.account.past_hours import past_hours
from pipeline.account.usage import jobs
from tests.proof.account import brought_about
from tests.proof.functions import ENDPOINT, at_rest, deploy, event, scaled
from tests.proof.running import BUCKET, PIPELINE, until
from tests.proof.running import status as ended
from tests.proof.stage import Stage

GROUP = "dog-breeds"
# A picture of one pixel.
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_OVER = ("Succeeded", "Failed", "Stopped")


def told(verb: Callable[[Stage], Any]) -> Callable[[Stage], str]:
    """A verb that answers why it failed, or what it was refused on its way."""

    def do(stage: Stage) -> str:
        try:
            verb(stage)
        except OperationsError as error:
            return str(error)
        return " ".join(one for one in stage.answered if "not authorized to perform" in one)

    return do


def _done(stage: Stage, change: Change | None) -> None:
    if change is not None:
        carry_out(change, stage.account)


def _until_over(stage: Stage, arn: str) -> None:
    until(lambda: ended(stage, arn) in _OVER, "the execution to be over")


def starting(stage: Stage) -> None:
    """pedigree start, of an execution that takes its time."""
    wanted = start.StartRequest(("InputDataUrl=s3://images/slow/",))
    _done(stage, start.start(stage.account, PIPELINE, wanted))


def listing(stage: Stage) -> None:
    """pedigree executions."""
    executions.newest(stage.account, PIPELINE, 10)


def status(stage: Stage) -> str:
    """pedigree status, with the ends of the logs of what failed."""
    chosen = executions.choose(stage.account, PIPELINE, stage.kept["failed"].rpartition("/")[2])
    view = viewer(stage.account, PIPELINE, chosen.arn)()
    return " ".join(line for tail in view.logs.values() for line in tail.lines)


def following(stage: Stage) -> None:
    """pedigree status, of an execution that has come to something."""
    viewer(stage.account, PIPELINE, stage.kept["done"])()


def searched(stage: Stage) -> None:
    """An execution whose search has failed."""
    root = stage.root("sagemaker")
    given = [{"Name": "Epochs", "Value": "1003"}]
    begun = root.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
    stage.kept["failed"] = begun["PipelineExecutionArn"]
    _until_over(stage, stage.kept["failed"])


def costing(stage: Stage) -> None:
    """pedigree cost: how long the jobs of past executions took."""
    past_hours(stage.account, PIPELINE, jobs(stage.settings))


def stopping(stage: Stage) -> None:
    """pedigree stop."""
    _done(stage, executions.stop(executions.choose(stage.account, PIPELINE)))


def stopped(stage: Stage) -> str:
    """An execution that is stopped, and does."""
    arn = stage.kept["slow"]
    root = stage.root("sagemaker")
    with suppress(ClientError):
        root.stop_pipeline_execution(PipelineExecutionArn=arn)

    _until_over(stage, arn)
    steps = root.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return " ".join(one.get("FailureReason", "") for one in steps if "authorized" in one.get("FailureReason", ""))


def lasting(step: str, **parameters: str) -> Callable[[Stage], None]:
    """An execution runs, and is at that step."""

    def before(stage: Stage) -> None:
        root = stage.root("sagemaker")
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        begun = root.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
        arn = stage.kept["slow"] = begun["PipelineExecutionArn"]

        def is_there() -> bool:
            steps = root.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
            failed = [one["StepName"] for one in steps if one["StepStatus"] == "Failed"]
            if failed:
                root.retry_pipeline_execution(PipelineExecutionArn=arn)
            return any(one["StepName"] == step and one["StepStatus"] == "Executing" for one in steps)

        until(is_there, f"{step} to run")

    return before


def failed(stage: Stage) -> None:
    """An execution has failed."""
    root = stage.root("sagemaker")
    given = [{"Name": "InputDataUrl", "Value": "s3://images/nowhere/"}]
    begun = root.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
    stage.kept["failed"] = begun["PipelineExecutionArn"]
    _until_over(stage, stage.kept["failed"])


def retrying(stage: Stage) -> None:
    """pedigree retry."""
    _done(stage, executions.retry(executions.choose(stage.account, PIPELINE, stage.kept["failed"])))


def another_version(stage: Stage) -> None:
    """A version waits for approval."""
    root = stage.root("sagemaker")
    first = root.describe_model_package(ModelPackageName=event(stage, "DeployEndpoint")["model_package_arn"])
    at_rest(stage)
    made = root.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification=first["InferenceSpecification"],
        ModelApprovalStatus="PendingManualApproval",
    )
    stage.kept["version"] = made["ModelPackageArn"]


def approving(stage: Stage) -> None:
    """pedigree approve, first the list and then the newest."""
    newest = versions.newest(stage.account, GROUP, 10)
    versions.served(stage.account, ENDPOINT)
    _done(stage, versions.approve(stage.account, GROUP, newest[0].number))
    until(lambda: stage.has_logged('"decided"'), "the approval to be heard")


def approved(stage: Stage) -> str:
    """A version that somebody approves comes to its endpoint by itself, and scales there."""
    root, version = stage.root("sagemaker"), stage.kept["version"]
    root.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    until(lambda: stage.trouble() or stage.has_logged("configure_autoscaling"), "the version to be served")
    return stage.trouble()


def predicting(stage: Stage) -> str:
    """pedigree predict, with a picture that is here and one that lies in S3."""
    stage.root("s3").put_object(Bucket=BUCKET, Key="pedigree/pictures/dog.png", Body=_PNG)
    for asked in ({"image": base64.b64encode(_PNG).decode()}, {"url": f"s3://{BUCKET}/pedigree/pictures/dog.png"}):
        try:
            predict.predict(stage.account, PIPELINE, asked)
        except OperationsError as error:
            return f"{error} {stage.trouble()}"
    return ""


def endpoint(stage: Stage) -> None:
    """pedigree endpoint-status."""
    endpoint_status.report(stage.account, ENDPOINT)


def back(stage: Stage) -> None:
    """pedigree rollback: to what was there before, and to another machine by name."""
    planned = rollback.plan(stage.account, stage.settings, ENDPOINT)
    _done(stage, rollback.change(stage.settings, planned))
    at_rest(stage)


def lost(stage: Stage) -> None:
    """pedigree rollback to what is not there: it says what is."""
    try:
        rollback.plan(stage.account, stage.settings, ENDPOINT, "dog-breeds-v9-0123456789")
    except AbsentError:
        return


def scheduling(stage: Stage) -> None:
    """pedigree schedule make, pause, show."""
    schedule_target.check(stage.account, stage.settings)
    for part in (schedules.schedule_part(stage.settings), schedules.Switch(stage.settings, "DISABLED")):
        fulfil([part], stage.account, plan([part], stage.account), lambda _change: None)
    schedule_status.status(stage.account, stage.settings)


def unscheduling(stage: Stage) -> str:
    """pedigree schedule remove."""
    return brought_about([schedules.Removal(stage.settings)], stage.account)


def fired(stage: Stage) -> str:
    """What a schedule that is due at once does: it starts an execution, or leaves a message that says why not."""
    scheduler = stage.root("scheduler")
    there = scheduler.get_schedule(Name=PIPELINE)
    kept = {name: there[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
    before = _count(stage)
    minutes = stage.kept["minutes"] = stage.kept.get("minutes", 10) + 1  # another rate begins anew
    scheduler.update_schedule(**kept, State="ENABLED", ScheduleExpression=f"rate({minutes} minutes)")
    until(lambda: stage.trouble() or _count(stage) > before or _letters(stage), "the schedule to fire")
    letter = stage.kept.pop("letters", "")
    return stage.trouble() or (letter if "authorized" in letter else "")


def _count(stage: Stage) -> int:
    told = stage.root("sagemaker").list_pipeline_executions(PipelineName=PIPELINE, MaxResults=100)
    return len(told["PipelineExecutionSummaries"])


def _letters(stage: Stage) -> bool:
    queues = stage.root("sqs")
    url = queues.get_queue_url(QueueName="dog-breeds-schedule-dead")["QueueUrl"]
    told = queues.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    for one in told:
        stage.kept["letters"] = one["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        queues.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return bool(told)


def unreadable(stage: Stage) -> None:
    """The schedule starts a pipeline that is not there."""
    scheduler = stage.root("scheduler")
    there = scheduler.get_schedule(Name=PIPELINE)
    parameters = {"PipelineParameterList": [{"Name": "Nothing", "Value": json.dumps(None)}]}
    target = {**there["Target"], "SageMakerPipelineParameters": parameters}
    kept = {name: there[name] for name in ("Name", "FlexibleTimeWindow", "State", "ScheduleExpression")}
    scheduler.update_schedule(**kept, Target=target)


def moved(stage: Stage) -> None:
    """The endpoint has come to what it serves from something else, on other machines, and scales."""
    for kind in ("ml.m5.xlarge", "ml.c5.xlarge"):
        stage.forget()
        at_rest(stage)
        deploy(stage, instance_type=kind)
    scaled(stage)
