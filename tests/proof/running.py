"""Executions of the pipeline: jobs, models and functions do their real work with their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.account.apply import apply_plan
from pedigree.account.plan import plan
from pipeline.account.upsert import resources
from tests.policies.arns import ACCOUNT, IN_ACCOUNT, REGION
from tests.proof.container import scripts
from tests.proof.environment import ProofEnvironment
from tests.support.waiting import until

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
PIPELINE = "dog-breeds"
NEVER = {"max_attempts": 0, "expire_after_minutes": 0}
SETTINGS: Mapping[str, Any] = {
    **IN_ACCOUNT,
    **{f"cache.{kind}": "" for kind in ("processing", "tuning", "training")},
    **{f"retries.{kind}.{key}": 0 for kind in ("processing", "tuning", "training", "registry") for key in NEVER},
    "data.source": "s3://images/dogs/",
    "distributed.enabled": False,
    "endpoint.capture_percent": 10,
    "endpoint.update.termination_wait_seconds": 0,
    "endpoint.update.timeout_seconds": 600,
    "endpoint.update.wait_seconds": 0,
    "functions.await.give_up_minutes": 30,
    "functions.await.poll_seconds": 2,
    "functions.await.timeout_seconds": 2,
    "functions.predict.provisioned_concurrency": 0,
    "training.spot": True,
    "training.weights": "s3://weights/resnet.pth",
    "tuning.max_jobs": 1,
}
_SEARCHES = "HyperParameterTuningJobSummaries"
_OVER = ("Succeeded", "Failed", "Stopped")
_INTERRUPTED = "interrupted"
_WAITS = "await-endpoint"  # the pipeline does not notice when this function fails: it is retried


def set_up(env: ProofEnvironment) -> str:
    """Upsert everything, and put the data into its buckets."""
    upserted = resources(env.settings, scripts(), env.documents)
    apply_plan(upserted, env.root_account, plan(upserted, env.root_account), lambda _change: None)
    objects = env.root("s3")
    for bucket, key in (("images", "dogs/a.jpg"), ("weights", "resnet.pth")):
        objects.create_bucket(Bucket=bucket)
        objects.put_object(Bucket=bucket, Key=key, Body=b"content")
    return ""


def run_execution(env: ProofEnvironment) -> str:
    """Run an execution to its end; one that has failed is retried."""
    root = env.root("sagemaker")
    arn = env.state.get("execution")
    if arn is None:
        arn = env.state["execution"] = root.start_pipeline_execution(PipelineName=PIPELINE)["PipelineExecutionArn"]
    elif status(env, arn) in ("Failed", "Stopped"):
        root.retry_pipeline_execution(PipelineExecutionArn=arn)
    until(lambda: status(env, arn) in _OVER or env.denials(_WAITS), what=f"{arn} to end")
    ended = status(env, arn)
    if ended == "Failed":
        words = f"{failures(env, arn)} {env.denials('sagemaker')}"
        return run_execution(env) if _INTERRUPTED in words else words
    if ended == "Succeeded":
        until(lambda: env.denials() or not _waiting(env), what="the queue to be empty")
    if not env.denials():
        env.state["done"] = env.state.pop("execution")
    return env.denials()


def failures(env: ProofEnvironment, arn: str) -> str:
    """Why an execution failed: the reasons of its steps, and of the trials of its tuning job."""
    root = env.root("sagemaker")
    reasons = [str(step.get("FailureReason", "")) for step in _steps(env, arn).values()]
    for search in root.list_hyper_parameter_tuning_jobs(NameContains=f"{arn[-12:]}-Tune")[_SEARCHES]:
        name = {"HyperParameterTuningJobName": search["HyperParameterTuningJobName"]}
        trials = root.list_training_jobs_for_hyper_parameter_tuning_job(**name, StatusEquals="Failed")
        reasons += [trial["FailureReason"] for trial in trials["TrainingJobSummaries"][:1]]
    return " ".join(reasons)


def status(env: ProofEnvironment, arn: str) -> str:
    """The status of an execution."""
    return str(env.root("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])


def _steps(env: ProofEnvironment, arn: str) -> dict[str, Any]:
    page = env.root("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=100)
    return {step["StepName"]: step for step in page["PipelineExecutionSteps"]}


def _waiting(env: ProofEnvironment) -> bool:
    """Whether messages are in the queue or in flight."""
    queues = env.root("sqs")
    url = queues.get_queue_url(QueueName="dog-breeds-await-endpoint")["QueueUrl"]
    attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return any(int(attributes[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible"))
