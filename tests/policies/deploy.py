"""The deploying function creates models and configurations of one endpoint, and updates that endpoint."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    EVERYTHING,
    EXECUTION,
    IN_ACCOUNT,
    IN_THE_NETWORK,
    KEY,
    SAGEMAKER,
    arn,
    assuming,
    function,
    log_stream,
    not_trusted,
    passing,
    sagemaker,
)

MODEL = sagemaker("model/dog-breeds-v3-0123456789")
CONFIGURATION = sagemaker("endpoint-config/dog-breeds-v3-0123456789")
ENDPOINT = sagemaker("endpoint/dog-breeds")
ALARM = arn("cloudwatch", "alarm:dog-breeds-rollback-on-errors")
TARGET = arn("application-autoscaling", "scalable-target/0a1b2c3d")
VARIANTS = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
}
LAMBDA = "lambda.amazonaws.com"

PLAIN = Table(
    "deploy",
    settings=IN_ACCOUNT,
    may=(
        Request("sagemaker:DescribeModelPackage", sagemaker("model-package/dog-breeds/3")),
        Request("sagemaker:CreateModel", MODEL),
        Request("sagemaker:AddTags", MODEL),
        Request("sagemaker:DeleteModel", MODEL),
        Request("sagemaker:CreateEndpointConfig", CONFIGURATION),
        Request("sagemaker:AddTags", CONFIGURATION),
        Request("sagemaker:ListTags", CONFIGURATION),
        Request("sagemaker:DeleteEndpointConfig", CONFIGURATION),
        Request("sagemaker:DescribeEndpointConfig", sagemaker("endpoint-config/made-in-the-console")),
        Request("sagemaker:CreateEndpoint", ENDPOINT),
        Request("sagemaker:CreateEndpoint", CONFIGURATION),
        Request("sagemaker:UpdateEndpoint", ENDPOINT),
        Request("sagemaker:UpdateEndpoint", CONFIGURATION),
        Request("sagemaker:DescribeEndpoint", ENDPOINT),
        Request("sagemaker:DeleteEndpoint", ENDPOINT),
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint/dog-breeds-staging")),
        Request("sagemaker:ListEndpointConfigs"),
        Request("sagemaker:ListModels"),
        passing("pedigree-model", SAGEMAKER),
        Request("cloudwatch:PutMetricAlarm", ALARM),
        Request("cloudwatch:DeleteAlarms", ALARM),
        Request("cloudwatch:DescribeAlarms"),
        Request("application-autoscaling:DescribeScalableTargets"),
        Request("application-autoscaling:DeregisterScalableTarget", TARGET, VARIANTS),
        Request("sqs:SendMessage", arn("sqs", "dog-breeds-await-endpoint")),
        Request("logs:PutLogEvents", log_stream("/aws/lambda/sagemaker-dog-breeds-deploy-endpoint")),
    ),
    may_not=(
        Request("sagemaker:DescribeModelPackage", sagemaker("model-package/cat-breeds/3")),
        Request("sagemaker:UpdateModelPackage", sagemaker("model-package/dog-breeds/3")),
        Request("sagemaker:CreateModel", sagemaker("model/cat-breeds-v3-0123456789")),
        Request("sagemaker:DeleteModel", sagemaker("model/made-in-the-console")),
        Request("sagemaker:DeleteEndpointConfig", sagemaker("endpoint-config/made-in-the-console")),
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint/dog-breeds2")),
        Request("sagemaker:DeleteEndpoint", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint/dog-breeds", region="eu-west-1")),
        Request("sagemaker:InvokeEndpoint", ENDPOINT),
        Request("sagemaker:CreateTrainingJob", sagemaker("training-job/dog-breeds-v3-0123456789")),
        passing("pedigree-model", LAMBDA),
        passing("pedigree-job", SAGEMAKER),
        passing("pedigree-deploy", SAGEMAKER),
        passing("admin", SAGEMAKER),
        Request("cloudwatch:PutMetricAlarm", arn("cloudwatch", "alarm:bill-too-high")),
        Request("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:cat-breeds-rollback-on-errors")),
        Request("application-autoscaling:RegisterScalableTarget", TARGET, VARIANTS),
        Request("application-autoscaling:DeregisterScalableTarget", TARGET),
        Request(
            "application-autoscaling:DeregisterScalableTarget",
            TARGET,
            {"application-autoscaling:service-namespace": "ecs"},
        ),
        Request("sqs:ReceiveMessage", arn("sqs", "dog-breeds-await-endpoint")),
        Request("sqs:SendMessage", arn("sqs", "orders")),
        Request("lambda:InvokeFunction", function("configure-autoscaling")),
        Request("logs:CreateLogGroup", arn("logs", "log-group:/aws/lambda/sagemaker-dog-breeds-deploy-endpoint")),
        Request("logs:PutLogEvents", log_stream("/aws/lambda/sagemaker-dog-breeds-predict")),
        Request("s3:GetObject", f"{EXECUTION}/Evaluate/champion/model.tar.gz"),
        Request("kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": True}),
    ),
    trusts=(
        assuming("pedigree-deploy", LAMBDA, function("deploy-endpoint")),
        assuming("pedigree-deploy", LAMBDA, f"{function('deploy-endpoint')}:live"),
    ),
    trusts_not=(
        *not_trusted("pedigree-deploy", LAMBDA, function("deploy-endpoint")),
        assuming("pedigree-deploy", LAMBDA, function("predict")),
        assuming("pedigree-deploy", LAMBDA, function("deploy-endpoint-2")),
    ),
)

SHUT = Table(
    "deploy",
    settings=EVERYTHING,
    may=(
        Request("sagemaker:CreateModel", MODEL, IN_THE_NETWORK),
        Request("sagemaker:CreateEndpointConfig", CONFIGURATION),
        Request("kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": True}),
        Request("kms:DescribeKey", KEY),
    ),
    may_not=(
        Request("sagemaker:CreateModel", MODEL),
        Request("sagemaker:CreateModel", MODEL, {**IN_THE_NETWORK, "sagemaker:NetworkIsolation": False}),
        Request(
            "sagemaker:CreateModel", MODEL, {**IN_THE_NETWORK, "sagemaker:VpcSubnets": ["subnet-0fedcba9876543210"]}
        ),
        Request("kms:CreateGrant", KEY),
        Request("kms:Decrypt", KEY),
    ),
)

LONG = "a-name-that-is-longer-than-what-is-kept-of-it"
LONG_NAMED = Table(
    "deploy",
    settings={**IN_ACCOUNT, "endpoint.name": LONG, "registry.group": "Dog-Breeds"},
    may=(
        Request("sagemaker:UpdateEndpoint", sagemaker(f"endpoint/{LONG}")),
        Request("sagemaker:CreateModel", sagemaker("model/a-name-that-is-longer-than-wh-0123456789-v3-0123456789")),
        Request("sagemaker:DescribeModelPackage", sagemaker("model-package/Dog-Breeds/3")),
        Request("sagemaker:DescribeModelPackage", sagemaker("model-package/dog-breeds/3")),
    ),
    may_not=(
        Request("sagemaker:UpdateEndpoint", sagemaker("endpoint/a-name-that-is-longer-than-wh")),
        Request("sagemaker:CreateModel", sagemaker("model/a-name-that-is-longer-0123456789")),
    ),
)

TABLES = (PLAIN, SHUT, LONG_NAMED)
