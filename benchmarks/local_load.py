"""Endpoints of the local AWS under load, with every event that can happen to an endpoint.

    python -m benchmarks.local_load [CALLS [CLIENTS [PAUSE]]]

Clients in separate processes invoke an endpoint with boto3, without retries, so that a failure would be seen. Meanwhile
a canary updates the endpoint, its scaling policy adds instances, and one of its model servers is killed. In turn with
each call, the same client sends the same request directly to a model server of the same model: the difference is what
the local AWS adds, including IAM's decision. One client runs alone before the others. These pause for some seconds
after each pair of calls (0.03), because clients that never pause would measure how long they wait for each other's
processor.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import boto3
from botocore.config import Config

from pedigree.localaws import process
from pedigree.localaws.services.sagemaker.endpoints import model_server
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER
from tests.support.images import images_file

ENDPOINT, BUCKET, REGION = "loaded", "load", "us-east-1"
ROLE = "arn:aws:iam::123456789012:role"
PATIENCE_SECONDS = 120.0
MOST_ADDED_MILLISECONDS = 3.0
BODY = json.dumps({"numbers": list(range(100))}).encode()
CODE = """
import json, os
def model_fn(folder):
    with open(folder + "/version") as file:
        return file.read()
def input_fn(body, kind):
    return json.loads(body)
def predict_fn(data, model):
    return {"version": model, "sum": sum(data["numbers"]), "process": os.getpid()}
def output_fn(prediction, accept):
    return json.dumps(prediction), accept
