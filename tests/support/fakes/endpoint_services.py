"""Services around an endpoint that answer what they were given to answer: SageMaker, scaling, alarms, the registry."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from tests.support.fakes.clients import FakeService

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
PACKAGE = f"{ARN}:model-package/dog-breeds"
TRACKING = {
    "TargetValue": 30.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    "ScaleInCooldown": 300,
    "ScaleOutCooldown": 60,
}


class FixedAnswers(FakeService):
    """A service that gives one answer for each operation, and refuses the operations for which it has none."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.requests = answers, dict[str, Any]()

    def __getattr__(self, operation: str) -> Any:
        def answer(request: dict[str, Any]) -> Any:
            self.requests[operation] = request
            return self.answers.get(operation) or self.refuse("ValidationException", "Could not find it.")

        return answer


def sagemaker(**more: Any) -> FixedAnswers:
    variant = {"VariantName": "AllTraffic", "CurrentInstanceCount": 1, "DesiredInstanceCount": 3}
    endpoint = {
        "EndpointName": "dogs",
        "EndpointConfigName": "dogs-v2",
        "EndpointStatus": "Updating",
        "LastModifiedTime": NOON,
        "ProductionVariants": [variant],
        "PendingDeploymentSummary": {"EndpointConfigName": "dogs-v3"},
        "LastDeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}},
    }
    served = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "ModelName": "dogs-v2"}
    return FixedAnswers(
        describe_endpoint=endpoint,
        describe_endpoint_config={"EndpointConfigArn": "arn", "ProductionVariants": [served]},
        describe_model={"PrimaryContainer": {"ModelPackageName": f"{PACKAGE}/2"}},
        **more,
    )


def scaling() -> FixedAnswers:
    resource = "endpoint/dogs/variant/AllTraffic"
    policy = {
        "PolicyName": "target",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
        "Alarms": [{"AlarmName": "high"}, {"AlarmName": "low"}],
    }
    activity = {"StartTime": NOON, "StatusCode": "Successful", "Description": "Setting to 3", "Cause": "alarm high"}
    return FixedAnswers(
        describe_scalable_targets={"ScalableTargets": [{"ResourceId": resource, "MinCapacity": 1, "MaxCapacity": 3}]},
        describe_scaling_policies={"ScalingPolicies": [policy]},
        describe_scaling_activities={"ScalingActivities": [activity] * 9},
    )


def alarms() -> FixedAnswers:
    high = {"AlarmName": "high", "StateValue": "ALARM", "StateReason": "3 points\nabove", "StateUpdatedTimestamp": NOON}
    return FixedAnswers(describe_alarms={"MetricAlarms": [high, {"AlarmName": "errors", "StateValue": "OK"}]})


def registry(*approvals: str, status: str = "Completed") -> FixedAnswers:
    listed = [
        {
            "ModelPackageArn": f"{PACKAGE}/{number}",
            "ModelPackageVersion": number,
            "ModelApprovalStatus": approval,
            "ModelPackageStatus": status,
            "CreationTime": NOON,
        }
        for number, approval in reversed(list(enumerate(approvals, start=1)))
    ]
    answers = {"ModelPackageArn": f"{PACKAGE}/1"}
    return sagemaker(list_model_packages={"ModelPackageSummaryList": listed}, update_model_package=answers)
