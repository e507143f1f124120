"""The pipeline starts jobs, registers their best model, and invokes the functions around the endpoint."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    ANOTHER_KEY,
    BUCKET,
    EVERYTHING,
    EXECUTION,
    IN_ACCOUNT,
    IN_THE_NETWORK,
    KEY,
    OURS,
    SAGEMAKER,
    STRANGER,
    SUBNET,
    arn,
    assuming,
    function,
    live,
    not_trusted,
    passing,
    role,
    sagemaker,
)

PREPARE = sagemaker("processing-job/pipelines-abcdefghijkl-PrepareData-0123456789")
TRAIN = sagemaker("training-job/pipelines-abcdefghijkl-TrainBest-0123456789")
TUNE = sagemaker("hyper-parameter-tuning-job/abcdefghijkl-Tune-0123456789")
VERSION = sagemaker("model-package/dog-breeds/1")
GROUP = sagemaker("model-package-group/dog-breeds")
RUNNING = sagemaker("pipeline/dog-breeds/execution/abcdefghijkl")

PLAIN = Table(
    "pipeline",
    settings=IN_ACCOUNT,
    may=(
        Request("sagemaker:CreateProcessingJob", PREPARE),
        Request("sagemaker:DescribeProcessingJob", PREPARE),
        Request("sagemaker:StopProcessingJob", PREPARE),
        Request("sagemaker:AddTags", PREPARE),
        Request("sagemaker:CreateTrainingJob", TRAIN),
        Request("sagemaker:DescribeTrainingJob", TRAIN),
        Request("sagemaker:StopTrainingJob", TRAIN),
        Request("sagemaker:CreateHyperParameterTuningJob", TUNE),
        Request("sagemaker:CreateHyperParameterTuningJob", TUNE.lower()),
        Request("sagemaker:DescribeHyperParameterTuningJob", TUNE),
        Request("sagemaker:StopHyperParameterTuningJob", TUNE),
        Request("sagemaker:DescribeTrainingJob", sagemaker("training-job/abcdefghijkl-Tune-0123456789-001-0a1b2c3d")),
        passing("pedigree-job", SAGEMAKER),
        Request("sagemaker:CreateModelPackage", VERSION),
        Request("sagemaker:AddTags", VERSION),
        Request("sagemaker:CreateModelPackageGroup", GROUP),
        Request("sagemaker:AddTags", GROUP),
        Request("sagemaker:DescribeModelPackageGroup", GROUP),
        Request("s3:GetObject", f"{EXECUTION}/Evaluate/evaluation/evaluation.json"),
        Request("s3:GetObject", f"{EXECUTION}/PrepareData/dataset/dataset.json"),
        Request("lambda:InvokeFunction", live("deploy-endpoint")),
        Request("lambda:InvokeFunction", live("configure-autoscaling")),
        Request("sqs:SendMessage", arn("sqs", "dog-breeds-await-endpoint")),
    ),
    may_not=(
        Request("sagemaker:CreateTrainingJob", sagemaker("training-job/mine")),
        Request("sagemaker:CreateTrainingJob", TRAIN.replace("us-east-1", "eu-west-1")),
        Request("sagemaker:StopTrainingJob", sagemaker("training-job/somebody-elses")),
        Request("sagemaker:CreateHyperParameterTuningJob", sagemaker("hyper-parameter-tuning-job/mine")),
        Request("sagemaker:CreateTransformJob", sagemaker("transform-job/pipelines-abcdefghijkl-Score-0123456789")),
        Request("sagemaker:CreateModel", sagemaker("model/dog-breeds-v1-0123456789")),
        Request("sagemaker:CreateEndpoint", sagemaker("endpoint/dog-breeds")),
        Request("sagemaker:UpdateModelPackage", VERSION),
        Request("sagemaker:CreateModelPackage", sagemaker("model-package/cat-breeds/1")),
        Request("sagemaker:AddTags", sagemaker("model-package/cat-breeds/1")),
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/dog-breeds")),
        Request("sagemaker:StopPipelineExecution", RUNNING),
        passing("pedigree-job", "ec2.amazonaws.com"),
        passing("pedigree-job", "lambda.amazonaws.com"),
        passing("pedigree-model", SAGEMAKER),
        passing("pedigree-pipeline", SAGEMAKER),
        passing("admin", SAGEMAKER),
        Request("iam:PassRole", role("pedigree-job")),
        Request("s3:GetObject", f"{EXECUTION}/PrepareData/train/n02085620/1.jpg"),
        Request("s3:GetObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:PutObject", f"{EXECUTION}/Evaluate/evaluation/evaluation.json"),
        Request("s3:ListBucket", BUCKET),
        Request("lambda:InvokeFunction", live("predict")),
        Request("lambda:InvokeFunction", function("deploy-endpoint")),
        Request("lambda:InvokeFunction", f"{function('deploy-endpoint')}:7"),
        Request("lambda:InvokeFunction", live("await-endpoint")),
        Request("lambda:UpdateFunctionCode", function("deploy-endpoint")),
        Request("sqs:SendMessage", arn("sqs", "dog-breeds-await-endpoint-dead")),
        Request("sqs:ReceiveMessage", arn("sqs", "dog-breeds-await-endpoint")),
        Request("sqs:SendMessage", arn("sqs", "dog-breeds-await-endpoint", account=STRANGER)),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
    ),
    trusts=(assuming("pedigree-pipeline", SAGEMAKER, RUNNING),),
    trusts_not=(
        *not_trusted("pedigree-pipeline", SAGEMAKER, RUNNING),
        assuming("pedigree-pipeline", SAGEMAKER, sagemaker("pipeline/cat-breeds/execution/abcdefghijkl")),
        assuming("pedigree-pipeline", SAGEMAKER, TRAIN),
    ),
)

SHUT = Table(
    "pipeline",
    settings=EVERYTHING,
    may=(
        Request("sagemaker:CreateTrainingJob", TRAIN, IN_THE_NETWORK),
        Request("sagemaker:CreateProcessingJob", PREPARE, IN_THE_NETWORK),
        Request("sagemaker:CreateHyperParameterTuningJob", TUNE, IN_THE_NETWORK),
        Request("sagemaker:DescribeTrainingJob", TRAIN),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
    ),
    may_not=(
        Request("sagemaker:CreateTrainingJob", TRAIN),
        Request("sagemaker:CreateTrainingJob", TRAIN, {"sagemaker:NetworkIsolation": True}),
        Request("sagemaker:CreateTrainingJob", TRAIN, {"sagemaker:VpcSubnets": [SUBNET]}),
        Request("sagemaker:CreateTrainingJob", TRAIN, {**IN_THE_NETWORK, "sagemaker:NetworkIsolation": False}),
        Request(
            "sagemaker:CreateProcessingJob", PREPARE, {**IN_THE_NETWORK, "sagemaker:VpcSubnets": [SUBNET, "subnet-1"]}
        ),
        Request("kms:Decrypt", KEY),
        Request("kms:Decrypt", ANOTHER_KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
        Request("kms:Encrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
    ),
)

TABLES = (PLAIN, SHUT)
