"""A training instance reads code and data, and writes under its own prefix; it shuts itself down without AWS's API."""

from __future__ import annotations

from pedigree.iam import Request, service
from tests.policies import Table
from tests.policies.arns import (
    BUCKET,
    EVERYTHING,
    EXECUTION,
    IN_ACCOUNT,
    KEY,
    OURS,
    SAGEMAKER,
    arn,
    listing,
    passing,
    role,
    sagemaker,
)

VIA_S3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}

PLAIN = Table(
    "ec2",
    settings=IN_ACCOUNT,
    may=(
        Request("s3:GetObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:GetObject", f"{OURS}/data/mine/cat/1.jpg"),
        Request("s3:GetObject", f"{EXECUTION}/PrepareData/train/n02085620/1.jpg"),
        Request("s3:GetObject", f"{EXECUTION}/PrepareData/dataset/dataset.json"),
        Request("s3:GetObject", f"{OURS}/ec2/20270131-060000/checkpoints.tar.gz"),
        listing("pedigree/data/mine/"),
        listing("pedigree/executions/abcdefghijkl/PrepareData/train/"),
        Request("s3:PutObject", f"{OURS}/ec2/20270131-060000/model.tar.gz"),
        Request("s3:PutObject", f"{OURS}/ec2/20270131-060000/train.log"),
        Request("s3:AbortMultipartUpload", f"{OURS}/ec2/20270131-060000/model.tar.gz"),
    ),
    may_not=(
        Request("s3:PutObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:PutObject", f"{OURS}/data/mine/cat/1.jpg"),
        Request("s3:PutObject", f"{EXECUTION}/Evaluate/champion/model.tar.gz"),
        Request("s3:DeleteObject", f"{OURS}/ec2/20270131-060000/model.tar.gz"),
        Request("s3:GetObject", f"{OURS}/ec2/20270131-060000/model.tar.gz"),
        Request("s3:GetObject", f"{EXECUTION}/Evaluate/champion/model.tar.gz"),
        Request("s3:GetObject", f"{OURS}/captured/dog-breeds/AllTraffic/1.jsonl"),
        Request("s3:GetObject", f"{BUCKET}/private/letter.txt"),
        Request("s3:ListBucket", BUCKET),
        listing("pedigree/"),
        Request("ec2:RunInstances", arn("ec2", "instance/*")),
        Request("ec2:TerminateInstances", arn("ec2", "instance/i-0123456789abcdef0")),
        Request("ec2:CreateTags", arn("ec2", "instance/i-0123456789abcdef0")),
        passing("pedigree-ec2", "ec2.amazonaws.com"),
        passing("pedigree-job", SAGEMAKER),
        Request("sagemaker:CreateTrainingJob", sagemaker("training-job/pipelines-a-TrainBest-b")),
        Request("sts:AssumeRole", role("pedigree-job")),
        Request("kms:Decrypt", KEY, VIA_S3),
    ),
    trusts=(Request("sts:AssumeRole", role("pedigree-ec2"), {}, service("ec2.amazonaws.com")),),
    trusts_not=(
        Request("sts:AssumeRole", role("pedigree-ec2"), {}, service("lambda.amazonaws.com")),
        Request("sts:AssumeRole", role("pedigree-ec2"), {}, service("sagemaker.amazonaws.com")),
        Request("sts:AssumeRole", role("pedigree-ec2")),
    ),
)

ENCRYPTED = Table(
    "ec2",
    settings=EVERYTHING,
    may=(
        Request("kms:Decrypt", KEY, VIA_S3),
        Request("kms:GenerateDataKey", KEY, VIA_S3),
        Request("s3:GetObject", "arn:aws:s3:::weights/resnet.pth"),
        Request("s3:GetObject", "arn:aws:s3:::images/dogs/1.jpg"),
    ),
    may_not=(
        Request("kms:Decrypt", KEY),
        Request("kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": True}),
        Request("s3:GetObject", "arn:aws:s3:::images/cats/1.jpg"),
        Request("s3:PutObject", "arn:aws:s3:::weights/resnet.pth"),
    ),
)

TABLES = (PLAIN, ENCRYPTED)
