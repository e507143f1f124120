"""EC2 instances that train alone: starting one, and what it does with its own role.

The real script of the instance runs; boto3 does what `aws s3 cp` does, because this machine may lack the AWS CLI.
"""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from pedigree.account import deep_learning_ami
from pedigree.account.apply import apply_change
from pedigree.account.errors import CallRefusedError
from pipeline.account.archive import Archive
from pipeline.account.ec2 import rental as ec2
from pipeline.account.ec2.user_data import SCRIPT
from tests.policies.arns import ACCOUNT, IN_ACCOUNT, REGION, role
from tests.proof.account import apply_resources, everything
from tests.proof.container import machine_scripts
from tests.proof.environment import ProofEnvironment
from tests.proof.proving import Scenario, ScenarioStep
from tests.proof.verbs import as_text
from tests.support.definitions import CODE
from tests.support.rented_machine import Machine

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
_PREPARED = "pedigree/executions/abcdefghijkl/PrepareData"
_VALUES = {**IN_ACCOUNT, "data.source": "s3://images/dogs/", "training.weights": "s3://weights/resnet.pth"}
_AWS = """#!{python} -SE
import json, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as to:
    to.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    refusal = to.makefile().read()
sys.stderr.write(refusal)
sys.exit(1 if refusal else 0)
"""


def put_up(env: ProofEnvironment) -> str:
    """Create the roles, the bucket and the data."""
    resources = [
        resource
        for resource in everything(env.settings)
        if type(resource).__name__ in ("Bucket", "Role", "InstanceProfile")
    ]
    words = apply_resources(resources, env.root_account)
    objects, scripts = env.root("s3"), machine_scripts()
    env.state["sha256"] = scripts.sha256
    for bucket in ("images", "weights"):
        objects.create_bucket(Bucket=bucket)
    for bucket, key, body in (
        ("images", "dogs/a.jpg", b"content"),
        ("weights", "resnet.pth", b"content"),
        (BUCKET, "pedigree/code/machine/source.tar.gz", scripts.compressed),
        (BUCKET, f"{_PREPARED}/train/a.jpg", b"content"),
        (BUCKET, f"{_PREPARED}/validation/a.jpg", b"content"),
        (BUCKET, f"{_PREPARED}/dataset/dataset.json", b"{}"),
        (BUCKET, "pedigree/ec2/before/checkpoints.tar.gz", scripts.compressed),
    ):
        objects.put_object(Bucket=bucket, Key=key, Body=body)
    return words


def finding(env: ProofEnvironment) -> None:
    """Look up the newest AMI; here there is none, and the refusal says so."""
    try:
        deep_learning_ami.find(env.account, "g4dn.xlarge", "2.13")
    except CallRefusedError as error:
        if "has no deep-learning AMI" not in str(error):
            raise


def renting(env: ProofEnvironment) -> None:
    """pedigree ec2-train, and the command that it prints for ending the instance early."""
    request = ec2.RentalRequest(
        ami="ami-12c6146b", data=f"s3://{BUCKET}/{_PREPARED}", resume="before", instance_type="m5.large", spot=True
    )
    rental = ec2.plan(env.account, env.settings, CODE, request)
    for change in Archive(env.settings, CODE).changes(env.account):
        apply_change(change, env.account)
    instance = ec2.start(env.account, rental, lambda _line: None)
    ec2.watched(env.account, rental, instance)()
    env.account.call("ec2", "terminate_instances", InstanceIds=[instance])


def without_code(env: ProofEnvironment) -> None:
    """Delete the code, so that it has to be uploaded."""
    key = f"pedigree/code/{CODE.sha256[:16]}/source.tar.gz"
    env.root("s3").delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}]})


def prepared(env: ProofEnvironment) -> str:
    """An instance trains on prepared images, and resumes an earlier run."""
    return _trained(env, DATA_URI=f"s3://{BUCKET}/{_PREPARED}", SOURCE="")


def unprepared(env: ProofEnvironment) -> str:
    """An instance downloads and prepares the images itself."""
    return _trained(env, DATA_URI="", SOURCE="s3://images/dogs/")


def _trained(env: ProofEnvironment, **given: str) -> str:
    number = env.state["machines"] = env.state.get("machines", 0) + 1
    folder = env.folder / f"machine-{number}"
    folder.mkdir()
    machine = Machine(folder)
    source = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"
    keys = env.local.credentials(role("pedigree-ec2"), "ec2.amazonaws.com", source)
    with _answering(keys, folder / "work") as port:
        (folder / "bin" / "aws").write_text(_AWS.format(python=sys.executable, port=port))
        environment = machine.environment(
            CODE_URI=f"s3://{BUCKET}/pedigree/code/machine/source.tar.gz",
            CODE_SHA256=env.state["sha256"],
            RESUME_URI=f"s3://{BUCKET}/pedigree/ec2/before/checkpoints.tar.gz",
            RESULTS_URI=f"s3://{BUCKET}/pedigree/ec2/run-{number}",
            WEIGHTS_URI="s3://weights/resnet.pth",
            AWS_DEFAULT_REGION=REGION,
            **keys,
            **given,
        )
        subprocess.run(
            ["/bin/bash", str(SCRIPT)], cwd=folder, env=environment, capture_output=True, check=False, timeout=60
        )
    log = (folder / "work" / "train.log").read_text(encoding="utf-8")
    return "" if "trained" in log and "fatal error" not in log else log


@contextmanager
def _answering(keys: Mapping[str, str], folder: Path) -> Iterator[int]:
    """A server that copies for the instance with the instance's credentials."""
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
    )

    class Copying(socketserver.StreamRequestHandler):
        """One call of `aws s3 cp`."""

        def handle(self) -> None:
            """Copy, and return the error, if any."""
            words = json.loads(self.rfile.readline())
            try:
                _copy(client, folder, *words[-2:])
            except Exception as error:  # noqa: BLE001  # the script sees it as a failure of aws
                self.wfile.write(f"fatal error: {error}\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Copying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _copy(client: Any, folder: Path, source: str, target: str) -> None:
    if target.startswith("s3://"):
        bucket, _, key = target.removeprefix("s3://").partition("/")
        client.upload_file(str(folder / source), bucket, key)
        return
    bucket, _, key = source.removeprefix("s3://").partition("/")
    if not key.endswith("/"):
        client.download_file(bucket, key, str(folder / target))
        return
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for object_ in page["Contents"]:
            place = folder / target / object_["Key"].removeprefix(key)
            place.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, object_["Key"], str(place))


RENTING = Scenario(
    "renting",
    (
        ScenarioStep("what machines need is put up", put_up, roles=()),
        ScenarioStep("ec2-train: which image", as_text(finding), files=("instances",)),
        ScenarioStep("ec2-train", as_text(renting), files=("instances",), before=without_code),
        ScenarioStep("a machine trains", prepared, ("ec2",)),
        ScenarioStep("a machine fetches and prepares", unprepared, ("ec2",)),
    ),
    _VALUES,
)
