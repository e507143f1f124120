"""The awaiting function reads its queue, describes the endpoint, and answers a waiting step or calls a function."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    IN_ACCOUNT,
    SAGEMAKER,
    arn,
    assuming,
    function,
    live,
    log_stream,
    not_trusted,
    passing,
    sagemaker,
)

QUEUE = arn("sqs", "dog-breeds-await-endpoint")
ENDPOINT = sagemaker("endpoint/dog-breeds")
RUNNING = sagemaker("pipeline/dog-breeds/execution/abcdefghijkl")
LOG = "/aws/lambda/sagemaker-dog-breeds-await-endpoint"
LAMBDA = "lambda.amazonaws.com"

PLAIN = Table(
    "await",
    settings=IN_ACCOUNT,
    may=(
        Request("sqs:ReceiveMessage", QUEUE),
        Request("sqs:DeleteMessage", QUEUE),
        Request("sqs:GetQueueAttributes", QUEUE),
        Request("sagemaker:DescribeEndpoint", ENDPOINT),
        Request("sagemaker:DescribeEndpoint", sagemaker("endpoint/dog-breeds-staging")),
        Request("sagemaker:SendPipelineExecutionStepSuccess", RUNNING),
        Request("sagemaker:SendPipelineExecutionStepFailure", RUNNING),
        Request("lambda:InvokeFunction", live("configure-autoscaling")),
        Request("lambda:InvokeFunction", live("deploy-endpoint")),
        Request("logs:CreateLogStream", log_stream(LOG)),
        Request("logs:PutLogEvents", log_stream(LOG)),
    ),
    may_not=(
        Request("sqs:SendMessage", QUEUE),
        Request("sqs:PurgeQueue", QUEUE),
        Request("sqs:ReceiveMessage", f"{QUEUE}-dead"),
        Request("sqs:ReceiveMessage", arn("sqs", "orders")),
        Request("sagemaker:DescribeEndpoint", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:UpdateEndpoint", ENDPOINT),
        Request("sagemaker:DeleteEndpoint", ENDPOINT),
        Request("sagemaker:InvokeEndpoint", ENDPOINT),
        Request("sagemaker:SendPipelineExecutionStepSuccess", sagemaker("pipeline/cat-breeds/execution/a")),
        Request("sagemaker:StopPipelineExecution", RUNNING),
        Request("sagemaker:StartPipelineExecution", sagemaker("pipeline/dog-breeds")),
        Request("lambda:InvokeFunction", live("await-endpoint")),
        Request("lambda:InvokeFunction", live("predict")),
        Request("lambda:InvokeFunction", function("deploy-endpoint")),
        Request("logs:CreateLogGroup", arn("logs", f"log-group:{LOG}")),
        Request("logs:PutLogEvents", log_stream("/aws/lambda/sagemaker-dog-breeds-deploy-endpoint")),
        passing("pedigree-model", SAGEMAKER),
        Request("application-autoscaling:RegisterScalableTarget", arn("application-autoscaling", "scalable-target/0a")),
    ),
    trusts=(assuming("pedigree-await", LAMBDA, function("await-endpoint")),),
    trusts_not=(
        *not_trusted("pedigree-await", LAMBDA, function("await-endpoint")),
        assuming("pedigree-await", LAMBDA, function("deploy-endpoint")),
    ),
)

TABLES = (PLAIN,)
