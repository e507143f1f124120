"""The operator runs the commands, and changes the resources of this pipeline and nothing else."""

from __future__ import annotations

from pedigree.iam import Request, identity, service
from tests.policies import Table
from tests.policies.arns import (
    ACCOUNT,
    ANOTHER_KEY,
    BUCKET,
    EVERYTHING,
    EXECUTION,
    IN_ACCOUNT,
    KEY,
    OURS,
    SAGEMAKER,
    STRANGER,
    arn,
    function,
    live,
    passing,
    role,
    sagemaker,
)
from tests.policies.autoscale import LINKED, SCALING
from tests.policies.deploy import TARGET, VARIANTS

PIPELINE = sagemaker("pipeline/dog-breeds")
RUNNING = sagemaker("pipeline/dog-breeds/execution/abcdefghijkl")
ENDPOINT = sagemaker("endpoint/dog-breeds")
CONFIGURATION = sagemaker("endpoint-config/dog-breeds-v3-0123456789")
GROUP = sagemaker("model-package-group/dog-breeds")
QUEUE = arn("sqs", "dog-breeds-await-endpoint")
RULE = arn("events", "rule/dog-breeds-approved")
SCHEDULE = arn("scheduler", "schedule/default/dog-breeds")
LOG = arn("logs", "log-group:/aws/lambda/sagemaker-dog-breeds-predict")
MAPPING = arn("lambda", "event-source-mapping:0a1b2c3d")
OUR_FUNCTION = {"lambda:FunctionArn": function("await-endpoint")}
INSTANCE = arn("ec2", "instance/i-0123456789abcdef0")
START = {"ec2:MetadataHttpTokens": "required", "aws:RequestTag/pedigree:pipeline": PIPELINE}
OURS_BY_TAG = {"aws:ResourceTag/pedigree:pipeline": PIPELINE}

