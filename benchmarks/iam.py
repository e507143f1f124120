"""How long one decision takes, over each role's policies: on this machine every call to the local AWS waits for one.

    python -m benchmarks.iam [ROUNDS]

The requests are those of tests/policies, allowed and refused ones, under the settings that let every part join. Then
all of the authorization, over calls as boto3 sends them: reading the request, finding what it needs, and deciding it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from statistics import median
from typing import Any

from pedigree.iam import Policy, Request, decide, parse, session
from pedigree.localaws.http.caller import Caller
from pedigree.localaws.http.parser import read_call
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam import s3_requests
from pedigree.localaws.iam.actions import TABLES, needs
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.callers import Callers
from pipeline.account.roles import documents
from tests.policies import autoscale, await_, deploy, ec2, job, model, operator, pipeline, predict, scheduler
from tests.policies.arns import ACCOUNT, EVERYTHING, function, role
from tests.support.calls import KnownResources, sent
from tests.support.definitions import configure

MODULES = (pipeline, job, model, deploy, await_, autoscale, predict, scheduler, ec2, operator)
MOST_MILLISECONDS = 0.1


def role_requests(role: str) -> list[Request]:
    """All requests that the tables have for a role's policy."""
    tables = [table for module in MODULES for table in module.TABLES if table.role == role]
    return [request for table in tables for request in (*table.may, *table.may_not)]


def milliseconds(policy: Policy, requests: Sequence[Request], rounds: int) -> tuple[float, float]:
    """What a decision takes: in the middle, and at worst, each request's time being the median of its rounds."""
    times = []
    for request in requests:
        taken = []
        for _ in range(rounds):
            fresh = replace(request)  # what a request keeps to itself is worked out anew
            started = time.perf_counter()
            decide([policy], fresh)
            taken.append(time.perf_counter() - started)
        times.append(1000 * median(taken))
    return median(times), max(times)


def calls() -> Mapping[str, tuple[str, str, Mapping[str, Any]]]:
    """Calls that are made all the time, and the longest one."""
    job = {"RoleArn": role("pedigree-job"), "TrainingJobName": "pipelines-abcdefghijkl-TrainBest-0123456789"}
    network = {"VpcConfig": {"Subnets": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    training = {
        **job,
        **network,
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/key"},
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1},
        "EnableNetworkIsolation": True,
        "HyperParameters": {f"parameter-{number}": "value" for number in range(50)},
    }
    queue = f"http://127.0.0.1/{ACCOUNT}/dog-breeds-await-endpoint"
    return {
        "pipeline": ("sagemaker", "create_training_job", training),
        "predict": ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "dog-breeds", "Body": b"x" * 100_000}),
        "deploy": ("sagemaker", "describe_endpoint", {"EndpointName": "dog-breeds"}),
        "job": ("s3", "get_object", {"Bucket": f"pedigree-{ACCOUNT}-us-east-1", "Key": "pedigree/executions/a/b"}),
        "await": ("sqs", "receive_message", {"QueueUrl": queue}),
        "autoscale": ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
        "operator": ("lambda", "invoke", {"FunctionName": function("predict"), "Payload": b"{}"}),
        "scheduler": ("sagemaker", "start_pipeline_execution", {"PipelineName": "dog-breeds"}),
    }


@contextmanager
def no_resources(_service: str, _region: str) -> Iterator[None]:
    """Stands for the backends of IAM, which no call needs here."""
    yield None


def authorization_milliseconds(rounds: int) -> float:
    """All of the authorization, call by call; the worst of their medians."""
    authorizer = Authorizer(Callers(no_resources, ACCOUNT, time.time), KnownResources())
    policies, worst = documents(configure(EVERYTHING)), 0.0
    print(f"{'role':10} {'call':28} {'decisions':>9} {'median':>9}  milliseconds")
    for name, (service, operation, arguments) in calls().items():
        arn = role(f"pedigree-{name}")
        parsed = (parse(policies[name].policy, name=name),)
        caller = Caller(arn, "id", session(arn, arn), parsed)
        request, taken, decisions = sent(service, operation, **arguments), [], 0
        for _ in range(rounds):
            started = time.perf_counter()
            read_call(request)
            call = request.call
            needed = list(
                needs.requests(TABLES[call.service], call, KnownResources()) if call else s3_requests.requests(request)
            )
            with suppress(ServiceError):
                authorizer.check(caller, needed, "us-east-1")
            taken.append(1000 * (time.perf_counter() - started))
            decisions = len(needed)
        worst = max(worst, median(taken))
        print(f"{name:10} {operation:28} {decisions:9} {median(taken):9.4f}")
    return worst


def main() -> None:
    """Measures and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    policies = documents(configure(EVERYTHING))
    print(f"{'role':10} {'statements':>10} {'requests':>9} {'to read':>9} {'median':>9} {'worst':>9}  milliseconds")
    worst = 0.0
    for name, entry in policies.items():
        started = time.perf_counter()
        policy = parse(entry.policy, name=name)
        reading = 1000 * (time.perf_counter() - started)
        requests = role_requests(name)
        middle, most = milliseconds(policy, requests, rounds)
        worst = max(worst, most)
        counts = f"{len(policy.statements):10} {len(requests):9}"
        print(f"{name:10} {counts} {reading:9.1f} {middle:9.4f} {most:9.4f}")
    print(f"worst decision: {worst:.4f} ms, at most {MOST_MILLISECONDS}\n")
    print(f"worst call: {authorization_milliseconds(rounds):.4f} ms")


if __name__ == "__main__":
    main()
