"""A small definition without a fault, which each case breaks in one way."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
TRAINING_IMAGE = f"{REGISTRY}/pytorch-training:2.6.0-gpu-py312"
ROLE = "arn:aws:iam::123456789012:role/job"
LOSS = r"loss=([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|nan|inf);"


def document() -> Document:
    """Prepare → Tune → Train → Evaluate → Gate → (Register → Deploy → Wait | Stop)."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            parameter("Epochs", "Integer", 5),
            parameter("Threshold", "Float", 0.7),
            {**parameter("Machine", "String", "ml.g5.xlarge"), "EnumValues": ["ml.g5.xlarge", "ml.g5.2xlarge"]},
            parameter("Endpoint", "String", "dogs"),
            parameter("Source", "String", "s3://data/dogs/"),
        ],
        "Steps": [prepare(), tune(), train(), evaluate(), gate()],
    }


def parameter(name: str, kind: str, default: Any) -> Document:
    return {"Name": name, "Type": kind, "DefaultValue": default}


def get(path: str) -> Document:
    return {"Get": path}


def own(*parts: str) -> Document:
    """An address of this execution's own."""
    return {"Std:Join": {"On": "/", "Values": ["s3://work", get("Execution.PipelineExecutionId"), *parts]}}


def text(path: str) -> Document:
    return {"Std:Join": {"On": "", "Values": [get(path)]}}


def retries() -> list[Document]:
    return [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3, "IntervalSeconds": 5, "BackoffRate": 2.0}]


def processing(name: str, inputs: dict[str, Any], outputs: list[str], **more: Any) -> Document:
    arguments = {
        "AppSpecification": {"ImageUri": f"{REGISTRY}/pytorch-training:2.6.0-cpu-py312", "ContainerArguments": ["-v"]},
        "Environment": {"LOUD": "1"},
        "ProcessingInputs": [
            {
                "InputName": key,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"/opt/ml/processing/{key}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for key, uri in inputs.items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": key,
                    "S3Output": {
                        "S3Uri": own(name, key),
                        "LocalPath": f"/opt/ml/processing/{key}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for key in outputs
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": ROLE,
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


def prepare() -> Document:
    cache = {"Enabled": True, "ExpireAfter": "P30D"}
    source = {"source": get("Parameters.Source")}
    return processing("Prepare", source, ["train", "test"], CacheConfig=cache, RetryPolicies=retries())


def evaluate() -> Document:
    inputs = {
        "test": get("Steps.Prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"),
        "model": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
    }
    files = [{"PropertyFileName": "Scores", "OutputName": "scores", "FilePath": "scores.json"}]
    return processing("Evaluate", inputs, ["scores"], PropertyFiles=files)


def job(step: str) -> Document:
    uri = get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {
        "AlgorithmSpecification": {
            "TrainingImage": TRAINING_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": LOSS}],
        },
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": own(step)},
        "ResourceConfig": {"InstanceType": get("Parameters.Machine"), "InstanceCount": 1, "VolumeSizeInGB": 50},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def tune() -> Document:
    arguments = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"MetricName": "loss", "Type": "Minimize"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
                ],
                "CategoricalParameterRanges": [{"Name": "batch", "Values": ["32", "64"]}],
            },
            "TrainingJobEarlyStoppingType": "Auto",
        },
        "TrainingJobDefinition": {
            **job("Tune"),
            "StaticHyperParameters": {"epochs": text("Parameters.Epochs"), "sagemaker_program": "train.py"},
        },
    }
    return {"Name": "Tune", "Type": "Tuning", "Arguments": arguments, "RetryPolicies": retries()}


def train() -> Document:
    fixed = {
        "epochs": text("Parameters.Epochs"),
        "lr": get("Steps.Tune.BestTrainingJob.TunedHyperParameters['lr']"),
        "batch": get("Steps.Tune.BestTrainingJob.TunedHyperParameters['batch']"),
        "sagemaker_program": "train.py",
    }
    return {"Name": "Train", "Type": "Training", "Arguments": {**job("Train"), "HyperParameters": fixed}}


def gate() -> Document:
    score = {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Scores"), "Path": "accuracy"}}
    comparison = {"Type": "GreaterThanOrEqualTo", "LeftValue": score, "RightValue": get("Parameters.Threshold")}
    arguments = {
        "Conditions": [comparison],
        "IfSteps": [register(), deploy(), wait()],
        "ElseSteps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "the model is not good enough"}}],
    }
    return {"Name": "Gate", "Type": "Condition", "Arguments": arguments}


def register() -> Document:
    container = {
        "Image": f"{REGISTRY}/pytorch-inference:2.6.0-cpu-py312",
        "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
    }
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["image/png"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    arguments = {"ModelPackageGroupName": "dogs", "InferenceSpecification": specification}
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}


def deploy() -> Document:
    return {
        "Name": "Deploy",
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:sagemaker-deploy",
        "Arguments": {
            "package": get("Steps.Register.ModelPackageArn"),
            "endpoint_name": get("Parameters.Endpoint"),
            "instance_type": "ml.m5.large",
            "max_capacity": 3,
        },
        "OutputParameters": [{"OutputName": "outcome", "OutputType": "String"}],
    }


def wait() -> Document:
    return {
        "Name": "Wait",
        "Type": "Callback",
        "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/wait",
        "Arguments": {"outcome": get("Steps.Deploy.OutputParameters['outcome']")},
        "OutputParameters": [{"OutputName": "state", "OutputType": "String"}],
    }


def named(broken: Document, name: str) -> Document:
    """A step, to be changed in place."""
    steps = list(broken["Steps"])
    for step in steps:
        if step["Name"] == name:
            found: Document = step
            return found
        steps += step["Arguments"].get("IfSteps", []) + step["Arguments"].get("ElseSteps", [])
    raise LookupError(name)


def put(broken: Document, path: str, value: Any) -> None:
    """Put a value at a path like Train.Arguments.ResourceConfig.InstanceCount; a number enters a list."""
    name, *keys = path.split(".")
    place: Any = broken if name == "" else named(broken, name)
    for key in keys[:-1]:
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    last = int(keys[-1]) if isinstance(place, list) else keys[-1]
    if value is GONE:
        place.pop(last, None) if isinstance(place, dict) else place.pop(last)
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value


GONE = object()
"""Put where something shall be removed."""
