"""A job reads its code and data, writes its results, and logs."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    ACCOUNT,
    ANOTHER_KEY,
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

IMAGES = "arn:aws:ecr:us-east-1:763104351884:repository"
TRAINING_LOG = log_stream("/aws/sagemaker/TrainingJobs")
JOB = sagemaker("training-job/pipelines-abcdefghijkl-TrainBest-0123456789")
VIA_S3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}

PLAIN = Table(
    "job",
    settings=IN_ACCOUNT,
    may=(
        Request("s3:GetObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:GetObject", f"{OURS}/data/mine/cat/1.jpg"),
        Request("s3:GetObject", f"{EXECUTION}/PrepareData/train/n02085620/1.jpg"),
        Request("s3:PutObject", f"{EXECUTION}/TrainBest/output/model.tar.gz"),
        Request("s3:AbortMultipartUpload", f"{EXECUTION}/TrainBest/output/model.tar.gz"),
        listing("pedigree/executions/abcdefghijkl/PrepareData/train"),
        listing("pedigree/code/0123456789abcdef/source.tar.gz"),
        Request("ecr:GetAuthorizationToken"),
        Request("ecr:BatchGetImage", f"{IMAGES}/pytorch"),
        Request("ecr:GetDownloadUrlForLayer", f"{IMAGES}/pytorch-training"),
        Request("logs:CreateLogGroup", arn("logs", "log-group:/aws/sagemaker/TrainingJobs")),
        Request("logs:DescribeLogStreams", arn("logs", "log-group:/aws/sagemaker/ProcessingJobs:*")),
        Request("logs:CreateLogStream", TRAINING_LOG),
        Request("logs:PutLogEvents", TRAINING_LOG),
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}),
    ),
    may_not=(
        Request("s3:PutObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:PutObject", f"{OURS}/data/mine/cat/1.jpg"),
        Request("s3:PutObject", f"{OURS}/checkpoints/TrainBest/a/b"),
        Request("s3:DeleteObject", f"{EXECUTION}/TrainBest/output/model.tar.gz"),
        Request("s3:GetObject", f"{OURS}/captured/dog-breeds/AllTraffic/1.jsonl"),
        Request("s3:GetObject", f"{BUCKET}/private/letter.txt"),
        Request("s3:GetObject", "arn:aws:s3:::images/dogs/1.jpg"),
        Request("s3:ListBucket", BUCKET),
        listing(""),
        listing("private/"),
        listing("pedigree/executions/", "arn:aws:s3:::somebody-elses"),
        Request("s3:PutBucketPolicy", BUCKET),
        Request("ecr:BatchGetImage", f"{IMAGES}/pytorch-inference"),
        Request("ecr:PutImage", f"{IMAGES}/pytorch"),
        Request("logs:DeleteLogGroup", arn("logs", "log-group:/aws/sagemaker/TrainingJobs")),
        Request("logs:PutLogEvents", log_stream("/aws/lambda/sagemaker-dog-breeds-predict")),
        Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "AWS/SageMaker"}),
        Request("cloudwatch:PutMetricData"),
        Request("sagemaker:CreateTrainingJob", JOB),
        Request("sagemaker:StopTrainingJob", JOB),
        Request("sagemaker:InvokeEndpoint", sagemaker("endpoint/dog-breeds")),
        Request("lambda:InvokeFunction", arn("lambda", "function:sagemaker-dog-breeds-deploy-endpoint")),
        passing("pedigree-job", SAGEMAKER),
        Request("ec2:CreateNetworkInterface", arn("ec2", "network-interface/*")),
        Request("kms:Decrypt", KEY, VIA_S3),
        Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/pedigree-pipeline"),
    ),
    trusts=(
        assuming("pedigree-job", SAGEMAKER, JOB),
        assuming("pedigree-job", SAGEMAKER, sagemaker("processing-job/pipelines-abcdefghijkl-evaluate-0123456789")),
        assuming("pedigree-job", SAGEMAKER, sagemaker("hyper-parameter-tuning-job/abcdefghijkl-tune-0123456789")),
    ),
    trusts_not=(
        *not_trusted("pedigree-job", SAGEMAKER, JOB),
        assuming("pedigree-job", SAGEMAKER, sagemaker("notebook-instance/mine")),
        assuming("pedigree-job", SAGEMAKER, sagemaker("pipeline/dog-breeds/execution/abcdefghijkl")),
    ),
)

AWS = {"kms:GrantIsForAWSResource": True}
SHUT = Table(
    "job",
    settings=EVERYTHING,
    may=(
        Request("s3:GetObject", "arn:aws:s3:::images/dogs/1.jpg"),
        listing("dogs/", "arn:aws:s3:::images"),
        Request("s3:GetObject", "arn:aws:s3:::weights/resnet.pth"),
        Request("s3:PutObject", f"{OURS}/checkpoints/TrainBest/a/0123456789abcdef/last.pt"),
        Request("s3:GetObject", f"{OURS}/checkpoints/TrainBest/a/0123456789abcdef/last.pt"),
        listing("pedigree/checkpoints/TrainBest/a/0123456789abcdef"),
        Request("ec2:CreateNetworkInterface", arn("ec2", "network-interface/*")),
        Request("ec2:CreateNetworkInterface", arn("ec2", f"subnet/{SUBNET}")),
        Request("ec2:CreateNetworkInterface", arn("ec2", f"security-group/{GROUP}")),
        Request("ec2:DeleteNetworkInterface", arn("ec2", "network-interface/eni-1")),
        Request("ec2:CreateNetworkInterfacePermission", arn("ec2", "network-interface/eni-1")),
        Request("ec2:DescribeSubnets"),
        Request("kms:GenerateDataKey", KEY, VIA_S3),
        Request("kms:Decrypt", KEY, VIA_S3),
        Request("kms:CreateGrant", KEY, AWS),
        Request("kms:DescribeKey", KEY),
    ),
    may_not=(
        Request("s3:GetObject", "arn:aws:s3:::images/cats/1.jpg"),
        Request("s3:PutObject", "arn:aws:s3:::images/dogs/1.jpg"),
        listing("cats/", "arn:aws:s3:::images"),
        Request("s3:GetObject", "arn:aws:s3:::weights/secret.pth"),
        Request("ec2:CreateNetworkInterface", arn("ec2", "subnet/subnet-0fedcba9876543210")),
        Request("ec2:CreateNetworkInterface", arn("ec2", "security-group/sg-0fedcba9876543210")),
        Request("ec2:RunInstances", arn("ec2", "instance/*")),
        Request("kms:Decrypt", KEY),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "ssm.us-east-1.amazonaws.com"}),
        Request("kms:Decrypt", ANOTHER_KEY, VIA_S3),
        Request("kms:CreateGrant", KEY),
        Request("kms:CreateGrant", ANOTHER_KEY, AWS),
        Request("kms:ScheduleKeyDeletion", KEY),
    ),
)

WATCHED = Table(
    "job",
    settings={
        **IN_ACCOUNT,
        "debugger.enabled": True,
        "distributed.enabled": False,
        "images.training.version": "2.0.1",
        "images.training.python": "py310",
        "site.encryption.output_key": KEY.replace("key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/mine"),
    },
    may=(
        Request("s3:PutObject", f"{OURS}/tensors/TrainBest/a/0123456789abcdef/events/0.tfevents"),
        listing("pedigree/tensors/TrainBest/a"),
        Request("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:503895931360:repository/sagemaker-debugger-rules"),
        Request("kms:Decrypt", KEY, {**VIA_S3, "kms:EncryptionContext:aws:s3:arn": BUCKET}),
        Request("kms:GenerateDataKey", KEY, {**VIA_S3, "kms:EncryptionContext:aws:s3:arn": f"{EXECUTION}/a"}),
    ),
    may_not=(
        Request("s3:DeleteObject", f"{OURS}/tensors/TrainBest/a/0123456789abcdef/events/0.tfevents"),
        Request("ecr:BatchGetImage", f"{IMAGES}/pytorch"),
        Request("kms:Decrypt", KEY, VIA_S3),
        Request("kms:Decrypt", KEY, {**VIA_S3, "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::somebody-elses"}),
    ),
)

TABLES = (PLAIN, SHUT, WATCHED)
