"""The baseline of benchmarks/definition.py: the job steps of the pipeline, written like the SDK's examples.

FrameworkProcessor, HyperparameterTuner and ModelTrainer upload code and call AWS while the definition is built. Here a
hook in botocore answers every call at once and counts it, so that only the SDK's own work is measured, and no network.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

os.environ |= {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "none",
}
warnings.filterwarnings("ignore")

import boto3  # noqa: E402
import botocore.session  # noqa: E402
from botocore.awsrequest import AWSResponse  # noqa: E402
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter  # noqa: E402
from sagemaker.core.processing import FrameworkProcessor  # noqa: E402
from sagemaker.core.shapes import (  # noqa: E402
    Channel,
    DataSource,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    S3DataSource,
)
from sagemaker.core.training.configs import Compute, SourceCode  # noqa: E402
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo  # noqa: E402
from sagemaker.core.workflow.functions import JsonGet  # noqa: E402
from sagemaker.core.workflow.pipeline_context import PipelineSession  # noqa: E402
from sagemaker.core.workflow.properties import PropertyFile  # noqa: E402
from sagemaker.mlops.workflow.condition_step import ConditionStep  # noqa: E402
from sagemaker.mlops.workflow.fail_step import FailStep  # noqa: E402
from sagemaker.mlops.workflow.pipeline import Pipeline  # noqa: E402
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TuningStep  # noqa: E402
from sagemaker.train import ModelTrainer  # noqa: E402
from sagemaker.train.tuner import HyperparameterTuner  # noqa: E402

ROLE = "arn:aws:iam::123456789012:role/job"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cpu-amzn2023-sagemaker"
TRUST = quote(
    '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "sagemaker.amazonaws.com"}}]}'
)
ANSWERS = {
    "GetCallerIdentity": "<R><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/me/me</Arn>"
    "<UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></R>",
    "GetRole": f"<R><GetRoleResult><Role><Path>/</Path><Arn>{ROLE}</Arn><RoleName>job</RoleName><RoleId>A</RoleId>"
    f"<CreateDate>2020-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>"
    "</Role></GetRoleResult></R>",
    "SimulatePrincipalPolicy": "<R><SimulatePrincipalPolicyResult/></R>",
    "ListBuckets": "<R><Buckets><Bucket><Name>bucket</Name><CreationDate>2020-01-01T00:00:00Z</CreationDate>"
    "</Bucket></Buckets></R>",
}
CALLS: Counter[str] = Counter()


class Body:
    """A response body as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Returns the whole content."""
        yield self.content


def answer(request: Any, event_name: str, **_more: Any) -> AWSResponse:
    """Answers any request at once."""
    _, service, operation = event_name.split(".")[:3]
    CALLS[f"{service}:{operation}"] += 1
    return AWSResponse(request.url, 200, {}, Body(ANSWERS.get(operation, "").encode()))


def channel(name: str, step: Any) -> Channel:
    """Returns a training channel with an output of the processing step."""
    uri = step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri
    source = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated")
    return Channel(channel_name=name, data_source=DataSource(s3_data_source=source))


def output(name: str) -> ProcessingOutput:
    """Returns an output of a processing step."""
    folder = f"/opt/ml/processing/output/{name}"
    place = ProcessingS3Output(s3_uri=f"s3://bucket/{name}", local_path=folder, s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)


def processing(session: Any, code: str, script: str, outputs: list[str], inputs: list[Any], **more: Any) -> Any:
    """Returns a processing step."""
    processor = FrameworkProcessor(
        image_uri=IMAGE, role=ROLE, instance_count=1, instance_type="ml.m5.xlarge", sagemaker_session=session
    )
    made = [output(name) for name in outputs]
    arguments = processor.run(code=f"{script}.py", source_dir=code, inputs=inputs, outputs=made, arguments=["--x", "y"])
    return ProcessingStep(script, step_args=arguments, **more)


def trainer(session: Any, code: str, data: Any, count: int, hyperparameters: dict[str, Any]) -> ModelTrainer:
    """Returns a trainer of the script."""
    return ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        sagemaker_session=session,
        source_code=SourceCode(source_dir=code, entry_script="train.py"),
        compute=Compute(instance_type="ml.g4dn.xlarge", instance_count=count, volume_size_in_gb=50),
        hyperparameters={"epochs": "50", **hyperparameters},
        input_data_config=[channel(name, data) for name in ("train", "validation", "dataset")],
        base_job_name="train",
    )


def pipeline(session: Any, code: str) -> Pipeline:
    """Returns the job steps and the gate, written like the SDK's examples."""
    data = processing(session, code, "prepare", ["train", "validation", "test", "dataset"], [])
    tuner = HyperparameterTuner(
        model_trainer=trainer(session, code, data, 1, {}),
        objective_metric_name="validation:loss",
        objective_type="Minimize",
        hyperparameter_ranges={
            "learning_rate": ContinuousParameter(0.001, 0.1),
            "batch_size": CategoricalParameter([32, 64, 128]),
        },
        metric_definitions=[{"Name": "validation:loss", "Regex": "loss=(.*)"}],
        max_jobs=2,
    )
    search = TuningStep("Tune", step_args=tuner.tune())
    best_hyperparameters = search.properties.BestTrainingJob.TunedHyperParameters
    best = {name: best_hyperparameters[name] for name in ("learning_rate", "batch_size")}
    single = TrainingStep("TrainBest", step_args=trainer(session, code, data, 1, best).train())
    several = TrainingStep("TrainDistributed", step_args=trainer(session, code, data, 2, best).train())
    inputs = [
        ProcessingInput(
            input_name=step.name,
            s3_input=ProcessingS3Input(
                s3_uri=step.properties.ModelArtifacts.S3ModelArtifacts,
                local_path=f"/opt/ml/processing/input/{step.name}",
                s3_data_type="S3Prefix",
                s3_input_mode="File",
            ),
        )
        for step in (single, several)
    ]
    file = PropertyFile("Evaluation", "evaluation", "evaluation.json")
    evaluation = processing(session, code, "evaluate", ["evaluation"], inputs, property_files=[file])
    accuracy = JsonGet(step_name=evaluation.name, property_file=file, json_path="accuracy")
    gate = ConditionStep(
        "QualityGate",
        conditions=[ConditionGreaterThanOrEqualTo(accuracy, 0.7)],
        if_steps=[],
        else_steps=[FailStep("QualityTooLow", error_message="too low")],
    )
    steps = [data, search, single, several, evaluation, gate]
    return Pipeline(name="usual", steps=steps, sagemaker_session=session)


def main() -> None:
    """Builds and prints the definition; writes the calls to AWS to standard error."""
    whole = botocore.session.Session.__init__

    def listening(self: Any, *arguments: Any, **named: Any) -> None:
        whole(self, *arguments, **named)
        self.register("before-send", answer)

    botocore.session.Session.__init__ = listening
    session = PipelineSession(boto_session=boto3.Session(region_name="us-east-1"), default_bucket="bucket")
    with tempfile.TemporaryDirectory() as code:
        for script in ("prepare", "train", "evaluate"):
            Path(code, f"{script}.py").write_text("print(1)\n", encoding="utf-8")
        sys.stdout.write(pipeline(session, code).definition())
    sys.stderr.write(f"\nCALLS {json.dumps(CALLS)}\n")


if __name__ == "__main__":
    main()
