"""The scaling function registers the variants of one endpoint for scaling, and creates the alarms that this needs."""

from __future__ import annotations

from pedigree.iam import Request
from tests.policies import Table
from tests.policies.arns import (
    IN_ACCOUNT,
    SAGEMAKER,
    arn,
    assuming,
    function,
    log_stream,
    not_trusted,
    passing,
    role,
    sagemaker,
)
from tests.policies.deploy import TARGET, VARIANTS

ENDPOINT = sagemaker("endpoint/dog-breeds")
ALARM = arn("cloudwatch", "alarm:TargetTracking-endpoint/dog-breeds/variant/AllTraffic-AlarmHigh-0a1b2c3d")
LINKED = role(
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
SCALING = {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
LOG = "/aws/lambda/sagemaker-dog-breeds-configure-autoscaling"
LAMBDA = "lambda.amazonaws.com"

PLAIN = Table(
    "autoscale",
    settings=IN_ACCOUNT,
    may=(
        Request("sagemaker:DescribeEndpoint", ENDPOINT),
        Request("sagemaker:DescribeEndpointConfig", sagemaker("endpoint-config/dog-breeds-v3-0123456789")),
        Request("sagemaker:UpdateEndpointWeightsAndCapacities", ENDPOINT),
        Request("application-autoscaling:DescribeScalableTargets"),
        Request("application-autoscaling:DescribeScalingPolicies"),
        Request("application-autoscaling:RegisterScalableTarget", TARGET, VARIANTS),
        Request("application-autoscaling:DeregisterScalableTarget", TARGET, VARIANTS),
        Request("application-autoscaling:PutScalingPolicy", TARGET, VARIANTS),
        Request("cloudwatch:PutMetricAlarm", ALARM),
        Request("cloudwatch:DeleteAlarms", ALARM),
        Request("cloudwatch:DescribeAlarms"),
        Request("iam:CreateServiceLinkedRole", LINKED, SCALING),
        Request("logs:PutLogEvents", log_stream(LOG)),
    ),
    may_not=(
        Request("sagemaker:UpdateEndpoint", ENDPOINT),
        Request("sagemaker:DeleteEndpoint", ENDPOINT),
        Request("sagemaker:UpdateEndpointWeightsAndCapacities", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:DescribeEndpoint", sagemaker("endpoint/cat-breeds")),
        Request("sagemaker:CreateEndpointConfig", sagemaker("endpoint-config/dog-breeds-v3-0123456789")),
        Request("application-autoscaling:RegisterScalableTarget", TARGET),
        Request(
            "application-autoscaling:RegisterScalableTarget",
            TARGET,
            {**VARIANTS, "application-autoscaling:service-namespace": "dynamodb"},
        ),
        Request(
            "application-autoscaling:PutScalingPolicy",
            TARGET,
            {
                **VARIANTS,
                "application-autoscaling:scalable-dimension": "sagemaker:inference-component:DesiredCopyCount",
            },
        ),
        Request("cloudwatch:PutMetricAlarm", arn("cloudwatch", "alarm:bill-too-high")),
        Request("cloudwatch:DeleteAlarms", ALARM.replace("dog-breeds", "cat-breeds")),
        Request("iam:CreateServiceLinkedRole", LINKED),
        Request(
            "iam:CreateServiceLinkedRole", LINKED, {"iam:AWSServiceName": "ecs.application-autoscaling.amazonaws.com"}
        ),
        Request("iam:CreateServiceLinkedRole", role("aws-service-role/ecs.amazonaws.com/any"), SCALING),
        Request("iam:CreateRole", role("admin")),
        passing("pedigree-model", SAGEMAKER),
        Request("lambda:InvokeFunction", function("deploy-endpoint")),
        Request("sqs:SendMessage", arn("sqs", "dog-breeds-await-endpoint")),
        Request("logs:CreateLogGroup", arn("logs", f"log-group:{LOG}")),
    ),
    trusts=(assuming("pedigree-autoscale", LAMBDA, function("configure-autoscaling")),),
    trusts_not=(
        *not_trusted("pedigree-autoscale", LAMBDA, function("configure-autoscaling")),
        assuming("pedigree-autoscale", LAMBDA, function("predict")),
    ),
)

TABLES = (PLAIN,)
