"""What AWS says that things cost, and how long past executions ran: read from answers of the form that AWS gives."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.account.account import Account
from pedigree.account.errors import PricesError
from pedigree.account.prices import parse
from pedigree.account.pricing import refreshed
from pipeline.account import usage
from pipeline.account.cost import JobHours
from pipeline.account.past_hours import past_hours
from tests.support.accounts import CALLER
from tests.support.definitions import configure
from tests.support.fakes.aws import ACCOUNT, REGION
from tests.support.fixed_clock import NOW, FixedClock
from tests.support.price_lists import instance_price, product, provisioned_concurrency_price

Answers = Mapping[tuple[str, str], Any]


class Fake:
    """A client that answers by operation and by the first argument that names something."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def can_paginate(self, operation: str) -> bool:
        return operation.startswith("list_")

    def get_paginator(self, operation: str) -> Any:
        class Pages:
            def paginate(_, **arguments: Any) -> Iterator[Any]:  # noqa: N805  # self is the client around
                yield getattr(self, operation)(**arguments)

        return Pages()

    def __getattr__(self, operation: str) -> Any:
        def answer(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            found = self.answers[operation]
            found = found(arguments) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def account(fake: Fake) -> Account:
    return Account(ACCOUNT, REGION, lambda service: fake, CALLER, FixedClock())


PRODUCTS = {
    "ml.m5.large": [
        instance_price("ml.m5.large", "Training", "Train", "0.1150000000"),
        instance_price("ml.m5.large", "Hosting", "Host", "0.1200000000"),
        instance_price("ml.m5.large", "Processing", "Processing", "0.1300000000"),
        instance_price("ml.m5.large", "Studio-JupyterLab", "Studio:JupyterLab", "9.0000000000"),
        instance_price("ml.m5.large", "Training-Free", "Train", "0.0000000000"),
        instance_price("ml.m5.large", "Cluster", "Cluster", "8.0000000000"),
        product({"usagetype": "USE1-Train:ml.m5.large"}, "7.0", unit="GB-Mo"),
        json.dumps({"product": {"attributes": {"usagetype": "USE1-Train:ml.m5.large"}}, "terms": {}}),
    ],
    "ml.p4d.24xlarge": [
        instance_price("ml.p4d.24xlarge", "Training", "Train", "25.2512860000", since="2026-06-01T00:00:00Z"),
    ],
    "AWS-Lambda-Provisioned-Concurrency-ARM": [
        provisioned_concurrency_price("AWS-Lambda-Provisioned-Concurrency-ARM", "0.0000033334")
    ],
}


def price_list(arguments: Mapping[str, Any]) -> dict[str, Any]:
    service = arguments["Filters"][-1]["Value"]
    return {"FormatVersion": "aws_v1", "PriceList": PRODUCTS.get(service, [])}


def test_prices_are_read_by_use_and_nothing_else_is_taken_for_them() -> None:
    fake = Fake({"get_products": price_list})
    found = refreshed(account(fake), "us-east-1", {"ml.p4d.24xlarge", "ml.m5.large", "ml.none"})
    assert found == {
        "date": "2026-11-21",
        "source": "AWS's Pricing API",
        "regions": {
            "us-east-1": {
                "Training": {"ml.m5.large": 0.115, "ml.p4d.24xlarge": 25.251286},
                "Hosting": {"ml.m5.large": 0.12},
                "Processing": {"ml.m5.large": 0.13},
                "warm": {"arm64": 0.0000033334},
            }
        },
    }
    assert parse(json.dumps(found)).find("us-east-1", "Training", "ml.p4d.24xlarge") is not None
    assert fake.calls[0] == (
        "get_products",
        {
            "ServiceCode": "AmazonSageMaker",
            "Filters": [
                {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"},
                {"Type": "TERM_MATCH", "Field": "instanceName", "Value": "ml.m5.large"},
            ],
            "FormatVersion": "aws_v1",
        },
    )


def test_of_several_prices_the_newest_counts() -> None:
    old = json.loads(instance_price("ml.c5.large", "Training", "Train", "0.2", since="2024-01-01T00:00:00Z"))
    new = json.loads(instance_price("ml.c5.large", "Training", "Train", "0.1", since="2026-01-01T00:00:00Z"))
    new["terms"]["OnDemand"].update(old["terms"]["OnDemand"])
    fake = Fake(
        {
            "get_products": lambda request: {
                "PriceList": [json.dumps(new)]
                if len(request["Filters"]) == 2 and request["ServiceCode"] == "AmazonSageMaker"
                else []
            }
        }
    )
    assert refreshed(account(fake), "us-east-1", {"ml.c5.large"})["regions"]["us-east-1"] == {
        "Training": {"ml.c5.large": 0.1}
    }


def test_a_region_without_prices_is_reported() -> None:
    with pytest.raises(PricesError, match=r"knows no prices for us-gov-west-1"):
        refreshed(account(Fake({"get_products": {"PriceList": []}})), "us-gov-west-1", {"ml.m5.large"})


def step(name: str, kind: str, job: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind.lower()}/{job}"
    return {"StepName": name, "StepStatus": "Succeeded", "Metadata": {kind: {"Arn": arn}}, **more}


def processing(hours: float, instance_price: str = "ml.m5.xlarge") -> dict[str, Any]:
    return {
        "ProcessingResources": {"ClusterConfig": {"InstanceType": instance_price}},
        "ProcessingStartTime": NOW,
        "ProcessingEndTime": NOW + dt.timedelta(hours=hours),
    }


EXECUTIONS = {
    "first": [
        step("PrepareData", "ProcessingJob", "one-hour"),
        step("Tune", "TuningJob", "search"),
        step("TrainBest", "TrainingJob", "other-machine"),
        {"StepName": "QualityGate", "StepStatus": "Succeeded", "Metadata": {"Condition": {"Outcome": "True"}}},
    ],
    "second": [
        step("PrepareData", "ProcessingJob", "two-hours"),
        step("Tune", "TuningJob", "search", CacheHitResult={"SourcePipelineExecutionArn": "arn"}),
        step("Evaluate", "ProcessingJob", "one-hour", StepStatus="Failed"),
        step("TrainDistributed", "TrainingJob", "billed"),
        {"StepName": "RegisterModel", "StepStatus": "Succeeded"},
    ],
}
JOBS = {
    "one-hour": processing(1),
    "two-hours": processing(2),
    "other-machine": {"ResourceConfig": {"InstanceType": "ml.m5.large"}, "TrainingTimeInSeconds": 7200},
    "billed": {
        "ResourceConfig": {"InstanceType": "ml.p4d.24xlarge"},
        "TrainingTimeInSeconds": 7200,
        "BillableTimeInSeconds": 1800,
    },
}
PAST = {
    "list_pipeline_executions": {"PipelineExecutionSummaries": [{"PipelineExecutionArn": name} for name in EXECUTIONS]},
    "list_pipeline_execution_steps": lambda request: {
        "PipelineExecutionSteps": EXECUTIONS[request["PipelineExecutionArn"]]
    },
    "describe_processing_job": lambda request: JOBS[request["ProcessingJobName"]],
    "describe_training_job": lambda request: JOBS[request["TrainingJobName"]],
    "describe_hyper_parameter_tuning_job": {
        "TrainingJobDefinition": {"ResourceConfig": {"InstanceType": "ml.g4dn.xlarge"}}
    },
    "list_training_jobs_for_hyper_parameter_tuning_job": {
        "TrainingJobSummaries": [
            {"TrainingStartTime": NOW, "TrainingEndTime": NOW + dt.timedelta(hours=3)},
            {"TrainingStartTime": NOW, "TrainingEndTime": NOW + dt.timedelta(hours=1)},
            {"TrainingJobName": "never started"},
        ]
    },
}


def test_hours_are_those_of_jobs_that_ran_well_on_the_same_machine() -> None:
    assert past_hours(account(Fake(PAST)), "dog-breeds", usage.jobs(configure({}))) == {
        "PrepareData": JobHours(1.5, "of 2 past executions"),
        "Tune": JobHours(2.0, "of 1 past execution"),
        "TrainDistributed": JobHours(0.5, "of 1 past execution"),
    }


def test_only_the_last_executions_are_looked_at() -> None:
    many = {"PipelineExecutionSummaries": [{"PipelineExecutionArn": "first"}] * 50}
    fake = Fake({**PAST, "list_pipeline_executions": many})
    past_hours(account(fake), "dog-breeds", usage.jobs(configure({})))
    assert sum(operation == "list_pipeline_execution_steps" for operation, _ in fake.calls) == 5


def test_jobs_that_are_gone_and_pipelines_that_are_not_there_tell_nothing() -> None:
    gone = ClientError(
        {"Error": {"Code": "ValidationException", "Message": "Could not find requested job"}}, "Describe"
    )
    jobs = dict.fromkeys(
        ("describe_processing_job", "describe_training_job", "describe_hyper_parameter_tuning_job"), gone
    )
    assert past_hours(account(Fake({**PAST, **jobs})), "dog-breeds", usage.jobs(configure({}))) == {}
    absent = ClientError({"Error": {"Code": "ResourceNotFound", "Message": "no pipeline"}}, "ListPipelineExecutions")
    fake = Fake({"list_pipeline_executions": absent})
    assert past_hours(account(fake), "dog-breeds", usage.jobs(configure({}))) == {}
