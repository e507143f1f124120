"""What AWS's images do, without docker: environments that are made for them, and their programs.

The environments are made once, in the folder where those of this user are.
"""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.containers import HAS_CONTAINERS
from tests.support.folders import write_files
from tests.support.local_aws import client, running_local_aws
from tests.support.sdk_definitions import FOLDER
from tests.support.sdk_executions import BUCKET, create_role, execute
from tests.support.waiting import until

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
# As AWS's own first example: the label first, no header, three files.
PREPARE = """
import pathlib
import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

base = pathlib.Path("/opt/ml/processing")
rows = pd.read_csv(base / "input" / "abalone.csv", header=None)
rows[0] = rows[0].map({"M": 0.0, "F": 1.0, "I": 2.0})
features = StandardScaler().fit_transform(rows.iloc[:, :-1])
whole = np.concatenate((rows.iloc[:, -1:].to_numpy(dtype=float), features), axis=1)
parts = np.split(whole, [int(0.7 * len(whole)), int(0.85 * len(whole))])
for name, part in zip(("train", "validation", "test"), parts):
    (base / name).mkdir(exist_ok=True)
    pd.DataFrame(part).to_csv(base / name / f"{name}.csv", header=False, index=False)
"""
EVALUATE = """
import json, pathlib, tarfile
import numpy as np
import xgboost

base = pathlib.Path("/opt/ml/processing")
with tarfile.open(base / "model" / "model.tar.gz") as archive:
    archive.extractall("/tmp")
model = xgboost.Booster(model_file="/tmp/xgboost-model")
rows = np.loadtxt(base / "test" / "test.csv", delimiter=",")
error = float(np.mean((model.predict(xgboost.DMatrix(rows[:, 1:])) - rows[:, 0]) ** 2))
(base / "evaluation" / "evaluation.json").write_text(json.dumps({"regression_metrics": {"mse": {"value": error}}}))
"""
TRAIN = """
import argparse, os
import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

parser = argparse.ArgumentParser()
parser.add_argument("--power", type=int)
power = parser.parse_args().power
rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), delimiter=",")
joblib.dump(LinearRegression().fit(rows[:, :1] ** power, rows[:, 1]), os.path.join(os.environ["SM_MODEL_DIR"], "model"))
"""
INFERENCE = """
import os
import joblib

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model"))
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True, images=None) as local:
        create_role(local)
        yield local


def abalone(rows: int) -> str:
    """Shells whose rings follow from their length, as those of the well-known data set do."""
    drawn = random.Random(7)
    lines = []
    for _ in range(rows):
        length = drawn.uniform(0.1, 0.8)
        sizes = [length, 0.8 * length, 0.3 * length, 4 * length**3, 2 * length**3, length**3, length**3]
        lines.append([drawn.choice("MFI"), *(f"{size:.4f}" for size in sizes), str(round(3 + 15 * length))])
    return "".join(",".join(line) + "\n" for line in lines)


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as written:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{name}.py")
            member.size = len(text.encode())
            written.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_the_abalone_pipeline_of_both_sdks_runs_from_its_data_to_a_transform(local: LocalAws, version: str) -> None:
    definition = (FOLDER / version / "abalone.json").read_text(encoding="utf-8")
    scripts = {"prepare.py": PREPARE.encode(), "evaluate.py": EVALUATE.encode()}
    keys = re.findall(rf's3://{BUCKET}/([^"\\]+)', definition)
    code = [(key, scripts[key.rpartition("/")[2]]) for key in keys if key.rpartition("/")[2] in scripts]
    features = "\n".join(",".join(["0.5"] * 8) for _ in range(5))
    data = [("abalone/abalone.csv", abalone(400).encode()), ("abalone/batch.csv", features.encode())]
    sagemaker, before = client(local.url, "sagemaker"), scored(local)
    ended = execute(local, f"abalone-{version}", definition, [*code, *data])
    assert set(ended.values()) == {"Succeeded"}, ended
    trained = sagemaker.list_training_jobs(SortBy="CreationTime", SortOrder="Descending")["TrainingJobSummaries"][0]
    described = sagemaker.describe_training_job(TrainingJobName=trained["TrainingJobName"])
    assert {metric["MetricName"] for metric in described["FinalMetricDataList"]} == {"train:rmse", "validation:rmse"}
    events = log(local, "/aws/sagemaker/TrainingJobs", trained["TrainingJobName"])
    assert any(line.startswith("[49]#011train-rmse:") for line in events), events[-5:]
    [answers] = scored(local).items() - before.items()
    assert len(re.findall(r"[\d.]+", answers[1])) == 5


def scored(local: LocalAws) -> dict[str, str]:
    """What transforms of the batch have left, by key."""
    s3 = client(local.url, "s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
    found = [key for key in keys if key.endswith("batch.csv.out")]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in found}


def test_a_search_knows_the_metrics_of_the_built_in_algorithm(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")
    rows = "".join(f"{3 * number},{number},{number % 7}\n" for number in range(200))
    for name in ("train", "validation"):
        client(local.url, "s3").put_object(Bucket=BUCKET, Key=f"search/{name}/rows.csv", Body=rows.encode())
    sources = [{"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/search/{name}/"} for name in ("train", "validation")]
    channels = [
        {"ChannelName": source["S3Uri"].split("/")[-2], "ContentType": "csv", "DataSource": {"S3DataSource": source}}
        for source in sources
    ]
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="search",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6"}]},
        },
        TrainingJobDefinition={
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "StaticHyperParameters": {"num_round": "5", "objective": "reg:squarederror"},
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/searched"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    described = {"HyperParameterTuningJobName": "search"}
    status = "HyperParameterTuningJobStatus"
    until(lambda: sagemaker.describe_hyper_parameter_tuning_job(**described)[status], "Completed")
    best = sagemaker.describe_hyper_parameter_tuning_job(**described)["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "validation:rmse"


def test_a_script_of_scikit_learn_trains_and_its_model_is_served(local: LocalAws) -> None:
    s3, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
    rows = "".join(f"{number},{3 * number**2 + 1}\n" for number in range(10))
    for key, content in (
        ("rows/rows.csv", rows.encode()),
        ("sklearn/sourcedir.tar.gz", archive(train=TRAIN)),
        ("serving/sourcedir.tar.gz", archive(inference=INFERENCE)),
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/rows/"}
    sagemaker.create_training_job(
        TrainingJobName="squares",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/sklearn/sourcedir.tar.gz"),
            "power": "2",
        },
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    until(lambda: sagemaker.describe_training_job(TrainingJobName="squares")["TrainingJobStatus"], "Completed")
    sagemaker.create_model(
        ModelName="squares",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": SKLEARN,
            "ModelDataUrl": f"s3://{BUCKET}/models/squares/output/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/serving/sourcedir.tar.gz",
            },
        },
    )
    variant = {"VariantName": "all", "ModelName": "squares", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="squares", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="squares", EndpointConfigName="squares")
    until(lambda: sagemaker.describe_endpoint(EndpointName="squares")["EndpointStatus"], "InService")
    answer = client(local.url, "sagemaker-runtime").invoke_endpoint(
        EndpointName="squares", ContentType="application/json", Accept="application/json", Body=b"[[4.0], [9.0]]"
    )
    assert json.loads(answer["Body"].read()) == pytest.approx([13.0, 28.0])


OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/rings:7"
DOCKERFILE = """
ARG PYTHON=3.11
FROM python:${PYTHON}-slim-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends nginx \\
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /tmp/
RUN pip3 install --no-cache-dir -r /tmp/requirements.txt