"""
_answered: Synchronized[int]


@dataclass(frozen=True)
class Targets:
    """How clients reach the endpoint and a model server of the same model, and how many calls each makes."""

    url: str
    direct: str
    keys: Mapping[str, str]
    calls: int
    pause: float = 0.0


@dataclass(frozen=True)
class ClientReport:
    """The results of a client: seconds by each way, the versions that answered, and failures."""

    through_local_aws: tuple[float, ...]
    direct: tuple[float, ...]
    versions: frozenset[str]
    failures: tuple[str, ...]


@dataclass(frozen=True)
class EndpointEvent:
    """Something that happened to the endpoint, and the calls that it happened between."""

    what: str
    first: int
    last: int


@dataclass(frozen=True)
class Load:
    """The results of a run."""

    alone: ClientReport
    reports: tuple[ClientReport, ...]
    events: tuple[EndpointEvent, ...]
    seconds: float

    @property
    def failures(self) -> list[str]:
        """The failures of all clients."""
        return [failure for report in (self.alone, *self.reports) for failure in report.failures]


def through_local_aws(reports: Sequence[ClientReport]) -> list[float]:
    """Returns the milliseconds of all calls through the local AWS."""
    return [1000 * seconds for report in reports for seconds in report.through_local_aws]


def direct_to_server(reports: Sequence[ClientReport]) -> list[float]:
    """Returns the milliseconds of all calls to the model server itself."""
    return [1000 * seconds for report in reports for seconds in report.direct]


def added_milliseconds(reports: Sequence[ClientReport]) -> float:
    """Returns the median milliseconds that the local AWS adds."""
    return median(through_local_aws(reports)) - median(direct_to_server(reports))


def load(calls: int, clients: int, pause: float) -> Load:
    """Makes so many calls from so many processes while everything happens."""
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as local, server(Path(name)) as direct:
        prepare(local)
        targets = Targets(local.url, direct, credentials(local), calls // clients, pause)
        count = get_context("spawn").Value("i", 0)
        with ProcessPoolExecutor(1, get_context("spawn"), _share, (get_context("spawn").Value("i", 0),)) as pool:
            alone = pool.submit(run_client, replace(targets, calls=max(50, calls // 20))).result()
        started = time.perf_counter()
        with ProcessPoolExecutor(clients, get_context("spawn"), _share, (count,)) as pool:
            asking = [pool.submit(run_client, targets) for _ in range(clients)]
            events = tuple(cause_events(local, count, calls))
            reports = tuple(client.result() for client in asking)
        return Load(alone, reports, events, time.perf_counter() - started)


def run_client(targets: Targets) -> ClientReport:
    """Runs one client."""
    through_local_aws, direct = _client(targets), _client(targets)
    direct.meta.events.register(
        "before-send.sagemaker-runtime.*", lambda request, **_: _redirect(request, targets.direct)
    )
    times: tuple[list[float], list[float]] = ([], [])
    versions, failures = set(), []
    for _ in range(targets.calls):
        for client, client_times in zip((through_local_aws, direct), times, strict=True):
            begun = time.perf_counter()
            try:
                answer = client.invoke_endpoint(EndpointName=ENDPOINT, Body=BODY, ContentType="application/json")
                answered = json.loads(answer["Body"].read())
                client_times.append(time.perf_counter() - begun)
                versions.add(answered["version"])
            except Exception as error:  # noqa: BLE001  # any error is a failed request
                failures.append(repr(error))
        with _answered.get_lock():
            _answered.value += 1
        time.sleep(targets.pause)
    return ClientReport(tuple(times[0]), tuple(times[1]), frozenset(versions), tuple(failures))


def cause_events(local: process.Daemon, count: Synchronized[int], calls: int) -> Iterator[EndpointEvent]:
    """Updates and scales the endpoint and kills a server, one after the other, each after a part of the calls."""
    for part, (what, let_happen) in zip((0.15, 0.45, 0.75), _HAPPENINGS.items(), strict=True):
        until(lambda part=part: count.value >= part * calls)  # type: ignore[misc]  # mypy has no defaults in lambdas
        first = count.value
        let_happen(_account(local, "sagemaker"), local)
        yield EndpointEvent(what, first, count.value)


def _update(sagemaker: Any, _local: process.Daemon) -> None:
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 1,
    }
    deployment = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="v2", DeploymentConfig=deployment)
    in_service(sagemaker)


def _grow(sagemaker: Any, local: process.Daemon) -> None:
    variant = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{ENDPOINT}/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    tracking = {
        "TargetValue": 10.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    scaling = _account(local, "application-autoscaling")
    scaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **variant,
        PolicyName="tracking",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    until(lambda: _described(sagemaker)["ProductionVariants"][0].get("CurrentInstanceCount") == 3)
    in_service(sagemaker)


def _kill(_sagemaker: Any, local: process.Daemon) -> None:
    runtime = _account(local, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=BODY, ContentType="application/json")
    os.kill(json.loads(answer["Body"].read())["process"], signal.SIGKILL)


_HAPPENINGS: Mapping[str, Callable[[Any, process.Daemon], None]] = {
    "a blue/green update": _update,
    "a scale-out": _grow,
    "a killed model server": _kill,
}


def prepare(local: process.Daemon) -> None:
    """Creates two versions of a model, the first of them in service."""
    sagemaker, objects, iam = (_account(local, service) for service in ("sagemaker", "s3", "iam"))
    objects.create_bucket(Bucket=BUCKET)
    _role(iam, "model", {"Service": "sagemaker.amazonaws.com"}, ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"))
    place = f"arn:aws:sagemaker:{REGION}:123456789012:endpoint/{ENDPOINT}"
    _role(iam, "caller", {"AWS": "123456789012"}, ("sagemaker:InvokeEndpoint", place))
    for version in ("v1", "v2"):
        objects.put_object(Bucket=BUCKET, Key=version, Body=_archive(version))
        container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{version}"}
        sagemaker.create_model(ModelName=version, PrimaryContainer=container, ExecutionRoleArn=f"{ROLE}/model")
        variant = {"VariantName": "all", "ModelName": version, "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
        sagemaker.create_endpoint_config(EndpointConfigName=version, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="v1")
    in_service(sagemaker)


def credentials(local: process.Daemon) -> Mapping[str, str]:
    """Returns credentials that may only invoke the endpoint."""
    taken = _account(local, "sts").assume_role(RoleArn=f"{ROLE}/caller", RoleSessionName="load")["Credentials"]
    return {
        "aws_access_key_id": taken["AccessKeyId"],
        "aws_secret_access_key": taken["SecretAccessKey"],
        "aws_session_token": taken["SessionToken"],
    }


@contextmanager
def running(folder: Path) -> Iterator[process.Daemon]:
    """Starts a local AWS with IAM enforced."""
    place = folder / "local"
    place.mkdir()
    images = str(images_file(place))
    command = [
        sys.executable,
        "-m",
        "pedigree.localaws",
        "--folder",
        str(place),
        "--images",
        images,
        "--region",
        REGION,
    ]
    with (place / "daemon.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as daemon:
        try:
            until(lambda: process.find(place) is not None)
            state = process.find(place)
            assert state is not None
            yield state
        finally:
            daemon.terminate()


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Starts a model server that nothing supervises, and yields its address."""
    with tarfile.open(fileobj=io.BytesIO(_archive("v1"))) as archive:
        archive.extractall(folder / "model", filter="data")
    command = [
        sys.executable,
        str(Path(model_server.__file__)),
        str(folder / "model"),
        str(PROGRAMS_FOLDER / "pytorch_serving.py"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process_:
        assert process_.stdout is not None
        try:
            yield f"http://127.0.0.1:{json.loads(process_.stdout.readline())['port']}/invocations"
        finally:
            process_.kill()


def in_service(sagemaker: Any) -> None:
    """Waits for the endpoint."""
    until(lambda: _described(sagemaker)["EndpointStatus"] == "InService")


def until(look: Callable[[], bool]) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError("there is no progress")
        time.sleep(0.02)


def _described(sagemaker: Any) -> Any:
    return sagemaker.describe_endpoint(EndpointName=ENDPOINT)


def _role(iam: Any, name: str, principal: Mapping[str, str], may: tuple[str, str]) -> None:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": may[0], "Resource": may[1]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_policy(allowed))


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _archive(version: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {"code/inference.py": CODE, "version": version}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _account(local: process.Daemon, service: str) -> Any:
    keys = {"aws_access_key_id": local.key.id, "aws_secret_access_key": local.key.secret}
    return boto3.client(service, region_name=REGION, endpoint_url=local.url, **keys)


def _client(targets: Targets) -> Any:
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client("sagemaker-runtime", region_name=REGION, endpoint_url=targets.url, config=once, **targets.keys)


def _redirect(request: Any, url: str) -> None:
    request.url = url


def _share(count: Synchronized[int]) -> None:
    global _answered  # how a process of a pool is handed what cannot be sent
    _answered = count


def _line(what: str, times: Sequence[float]) -> str:
    cuts = quantiles(times, n=1000, method="inclusive")
    chosen = (cuts[499], cuts[899], cuts[989], cuts[998], max(times))
    return f"{what:32}" + "".join(f"{value:9.2f}" for value in chosen)


def main() -> int:
    """Measures and prints."""
    calls, clients, pause = (float(value) for value in (*sys.argv[1:], *("10000", "8", "0.03")[len(sys.argv) - 1 :]))
    load_report = load(int(calls), int(clients), pause)
    number = len(through_local_aws(load_report.reports))
    print(f"{number} calls of {clients:g} clients in {load_report.seconds:.1f} s, {len(load_report.failures)} failed")
    for event in load_report.events:
        print(f"  {event.what}: between call {event.first} and call {event.last}")
    print(f"{'milliseconds':32}" + "".join(f"{name:>9}" for name in ("median", "90 %", "99 %", "99.9 %", "worst")))
    for who, reports in (("alone", [load_report.alone]), ("together", load_report.reports)):
        print(_line(f"{who}: through the local AWS", through_local_aws(reports)))
        print(_line(f"{who}: the model server", direct_to_server(reports)))
    alone, together = added_milliseconds([load_report.alone]), added_milliseconds(load_report.reports)
    print(f"added, in the middle: alone {alone:.2f} ms, together {together:.2f} ms")
    for failure in load_report.failures[:5]:
        print(failure)
    return 1 if load_report.failures or together > MOST_ADDED_MILLISECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
