"""Cases of the rules about networks, deployment, functions, schedules and cost."""

from __future__ import annotations

from typing import Any

from pedigree.checks.evidence import Evidence
from tests.pedigree.checks.case import Case, Puts, value_case
from tests.pedigree.checks.cases_jobs import SCRIPT
from tests.pedigree.checks.small import GONE, REGISTRY, ROLE, get, own, parameter, text

CLUSTER = "Arguments.ProcessingResources.ClusterConfig"
JOB = "Tune.Arguments.TrainingJobDefinition"
VPC = {"Subnets": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:sagemaker-deploy"
CHECKPOINTS = "Train.Arguments.CheckpointConfig"


def everywhere(paths: tuple[str, ...], value: Any) -> Puts:
    return tuple((path, value) for path in paths)


def model(**more: Any) -> dict[str, Any]:
    container = {"Image": f"{REGISTRY}/pytorch-inference:2.6.0-cpu-py312", "ModelDataUrl": "s3://work/model.tar.gz"}
    arguments = {"PrimaryContainer": container, "ExecutionRoleArn": ROLE, **more}
    return {"Name": "Serve", "Type": "Model", "Arguments": arguments}


VOLUMES = (f"Prepare.{CLUSTER}.VolumeKmsKeyId", f"Evaluate.{CLUSTER}.VolumeKmsKeyId")
OUTPUTS = (
    "Prepare.Arguments.ProcessingOutputConfig.KmsKeyId",
    "Evaluate.Arguments.ProcessingOutputConfig.KmsKeyId",
    f"{JOB}.OutputDataConfig.KmsKeyId",
    "Train.Arguments.OutputDataConfig.KmsKeyId",
)
TRAFFIC = tuple(
    f"{place}.EnableInterContainerTrafficEncryption"
    for place in (
        "Prepare.Arguments.NetworkConfig",
        "Evaluate.Arguments.NetworkConfig",
        JOB,
        "Train.Arguments",
    )
)
TWO_MACHINES = (
    ("Train.Arguments.ResourceConfig.InstanceCount", 2),
    ("Train.Arguments.HyperParameters.sagemaker_torch_distributed_enabled", "true"),
)
INSIDE = tuple(
    f"{place}.VpcConfig"
    for place in ("Prepare.Arguments.NetworkConfig", "Evaluate.Arguments.NetworkConfig", JOB, "Train.Arguments")
)
NETWORK = (
    Case("NET001", f"Evaluate.{CLUSTER}", everywhere(VOLUMES[:1], "key"), everywhere(VOLUMES, "key")),
    Case("NET002", "Train.Arguments.OutputDataConfig", everywhere(OUTPUTS[:3], "key"), everywhere(OUTPUTS, "key")),
    Case("NET003", "Train.Arguments", (*everywhere(TRAFFIC[:3], True), *TWO_MACHINES), everywhere(TRAFFIC[:3], True)),
    Case("NET004", "Train.Arguments", everywhere(INSIDE[:3], VPC), everywhere(INSIDE, VPC)),
    Case(
        "NET005",
        "Prepare.Arguments.AppSpecification.ContainerArguments.0",
        (
            ("Prepare.Arguments.NetworkConfig", {"EnableNetworkIsolation": True}),
            ("Prepare.Arguments.AppSpecification.ContainerArguments.0", "https://host/data.zip"),
        ),
        (("Prepare.Arguments.AppSpecification.ContainerArguments.0", "https://host/data.zip"),),
    ),
    Case(
        "NET006",
        "Serve.Arguments",
        (*everywhere(INSIDE, VPC), (".Steps.5", model())),
        (*everywhere(INSIDE, VPC), (".Steps.5", model(VpcConfig=VPC))),
    ),
)


def configured(code: str, wrong: Any, near: Any) -> tuple[Case, Evidence]:
    """A case of a function's configuration: it is the function that differs, and not the definition."""
    return Case(code, "Deploy.FunctionArn", (), (), Evidence(functions=wrong)), Evidence(functions=near)


def scheduled(code: str, place: str, given: Any, near: Any, puts: Puts = ()) -> tuple[Case, Evidence]:
    """A case of a schedule."""
    return Case(code, place, puts, puts, Evidence(schedules=[given])), Evidence(schedules=[near])


def target(**values: Any) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in values.items()]
    return {"SageMakerPipelineParameters": {"PipelineParameterList": listed}}


ENDPOINT_CONFIG = {
    "Name": "Configure",
    "Type": "EndpointConfig",
    "Arguments": {
        "EndpointConfigName": own("config"),
        "ProductionVariants": [
            {"VariantName": "all", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        ],
    },
}
NAME = "Configure.Arguments.EndpointConfigName"


def endpoint(percent: int) -> dict[str, Any]:
    canary = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 60,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": percent},
    }
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": canary}}
    arguments = {
        "EndpointName": get("Parameters.Endpoint"),
        "EndpointConfigName": get("Parameters.Endpoint"),
        "DeploymentConfig": policy,
    }
    return {"Name": "Serve", "Type": "Endpoint", "Arguments": arguments}