DAY_TO_DAY = Table(
    "operator",
    settings=IN_ACCOUNT,
    may=(
        Request("sagemaker:StartPipelineExecution", PIPELINE),
        Request("sagemaker:ListPipelineExecutions", PIPELINE),
        Request("sagemaker:ListPipelineExecutionSteps", RUNNING),
        Request("sagemaker:StopPipelineExecution", RUNNING),
        Request("sagemaker:RetryPipelineExecution", RUNNING),
        Request("sagemaker:DescribeTrainingJob", sagemaker("training-job/pipelines-a-TrainBest-b")),
        Request("logs:GetLogEvents", arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:a")),
        Request("logs:FilterLogEvents", f"{LOG}:*"),
        Request("scheduler:CreateSchedule", SCHEDULE),
        Request("scheduler:UpdateSchedule", SCHEDULE),
        Request("scheduler:DeleteSchedule", SCHEDULE),
        passing("pedigree-scheduler", "scheduler.amazonaws.com"),
        Request("lambda:InvokeFunction", live("predict")),
        Request("sagemaker:UpdateModelPackage", sagemaker("model-package/dog-breeds/3")),
        Request("sagemaker:UpdateEndpoint", ENDPOINT),
        Request("sagemaker:UpdateEndpoint", CONFIGURATION),
        Request("application-autoscaling:DeregisterScalableTarget", TARGET, VARIANTS),
        Request("sqs:SendMessage", QUEUE),
        Request("sagemaker:DescribeEndpoint", ENDPOINT),
        Request("application-autoscaling:DescribeScalingActivities"),
        Request("cloudwatch:DescribeAlarms"),
        Request("pricing:GetProducts"),
    ),
    may_not=(
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/cat-breeds")),
        Request("sagemaker:StopPipelineExecution", sagemaker("pipeline/cat-breeds/execution/a")),
        Request("sagemaker:CreateTrainingJob", sagemaker("training-job/pipelines-a-TrainBest-b")),
        Request("sagemaker:StopTrainingJob", sagemaker("training-job/pipelines-a-TrainBest-b")),
        Request("sagemaker:CreateEndpoint", ENDPOINT),
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint-config/made-in-the-console")),
        Request("sagemaker:InvokeEndpoint", ENDPOINT),
        Request("sagemaker:SendPipelineExecutionStepSuccess", RUNNING),
        Request("sagemaker:UpdateModelPackage", sagemaker("model-package/cat-breeds/3")),
        Request("sagemaker:CreateNotebookInstance", sagemaker("notebook-instance/mine")),
        Request("lambda:InvokeFunction", live("deploy-endpoint")),
        Request("lambda:InvokeFunction", function("predict")),
        Request("lambda:InvokeFunction", arn("lambda", "function:orders")),
        Request("scheduler:UpdateSchedule", arn("scheduler", "schedule/default/orders")),
        passing("pedigree-scheduler", SAGEMAKER),
        passing("pedigree-job", SAGEMAKER),
        passing("pedigree-model", SAGEMAKER),
        Request("logs:GetLogEvents", arn("logs", "log-group:/aws/lambda/orders:log-stream:a")),
        Request("logs:FilterLogEvents", arn("logs", "log-group:/aws/lambda/orders:*")),
        Request("sqs:SendMessage", arn("sqs", "orders")),
        Request("application-autoscaling:RegisterScalableTarget", TARGET, VARIANTS),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
    ),
    trusts_not=(
        Request("sts:AssumeRole", role("pedigree-operator"), {}, service("lambda.amazonaws.com")),
        Request("sts:AssumeRole", role("pedigree-operator"), {}, identity(role("ann", account=STRANGER))),
        Request("sts:AssumeRole", role("pedigree-operator"), {}, identity(role("ann"))),
    ),
)

MAKING_AND_REMOVING = Table(
    "operator",
    settings=IN_ACCOUNT,
    may=(
        Request("s3:CreateBucket", BUCKET),
        Request("s3:PutEncryptionConfiguration", BUCKET),
        Request("s3:PutObject", f"{OURS}/code/0123456789abcdef/source.tar.gz"),
        Request("s3:DeleteObjectVersion", f"{EXECUTION}/Evaluate/champion/model.tar.gz"),
        Request("iam:CreateRole", role("pedigree-job")),
        Request("iam:PutRolePolicy", role("pedigree-await")),
        Request("iam:UpdateAssumeRolePolicy", role("pedigree-model")),
        Request("iam:DeleteRole", role("pedigree-ec2")),
        Request("iam:CreateInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/pedigree-ec2"),
        Request("iam:CreateServiceLinkedRole", LINKED, SCALING),
        Request("iam:GetRole", LINKED),
        Request("iam:GetRole", role(LINKED.rpartition("/")[2])),  # while it is not there, it has no path
        passing("pedigree-pipeline", SAGEMAKER),
        passing("pedigree-deploy", "lambda.amazonaws.com"),
        passing("pedigree-predict", "lambda.amazonaws.com"),
        Request("sqs:CreateQueue", QUEUE),
        Request("sqs:CreateQueue", f"{QUEUE}-dead"),
        Request("sqs:DeleteQueue", arn("sqs", "dog-breeds-schedule-dead")),
        Request("lambda:CreateFunction", function("deploy-endpoint")),
        Request("lambda:PublishVersion", function("predict")),
        Request("lambda:PutProvisionedConcurrencyConfig", live("predict")),
        Request("lambda:AddPermission", function("deploy-endpoint")),
        Request("lambda:CreateEventSourceMapping", "*", OUR_FUNCTION),
        Request("lambda:UpdateEventSourceMapping", MAPPING, OUR_FUNCTION),
        Request("logs:CreateLogGroup", LOG),
        Request("logs:PutRetentionPolicy", LOG),
        Request("events:PutRule", RULE),
        Request("events:PutTargets", RULE),
        Request("sagemaker:CreatePipeline", PIPELINE),
        Request("sagemaker:UpdatePipeline", PIPELINE),
        Request("sagemaker:CreateModelPackageGroup", GROUP),
        Request("sagemaker:DeleteEndpoint", ENDPOINT),
        Request("sagemaker:DeleteEndpointConfig", CONFIGURATION),
        Request("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:dog-breeds-rollback-on-errors")),
        Request("tag:GetResources"),
    ),
    may_not=(
        Request("s3:DeleteBucket", "arn:aws:s3:::somebody-elses"),
        Request("s3:PutObject", "arn:aws:s3:::somebody-elses/code/source.tar.gz"),
        Request("s3:PutBucketAcl", BUCKET),
        Request("iam:CreateRole", role("admin")),
        Request("iam:PutRolePolicy", role("pedigree-operator")),
        Request("iam:AttachRolePolicy", role("pedigree-job")),
        Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/ann"),
        Request("iam:CreateServiceLinkedRole", LINKED, {"iam:AWSServiceName": "ecs.amazonaws.com"}),
        passing("pedigree-pipeline", "lambda.amazonaws.com"),
        passing("pedigree-deploy", SAGEMAKER),
        passing("admin", "lambda.amazonaws.com"),
        Request("iam:PassRole", role("pedigree-deploy")),
        Request("sqs:DeleteQueue", arn("sqs", "orders")),
        Request("lambda:UpdateFunctionCode", arn("lambda", "function:orders")),
        Request("lambda:UpdateFunctionCode", arn("lambda", "function:sagemaker-cat-breeds-predict")),
        Request("lambda:CreateEventSourceMapping", "*", {"lambda:FunctionArn": arn("lambda", "function:orders")}),
        Request("lambda:CreateEventSourceMapping", "*"),
        Request("lambda:DeleteEventSourceMapping", MAPPING, {"lambda:FunctionArn": arn("lambda", "function:orders")}),
        Request("logs:DeleteLogGroup", arn("logs", "log-group:/aws/lambda/orders")),
        Request("events:PutTargets", arn("events", "rule/orders")),
        Request("sagemaker:DeletePipeline", sagemaker("pipeline/cat-breeds")),
        Request("sagemaker:DeleteModelPackageGroup", sagemaker("model-package-group/cat-breeds")),
        Request("sagemaker:DeleteEndpoint", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:DeleteModel", sagemaker("model/made-in-the-console")),
        Request("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:bill-too-high")),
    ),
)

