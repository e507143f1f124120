"""The pipelines that run while the daemon is killed, with steps of every type, and how their executions should end."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.localaws.daemon import ACCOUNT
from tests.crashing.daemon import KillableDaemon
from tests.crashing.ledger import SHELL

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
BUCKET, GROUP, PIPELINE, SLEEPING_PIPELINE = "bucket", "dogs", "work", "long"
QUEUE, EVENTS, FIRED, STORED = "await", "events", "fired", "stored"
ENDPOINT = "served"
CONFIGURATIONS = ("first", "second")
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
_EXECUTION = {"Get": "Execution.PipelineExecutionId"}
_FUNCTION = """
import os, time
def note(event, what):
    with open(event["ledger"], "a") as ledger:
        ledger.write(f"{event['execution']}/{event['step']} {what} {time.time():.9f}\\n")
def handler(event, context):
    marker = event["ledger"] + "." + event["execution"]
    if event.get("flaky") and not os.path.exists(marker):
        open(marker, "w").close()
        raise RuntimeError("not the first time")
    note(event, "begin")
    time.sleep(0.05)
    note(event, "end")
    return {"number": 7, "word": "seven"}
"""
_INFERENCE = """
def model_fn(folder): return folder
def input_fn(body, kind): return body
def predict_fn(data, model): return data
def output_fn(prediction, accept): return prediction, accept
"""


@dataclass(frozen=True)
class ExpectedEnding:
    """How an undisturbed execution ends: its status, the status of each step, and why one failed."""

    status: str
    steps: Mapping[str, str]
    reason: str = ""
    report: str = ""


_BOTH = dict.fromkeys(("Count", "Flaky", "Prepare", "Judge"), "Succeeded")
_GOOD = dict.fromkeys(("Train", "Search", "Approve", "Register", "Model", "Configure", "Report"), "Succeeded")
EXPECTED_ENDINGS: Mapping[str, ExpectedEnding] = {
    "good": ExpectedEnding("Succeeded", {**_BOTH, **_GOOD}, report="7 seven yes\n"),
    "poor": ExpectedEnding("Failed", {**_BOTH, "Refuse": "Failed"}, reason="not good: 7"),
    "halted": ExpectedEnding("Stopped", {"Sleep": "Stopped"}),
}
CACHED = ("Prepare",)
"""Steps that an execution of the same wave may have from another one."""


def create_resources(daemon: KillableDaemon, ledger: Path) -> None:
    """Create everything that executions need."""
    _roles(daemon)
    s3, sagemaker, sqs = (daemon.client(name) for name in ("s3", "sagemaker", "sqs"))
    s3.create_bucket(Bucket=BUCKET)
    queue = sqs.create_queue(QueueName=QUEUE, Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    for name in (FIRED, STORED):
        sqs.create_queue(QueueName=name)
    _rule(daemon)
    daemon.client("lambda").create_function(
        FunctionName="count",
        Runtime="python3.13",
        Role=ROLE,
        Handler="function.handler",
        Code={"ZipFile": _zipped(_FUNCTION)},
        Timeout=20,
    )
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    for name, steps in ((PIPELINE, _steps(str(ledger), queue)), (SLEEPING_PIPELINE, [_sleeping(str(ledger))])):
        text = json.dumps({"Version": "2020-12-01", "Parameters": _PARAMETERS, "Steps": steps})
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE)
    _serve(daemon)


def _roles(daemon: KillableDaemon) -> None:
    services = [f"{name}.amazonaws.com" for name in ("sagemaker", "lambda", "events", "scheduler")]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = daemon.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName="worker", PolicyName="every", PolicyDocument=_policy(every))


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _rule(daemon: KillableDaemon) -> None:
    """A queue that gets an event of each approval."""
    sqs = daemon.client("sqs")
    url = sqs.create_queue(QueueName=EVENTS)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{EVENTS}"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy({**allowed, "Resource": arn})})
    pattern = {"source": ["aws.sagemaker"], "detail": {"ModelApprovalStatus": ["Approved"]}}
    daemon.client("events").put_rule(Name="approvals", EventPattern=json.dumps(pattern))
    daemon.client("events").put_targets(Rule="approvals", Targets=[{"Id": "queue", "Arn": arn}])


def _serve(daemon: KillableDaemon) -> None:
    """An endpoint, and two configurations that it can have."""
    sagemaker = daemon.client("sagemaker")
    daemon.client("s3").put_object(Bucket=BUCKET, Key="served.tar.gz", Body=_tarred("code/inference.py", _INFERENCE))
    container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/served.tar.gz"}
    sagemaker.create_model(ModelName="served", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    for name in CONFIGURATIONS:
        variant = {"VariantName": "all", "ModelName": "served", "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=CONFIGURATIONS[0])


def _zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("function.py", text)
    return buffer.getvalue()


def _tarred(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


_PARAMETERS = [
    {"Name": "Wave", "Type": "String", "DefaultValue": "none"},
    {"Name": "Least", "Type": "Float", "DefaultValue": 0.5},
]
_WAVE = {"Get": "Parameters.Wave"}


def _steps(ledger: str, queue: str) -> list[dict[str, Any]]:
    good = [
        _train(ledger),
        _search(ledger),
        _approve(queue),
        _register(),
        _model(),
        _configure(),
        _report(ledger),
    ]
    report = {"Get": "Steps.Prepare.PropertyFiles.report"}
    enough = {
        "Type": "GreaterThanOrEqualTo",
        "LeftValue": {"Std:JsonGet": {"PropertyFile": report, "Path": "accuracy"}},
        "RightValue": {"Get": "Parameters.Least"},
    }
    said = _joined(": ", "not good", _output("Count", "number"))
    refuse = {"Name": "Refuse", "Type": "Fail", "Arguments": {"ErrorMessage": said}}
    judge = {"Conditions": [enough], "IfSteps": good, "ElseSteps": [refuse]}
    return [
        _function(ledger, "Count"),
        {**_function(ledger, "Flaky", flaky=True), "RetryPolicies": [_RETRY]},
        _prepare(ledger),
        {"Name": "Judge", "Type": "Condition", "Arguments": judge, "DependsOn": ["Flaky"]},
    ]


_RETRY = {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 3}


def _output(step: str, name: str) -> dict[str, str]:
    return {"Get": f"Steps.{step}.OutputParameters['{name}']"}


def _joined(on: str, *values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def _function(ledger: str, name: str, **more: Any) -> dict[str, Any]:
    outputs = [("number", "Integer"), ("word", "String")]
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:count",
        "Arguments": {"ledger": ledger, "execution": _EXECUTION, "step": name, **more},
        "OutputParameters": [{"OutputName": output, "OutputType": kind} for output, kind in outputs],
    }


def _processing(script: str, place: Any, environment: Mapping[str, Any]) -> dict[str, Any]:
    output = {"S3Uri": place, "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["/bin/sh", "-c", SHELL + script]},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
        "Environment": environment,
        "RoleArn": ROLE,
    }


def _prepare(ledger: str) -> dict[str, Any]:
    script = (
        'note "$WAVE/Prepare" begin; sleep 0.3; cd /opt/ml/processing/out; '
        'echo "{\\"accuracy\\": 0.$NUMBER}" > report.json; note "$WAVE/Prepare" end'
    )
    environment = {"LEDGER": ledger, "WAVE": _WAVE, "NUMBER": _joined("", _output("Count", "number"))}
    return {
        "Name": "Prepare",
        "Type": "Processing",
        "Arguments": _processing(script, _joined("/", f"s3://{BUCKET}", _WAVE), environment),
        "PropertyFiles": [{"PropertyFileName": "report", "OutputName": "out", "FilePath": "report.json"}],
        "CacheConfig": {"Enabled": True, "ExpireAfter": "PT1H"},
    }


def _training(ledger: str, script: str, **algorithm: Any) -> dict[str, Any]:
    """What trainings and trials have in common."""
    source = {"S3DataType": "S3Prefix", "S3Uri": _joined("/", f"s3://{BUCKET}", _WAVE)}
    return {
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File", **algorithm},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "Environment": {"LEDGER": ledger, "EXECUTION": _EXECUTION, "SCRIPT": SHELL + script},
        "RoleArn": ROLE,
    }


def _train(ledger: str) -> dict[str, Any]:
    # It does what it should not do with its input, too: write to it.
    script = (
        'note "$EXECUTION/Train" begin; sleep 0.5; cd /opt/ml/input/data/train; cp report.json /opt/ml/model/; '
        'echo harm >> report.json; note "$EXECUTION/Train" end'
    )
    command = ["/bin/sh", "-c", SHELL + script]
    arguments = {**_training(ledger, "true", ContainerEntrypoint=command), "ResourceConfig": CLUSTER}
    return {"Name": "Train", "Type": "Training", "Arguments": arguments}


def _search(ledger: str) -> dict[str, Any]:
    script = (
        'note "$EXECUTION/Search/$TRAINING_JOB_NAME" begin; sleep 0.2; echo "loss=$(h x)"; '
        'note "$EXECUTION/Search/$TRAINING_JOB_NAME" end'
    )
    arguments = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0.001", "MaxValue": "1"}]},
        },
        "TrainingJobDefinition": {
            **_training(ledger, script, MetricDefinitions=[{"Name": "loss", "Regex": "loss=(.*)"}]),
            "ResourceConfig": CLUSTER,
        },
    }
    return {"Name": "Search", "Type": "Tuning", "Arguments": arguments}


def _approve(queue: str) -> dict[str, Any]:
    return {
        "Name": "Approve",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"wave": _WAVE},
        "OutputParameters": [{"OutputName": "answer", "OutputType": "String"}],
    }


def _register() -> dict[str, Any]:
    container = {"Image": "image", "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/plain"],
        "SupportedResponseMIMETypes": ["text/plain"],
    }
    arguments = {"ModelPackageGroupName": GROUP, "InferenceSpecification": specification}
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}


def _model() -> dict[str, Any]:
    container = {"Image": "image", "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
    return {"Name": "Model", "Type": "Model", "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}}


def _configure() -> dict[str, Any]:
    variant = {
        "VariantName": "all",
        "ModelName": {"Get": "Steps.Model.ModelName"},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    return {"Name": "Configure", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [variant]}}


def _report(ledger: str) -> dict[str, Any]:
    script = (
        'note "$EXECUTION/Report" begin; echo "$NUMBER $WORD $ANSWER" > /opt/ml/processing/out/report; '
        'note "$EXECUTION/Report" end'
    )
    environment = {
        "LEDGER": ledger,
        "EXECUTION": _EXECUTION,
        "NUMBER": _joined("", _output("Count", "number")),
        "WORD": _output("Flaky", "word"),
        "ANSWER": _output("Approve", "answer"),
        "BEST": {"Get": "Steps.Search.BestTrainingJob.TrainingJobName"},
        "PACKAGE": {"Get": "Steps.Register.ModelPackageArn"},
    }
    place = _joined("/", f"s3://{BUCKET}/reports", _EXECUTION)
    return {
        "Name": "Report",
        "Type": "Processing",
        "Arguments": _processing(script, place, environment),
        "DependsOn": ["Configure"],
    }


def _sleeping(ledger: str) -> dict[str, Any]:
    """A step that ends only when it is stopped."""
    script = 'trap "exit 0" TERM; note "$EXECUTION/Sleep" begin; while true; do sleep 0.1; done'
    environment = {"LEDGER": ledger, "EXECUTION": _EXECUTION}
    arguments = _processing(script, _joined("/", f"s3://{BUCKET}/never", _EXECUTION), environment)
    return {"Name": "Sleep", "Type": "Processing", "Arguments": arguments}