ENV PYTHONUNBUFFERED=TRUE SCALE=2
ENV PATH="FOLDER:${PATH}"
COPY program FOLDER
WORKDIR FOLDER
"""
# Without namespaces there is /opt/ml alone.
OWN_FOLDER = "/opt/program" if HAS_CONTAINERS else "/opt/ml/code"
OWN_TRAIN = """#!/usr/bin/env python
import json, os, pathlib, inflection
from scale import scaled
rows = [float(row) for row in pathlib.Path("/opt/ml/input/data/train/rows.csv").read_text().split()]
sums = {inflection.underscore("RowSum"): scaled(sum(rows)), "folder": os.getcwd()}
pathlib.Path("/opt/ml/model/model.json").write_text(json.dumps(sums))
"""
OWN_SCRIPT = """
import pathlib
pathlib.Path("/opt/ml/processing/train/rows.csv").write_text("1\\n2\\n3\\n")
"""


def test_an_image_of_one_s_own_prepares_and_trains_as_its_dockerfile_says(tmp_path: Path) -> None:
    files = {"requirements.txt": "inflection==0.5.1\n", "program/train": OWN_TRAIN}
    files |= {"Dockerfile": DOCKERFILE.replace("FOLDER", OWN_FOLDER)}
    files |= {"program/scale.py": "import os\n\ndef scaled(x):\n    return float(os.environ['SCALE']) * x\n"}
    write_files(tmp_path / "docker", files)
    (tmp_path / "docker" / "program" / "train").chmod(0o755)
    file = tmp_path / "images.toml"
    file.write_text('[[recipe]]\nname = "rings"\nimages = ["rings:*"]\nfolder = "docker"\n', encoding="utf-8")
    with running_local_aws(tmp_path / "local", images=file) as local:
        create_role(local)
        ended = execute(local, "rings", rings(), [("code/prepare.py", OWN_SCRIPT.encode())])
        assert set(ended.values()) == {"Succeeded"}, ended
        [key] = [
            found["Key"]
            for found in client(local.url, "s3").list_objects_v2(Bucket=BUCKET, Prefix="models")["Contents"]
        ]
        packed = client(local.url, "s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as model:
        told = json.load(model.extractfile("model.json") or io.StringIO("{}"))
    assert told.pop("folder").endswith(OWN_FOLDER)
    assert told == {"row_sum": 12.0}


def rings() -> str:
    """A definition whose two steps run in an image that only this test describes."""
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    code = {"S3Uri": f"s3://{BUCKET}/code/", "LocalPath": "/opt/ml/processing/input/code"}
    rows = f"s3://{BUCKET}/rows"
    usual = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
    made = {"S3Uri": rows, "LocalPath": "/opt/ml/processing/train", "S3UploadMode": "EndOfJob"}
    command = ["python3", "/opt/ml/processing/input/code/prepare.py"]
    prepare = {
        "AppSpecification": {"ImageUri": OWN, "ContainerEntrypoint": command},
        "ProcessingInputs": [{"InputName": "code", "AppManaged": False, "S3Input": {**usual, **code}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "AppManaged": False, "S3Output": made}]},
        "ProcessingResources": {"ClusterConfig": machines},
        "RoleArn": ROLE,
    }
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": rows}}
    train = {
        "AlgorithmSpecification": {"TrainingImage": OWN, "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": machines,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "RoleArn": ROLE,
    }
    steps = [
        {"Name": "Prepare", "Type": "Processing", "Arguments": prepare},
        {"Name": "Train", "Type": "Training", "Arguments": train, "DependsOn": ["Prepare"]},
    ]
    return json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps})


def log(local: LocalAws, group: str, job: str) -> list[str]:
    logs = client(local.url, "logs")
    described = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    streams = [stream["logStreamName"] for stream in described]
    return [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    ]
