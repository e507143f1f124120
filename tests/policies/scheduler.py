"""The schedule starts one pipeline, and sends failed starts to its dead-letter queue."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    BUCKET,
    IN_ACCOUNT,
    SAGEMAKER,
    STRANGER,
    arn,
    assuming,
    function,
    not_trusted,
    passing,
    sagemaker,
)

PIPELINE = sagemaker("pipeline/dog-breeds")
DEAD = arn("sqs", "dog-breeds-schedule-dead")
GROUP = arn("scheduler", "schedule-group/default")
SCHEDULER = "scheduler.amazonaws.com"

PLAIN = Table(
    "scheduler",
    settings=IN_ACCOUNT,
    may=(
        Request("sagemaker:StartPipelineExecution", PIPELINE),
        Request("SageMaker:StartPipelineExecution", PIPELINE),
        Request("sagemaker:startpipelineexecution", PIPELINE),
        Request("sagemaker:StartPipelineExecution", PIPELINE, {"aws:RequestedRegion": "us-east-1"}),
        Request("sagemaker:StartPipelineExecution", PIPELINE, {"aws:SecureTransport": True}),
        Request("sqs:SendMessage", DEAD),
        Request("SQS:SendMessage", DEAD),
        Request("sqs:SendMessage", DEAD, {"aws:SecureTransport": True}),
    ),
    may_not=(
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/cat-breeds")),
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/dog-breeds-2")),
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/dog-breeds", region="eu-west-1")),
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/dog-breeds", account=STRANGER)),
        Request("sagemaker:StopPipelineExecution", sagemaker("pipeline/dog-breeds/execution/a")),
        Request("sagemaker:UpdatePipeline", PIPELINE),
        Request("sagemaker:DescribePipeline", PIPELINE),
        Request("sagemaker:CreateTrainingJob", sagemaker("training-job/pipelines-a-TrainBest-b")),
        Request("sqs:SendMessage", arn("sqs", "dog-breeds-await-endpoint")),
        Request("sqs:SendMessage", arn("sqs", "orders")),
        Request("sqs:ReceiveMessage", DEAD),
        Request("sqs:DeleteMessage", DEAD),
        Request("lambda:InvokeFunction", function("deploy-endpoint")),
        passing("pedigree-pipeline", SAGEMAKER),
        Request("s3:GetObject", f"{BUCKET}/pedigree/code/a/source.tar.gz"),
        Request("scheduler:UpdateSchedule", arn("scheduler", "schedule/default/dog-breeds")),
    ),
    trusts=(
        assuming("pedigree-scheduler", SCHEDULER, GROUP),
        assuming("pedigree-scheduler", SCHEDULER, arn("scheduler", "schedule/default/dog-breeds")),
    ),
    trusts_not=(
        *not_trusted("pedigree-scheduler", SCHEDULER, GROUP),
        assuming("pedigree-scheduler", SCHEDULER, arn("scheduler", "schedule-group/others")),
        assuming("pedigree-scheduler", SCHEDULER, arn("scheduler", "schedule/default/cat-breeds")),
    ),
)

QUEUELESS = Table(
    "scheduler",
    settings={**IN_ACCOUNT, "schedule.dead_letter_queue": False},
    may=(Request("sagemaker:StartPipelineExecution", PIPELINE),),
    may_not=(Request("sqs:SendMessage", DEAD),),
)

TABLES = (PLAIN, QUEUELESS)