MACHINES = Table(
    "operator",
    settings=IN_ACCOUNT,
    may=(
        Request("ssm:GetParameter", "arn:aws:ssm:us-east-1::parameter/aws/service/deeplearning/ami/x86_64/any/latest"),
        Request("ec2:RunInstances", arn("ec2", "instance/*"), START),
        Request("ec2:RunInstances", arn("ec2", "volume/*")),
        Request("ec2:RunInstances", arn("ec2", "subnet/subnet-0123456789abcdef0", account=STRANGER)),
        Request("ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0"),
        Request("ec2:CreateTags", arn("ec2", "instance/*"), {"ec2:CreateAction": "RunInstances"}),
        Request("ec2:TerminateInstances", INSTANCE, OURS_BY_TAG),
        Request("ec2:DescribeInstances"),
        passing("pedigree-ec2", "ec2.amazonaws.com"),
        Request("s3:PutObject", f"{OURS}/data/mine/cat/1.jpg"),
        Request("s3:GetObject", f"{OURS}/ec2/20270131-060000/train.log"),
        Request("s3:GetObject", f"{OURS}/executions/abcdefghijkl/PrepareData/dataset/dataset.json"),
        Request("s3:ListBucket", BUCKET),
        Request("iam:GetInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/pedigree-ec2"),
    ),
    may_not=(
        Request("ssm:GetParameter", arn("ssm", "parameter/secret")),
        Request("ec2:RunInstances", arn("ec2", "instance/*")),
        Request("ec2:RunInstances", arn("ec2", "instance/*"), {**START, "ec2:MetadataHttpTokens": "optional"}),
        Request("ec2:RunInstances", arn("ec2", "instance/*"), {"ec2:MetadataHttpTokens": "required"}),
        Request(
            "ec2:RunInstances",
            arn("ec2", "instance/*"),
            {**START, "aws:RequestTag/pedigree:pipeline": sagemaker("pipeline/cat-breeds")},
        ),
        Request("ec2:CreateTags", INSTANCE),
        Request("ec2:CreateTags", INSTANCE, {"ec2:CreateAction": "CreateVolume"}),
        Request("ec2:TerminateInstances", INSTANCE),
        Request(
            "ec2:TerminateInstances",
            INSTANCE,
            {"aws:ResourceTag/pedigree:pipeline": sagemaker("pipeline/cat-breeds")},
        ),
        Request("ec2:StopInstances", INSTANCE, OURS_BY_TAG),
        Request("ec2:ModifyInstanceAttribute", INSTANCE, OURS_BY_TAG),
        Request("ec2:CreateSecurityGroup", arn("ec2", "security-group/*")),
        passing("pedigree-ec2", "lambda.amazonaws.com"),
        passing("pedigree-ec2", SAGEMAKER),
        passing("admin", "ec2.amazonaws.com"),
    ),
)

ENCRYPTED = Table(
    "operator",
    settings=EVERYTHING,
    may=(Request("kms:GenerateDataKey", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),),
    may_not=(
        Request("kms:GenerateDataKey", KEY),
        Request("kms:GenerateDataKey", ANOTHER_KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
        Request("kms:PutKeyPolicy", KEY),
    ),
)

TABLES = (DAY_TO_DAY, MAKING_AND_REMOVING, MACHINES, ENCRYPTED)
