"""A served model reads its own archive and logs."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    BUCKET,
    EVERYTHING,
    EXECUTION,
    GROUP,
    IN_ACCOUNT,
    KEY,
    OURS,
    SAGEMAKER,
    SUBNET,
    arn,
    assuming,
    listing,
    log_stream,
    not_trusted,
    passing,
    sagemaker,
)

IMAGE = "arn:aws:ecr:us-east-1:763104351884:repository/pytorch-inference"
ARCHIVE = f"{EXECUTION}/Evaluate/champion/model.tar.gz"
LOG = "/aws/sagemaker/Endpoints/dog-breeds"
CAPTURED = f"{OURS}/captured/dog-breeds/AllTraffic/2027/01/31/06/0.jsonl"
# What SageMaker says when it takes a model's role: an ARN that ends with a star of its own.
EVERY_ENDPOINT = sagemaker("*")

PLAIN = Table(
    "model",
    settings=IN_ACCOUNT,
    may=(
        Request("s3:GetObject", ARCHIVE),
        Request("ecr:GetAuthorizationToken"),
        Request("ecr:BatchCheckLayerAvailability", IMAGE),
        Request("ecr:BatchGetImage", IMAGE),
        Request("ecr:GetDownloadUrlForLayer", IMAGE),
        Request("logs:CreateLogGroup", arn("logs", f"log-group:{LOG}")),
        Request("logs:CreateLogStream", log_stream(LOG)),
        Request("logs:PutLogEvents", log_stream(LOG)),
        Request("logs:PutLogEvents", log_stream(f"{LOG}-staging")),
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}),
    ),
    may_not=(
        Request("s3:GetObject", f"{EXECUTION}/Evaluate/evaluation/evaluation.json"),
        Request("s3:GetObject", f"{EXECUTION}/TrainBest/output/model.tar.gz"),
        Request("s3:GetObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:PutObject", ARCHIVE),
        Request("s3:PutObject", CAPTURED),
        Request("s3:DeleteObject", ARCHIVE),
        Request("s3:ListBucket", BUCKET),
        listing("pedigree/executions/"),
        Request("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:763104351884:repository/pytorch"),
        Request("logs:PutLogEvents", log_stream("/aws/sagemaker/Endpoints/cat-breeds")),
        Request("logs:PutLogEvents", log_stream("/aws/sagemaker/TrainingJobs")),
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}),
        Request("sagemaker:InvokeEndpoint", sagemaker("endpoint/dog-breeds")),
        Request("sagemaker:CreateModel", sagemaker("model/dog-breeds-v1-0123456789")),
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint/dog-breeds")),
        passing("pedigree-model", SAGEMAKER),
        Request("ec2:DescribeSubnets"),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
    ),
    trusts=(assuming("pedigree-model", SAGEMAKER, EVERY_ENDPOINT),),
    trusts_not=(
        *not_trusted("pedigree-model", SAGEMAKER, EVERY_ENDPOINT),
        assuming("pedigree-model", SAGEMAKER, sagemaker("*", region="eu-west-1")),
    ),
)

SHUT = Table(
    "model",
    settings=EVERYTHING,
    may=(
        Request("s3:PutObject", CAPTURED),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
        Request("kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": True}),
        Request("ec2:CreateNetworkInterface", arn("ec2", f"subnet/{SUBNET}")),
        Request("ec2:CreateNetworkInterface", arn("ec2", f"security-group/{GROUP}")),
        Request("ec2:DescribeVpcs"),
    ),
    may_not=(
        Request("s3:GetObject", CAPTURED),
        Request("s3:PutObject", f"{EXECUTION}/captured/1.jsonl"),
        Request("kms:CreateGrant", KEY),
        Request("ec2:CreateNetworkInterface", arn("ec2", "subnet/subnet-0fedcba9876543210")),
        Request("ec2:DeleteSubnet", arn("ec2", f"subnet/{SUBNET}")),
    ),
)

TABLES = (PLAIN, SHUT)