SIZE = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.CanarySize.Value"
OUTPUT = "Prepare.Arguments.ProcessingOutputConfig.Outputs.0.S3Output.S3Uri"
DEPLOY = (
    value_case("DEP006", "Deploy.FunctionArn", FUNCTION.replace("sagemaker-", ""), FUNCTION),
    value_case("DEP007", "Deploy.Arguments.instance_type", "ml.t3.medium", "ml.m5.large"),
    Case(
        "DEP008",
        "Deploy.Arguments.requests_per_second",
        (("Deploy.Arguments.requests_per_second", 10),),
        (("Deploy.Arguments.requests_per_minute", 600),),
    ),
    value_case(
        "DEP009", "Train.Arguments.RoleArn", "arn:aws:iam::000000000000:role/job", "arn:aws:iam::123456789012:role/j"
    ),
    value_case(
        "DEP010",
        "Wait.SqsQueueUrl",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/wait",
        "https://sqs.us-east-1.amazonaws.com/123456789012/other",
    ),
    Case(
        "DEP011",
        "Deploy.Arguments.endpoint_name",
        (("Deploy.Arguments.endpoint_name", "dogs"), ("Deploy.Arguments.x", get("Parameters.Endpoint"))),
        (("Deploy.Arguments.x", "dogs"),),
    ),
    Case(
        "DEP012",
        NAME,
        ((".Steps.5", ENDPOINT_CONFIG), (NAME, "config")),
        ((".Steps.5", ENDPOINT_CONFIG), (NAME, text("Execution.PipelineExecutionId"))),
    ),
    Case(
        "DEP013",
        "Prepare.Arguments.Environment.DB_PASSWORD",
        (("Prepare.Arguments.Environment.DB_PASSWORD", "hunter2"),),
        (
            ("Prepare.Arguments.Environment.DB_PASSWORD", "arn:aws:secretsmanager:x"),
            ("Prepare.Arguments.Environment.REMOTE_FUNCTION_SECRET_KEY", "0123456789abcdef"),
        ),
    ),
    value_case("DEP014", OUTPUT, "s3://work/train", own("train")),
    Case(
        "DEP015",
        f"{CHECKPOINTS}.S3Uri",
        ((CHECKPOINTS, {"S3Uri": "s3://work/checkpoints"}),),
        ((CHECKPOINTS, {"S3Uri": own("checkpoints")}),),
    ),
    Case("DEP016", f"Serve.Arguments.{SIZE}", ((".Steps.5", endpoint(60)),), ((".Steps.5", endpoint(50)),)),
    value_case("CST002", "Prepare.Arguments.Environment.RUN", get("Execution.PipelineExecutionId"), "1"),
    value_case("CST003", "Prepare.Arguments.Environment.CODE", "code-2026-05-01-10-20-30", "code-e3b0c442"),
    value_case("CST004", "Prepare.Arguments.StoppingCondition", GONE, {"MaxRuntimeInSeconds": 60}, "Prepare.Arguments"),
)
WAITS = 'def handler(event, context):\n    client.get_waiter("endpoint_in_service").wait()\n'
ASKS = "def handler(event, context):\n    client.describe_endpoint()\n"
SERVING = {"train.py": SCRIPT, "inference.py": ""}
SERVED = "Register.Arguments.InferenceSpecification.Containers.0.Image"
WITH_EVIDENCE = (
    (
        Case("SCR014", SERVED, (), (), Evidence(scripts={"train.py": SCRIPT})),
        Evidence(scripts={"train.py": SCRIPT, "code/inference.py": ""}),
    ),
    (
        Case("DEP017", "Deploy.FunctionArn", (), (), Evidence(scripts={**SERVING, "deploy.py": WAITS})),
        Evidence(scripts={**SERVING, "deploy.py": ASKS}),
    ),
    configured("DEP003", {"sagemaker-deploy": {"Timeout": 601}}, {"sagemaker-deploy": {"Timeout": 600}}),
    configured(
        "DEP004", {"sagemaker-deploy": {"Runtime": "python3.8"}}, {"sagemaker-deploy": {"Runtime": "python3.12"}}
    ),
    configured("DEP005", {"sagemaker-deploi": {}}, {"sagemaker-deploy": {}}),
    scheduled("SCH001", ".Parameters", {"Target": target(Epoch="5")}, {"Target": target(Epochs="5")}),
    scheduled("SCH002", ".Parameters.0", {"Target": target(Epochs="five")}, {"Target": target(Epochs="5")}),
    scheduled(
        "SCH003",
        ".Parameters.5.Name",
        {"Targets": [target(my_name="a")]},
        {"Target": target(my_name="a")},
        ((".Parameters.5", parameter("my_name", "String", "a")), ("Deploy.Arguments.x", get("Parameters.my_name"))),
    ),
    scheduled("SCH004", ".Parameters.3", {"Target": target(Endpoint="")}, {"Target": target(Endpoint="cats")}),
    scheduled(
        "SCH005",
        ".Parameters.3",
        {"Target": target(Epochs="5")},
        {"Target": target(Endpoint="cats")},
        ((".Parameters.3.DefaultValue", GONE),),
    ),
)
CASES = (*NETWORK, *DEPLOY)
