"""The predict function invokes one endpoint, and reads pictures from one prefix."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    ANOTHER_KEY,
    BUCKET,
    EVERYTHING,
    EXECUTION,
    IN_ACCOUNT,
    KEY,
    OURS,
    SAGEMAKER,
    arn,
    assuming,
    function,
    log_stream,
    not_trusted,
    passing,
    sagemaker,
)

ENDPOINT = sagemaker("endpoint/dog-breeds")
LOG = "/aws/lambda/sagemaker-dog-breeds-predict"
LAMBDA = "lambda.amazonaws.com"
VIA_S3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}

PLAIN = Table(
    "predict",
    settings=IN_ACCOUNT,
    may=(
        Request("sagemaker:InvokeEndpoint", ENDPOINT),
        Request("SageMaker:invokeendpoint", ENDPOINT),
        Request("s3:GetObject", f"{OURS}/pictures/dog.jpg"),
        Request("s3:GetObject", f"{OURS}/pictures/2027/01/31/dog.jpg"),
        Request("logs:CreateLogStream", log_stream(LOG)),
        Request("logs:PutLogEvents", log_stream(LOG)),
        Request("logs:CreateLogStream", log_stream(LOG).replace("2027/01/31/a", "2027/01/31/[live]b")),
        Request("logs:PutLogEvents", log_stream(LOG).replace("2027/01/31/a", "2027/01/31/[live]b")),
    ),
    may_not=(
        Request("sagemaker:InvokeEndpoint", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:InvokeEndpoint", sagemaker("endpoint/dog-breeds-staging")),
        Request("sagemaker:InvokeEndpoint", sagemaker("endpoint/dog-breeds", region="eu-west-1")),
        Request("sagemaker:InvokeEndpointAsync", ENDPOINT),
        Request("sagemaker:DescribeEndpoint", ENDPOINT),
        Request("sagemaker:UpdateEndpoint", ENDPOINT),
        Request("s3:GetObject", f"{EXECUTION}/Evaluate/champion/model.tar.gz"),
        Request("s3:GetObject", f"{OURS}/captured/dog-breeds/AllTraffic/1.jsonl"),
        Request("s3:GetObject", f"{OURS}/data/mine/cat/1.jpg"),
        Request("s3:GetObject", "arn:aws:s3:::somebody-elses/dog.jpg"),
        Request("s3:PutObject", f"{OURS}/pictures/dog.jpg"),
        Request("s3:ListBucket", BUCKET),
        Request("lambda:InvokeFunction", function("deploy-endpoint")),
        Request("logs:CreateLogGroup", arn("logs", f"log-group:{LOG}")),
        Request("logs:PutLogEvents", log_stream("/aws/lambda/sagemaker-dog-breeds-deploy-endpoint")),
        Request("ssm:GetParameter", arn("ssm", "parameter/secret")),
        passing("pedigree-model", SAGEMAKER),
        Request("kms:Decrypt", KEY, VIA_S3),
    ),
    trusts=(
        assuming("pedigree-predict", LAMBDA, function("predict")),
        assuming("pedigree-predict", LAMBDA, f"{function('predict')}:live"),
    ),
    trusts_not=(
        *not_trusted("pedigree-predict", LAMBDA, function("predict")),
        assuming("pedigree-predict", LAMBDA, function("deploy-endpoint")),
    ),
)

ENCRYPTED = Table(
    "predict",
    settings=EVERYTHING,
    may=(Request("kms:Decrypt", KEY, VIA_S3),),
    may_not=(
        Request("kms:Decrypt", KEY),
        Request("kms:Decrypt", ANOTHER_KEY, VIA_S3),
        Request("kms:GenerateDataKey", KEY, VIA_S3),
    ),
)

TABLES = (PLAIN, ENCRYPTED)
