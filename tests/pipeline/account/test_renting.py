"""One EC2 instance is rented with safe settings, gets its training, and is watched until it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from entrypoints import hyperparameters
from pedigree.account.account import Account
from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError, CallRefusedError, InvalidInputError, OperationsError
from pipeline.account.archive import Archive
from pipeline.account.ec2 import rental as ec2
from pipeline.account.ec2 import user_data
from pipeline.account.ec2.rental import MachineState, Rental
from tests.support.accounts import client
from tests.support.definitions import CODE, configure
from tests.support.ec2_account import (
    BUCKET,
    NEWEST,
    ImageParameters,
    RentalAccount,
    exported_variables,
    parameter_name,
)
from tests.support.fakes.clock import SimulatedClock
from tests.support.fakes.executions import ExecutionState, arn, listed_step
from tests.support.fakes.served_services import ACCOUNT, REGION, SimulatedAccountClock

ROOT = Path(__file__).parents[3]
LINES: list[str] = []


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    """An account after an upsert; what a test adds to it does not affect the others."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        client("iam").create_instance_profile(InstanceProfileName="pedigree-ec2")
        client("s3").create_bucket(Bucket=BUCKET)
        yield
        client.cache_clear()


@pytest.fixture
def world(account: None) -> RentalAccount:
    return RentalAccount()


def test_the_machine_cannot_be_reached_and_ends_for_good(world: RentalAccount) -> None:
    request = world.plan().request
    assert request["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }
    assert request["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert request["IamInstanceProfile"] == {"Name": "pedigree-ec2"}
    assert "KeyName" not in request
    volume = request["BlockDeviceMappings"][0]["Ebs"]
    assert (volume["Encrypted"], volume["DeleteOnTermination"], volume["VolumeSize"]) == (True, True, 50)
    tags = {tag["Key"]: tag["Value"] for tag in request["TagSpecifications"][0]["Tags"]}
    assert tags["pedigree:pipeline"] == "arn:aws:sagemaker:us-east-1:123456789012:pipeline/dog-breeds"
    assert tags["project"] == "pedigree"


def test_settings_say_what_is_rented_for_how_long_and_what_is_trained(world: RentalAccount) -> None:
    changes = {"training.epochs": 3, "training.instance_type": "ml.g5.xlarge", "training.max_runtime_seconds": 3600}
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
    encryption = {"site.encryption.output_key": key, "site.encryption.volume_key": key}
    world.settings = configure(
        {"site.account": ACCOUNT, **changes, **encryption, "training.weights": "s3://mine/w.pth"}
    )
    rental = world.plan()
    assert rental.request["InstanceType"] == "g5.xlarge"
    assert rental.request["BlockDeviceMappings"][0]["Ebs"]["KmsKeyId"] == key
    variables = exported_variables(rental)
    assert "--epochs\n3\n" in variables["TRAIN_FLAGS"]
    assert "--weights\nweights.pth" in variables["TRAIN_FLAGS"]
    assert variables["WEIGHTS_URI"] == "s3://mine/w.pth"
    assert variables["UPLOAD_FLAGS"].split() == ["--sse", "aws:kms", "--sse-kms-key-id", key]
    assert (variables["LIMIT_SECONDS"], variables["SHUTDOWN_MINUTES"]) == ("3600", "75")
    assert exported_variables(world.plan(minutes=10))["SHUTDOWN_MINUTES"] == "25"


def test_spot_is_requested_once_and_not_again(world: RentalAccount) -> None:
    assert world.plan(spot=True).request["InstanceMarketOptions"] == {
        "MarketType": "spot",
        "SpotOptions": {"SpotInstanceType": "one-time"},
    }
    assert "InstanceMarketOptions" not in world.plan().request


def test_the_training_gets_every_hyperparameter_that_settings_fix(world: RentalAccount) -> None:
    words = exported_variables(world.plan())["TRAIN_FLAGS"].split("\n")
    given = {
        flag.removeprefix("--").replace("-", "_"): value for flag, value in zip(words[::2], words[1::2], strict=True)
    }
    assert given.keys() <= set(hyperparameters.NAMES)
    assert (given["learning_rate"], given["batch_size"], given["weights"]) == ("0.01", "64", "IMAGENET1K_V2")


def test_preparing_takes_the_flags_that_it_is_given(world: RentalAccount) -> None:
    code = "import sys, prepare; print(prepare._parser().parse_args(sys.argv[1:]).image_size)"
    flags = ["--source", "x", "--output-dir", "y", *exported_variables(world.plan())["PREPARE_FLAGS"].split("\n")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "entrypoints")}
    command = [sys.executable, "-c", code, *flags]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "224\n"


@pytest.mark.parametrize(
    ("names", "instance_type", "found"),
    [
        ((parameter_name(NEWEST),), "g4dn.xlarge", NEWEST),
        ((parameter_name(NEWEST.replace("2.13", "2.10")),), "m5.large", "pytorch-2.10-amazon-linux-2023"),
        (
            (parameter_name("oss-nvidia-driver-gpu-pytorch-2.12-ubuntu-24.04", "arm64"),),
            "g5g.xlarge",
            "2.12-ubuntu-24.04",
        ),
    ],
)
def test_the_image_is_that_of_the_pytorch_in_settings_or_of_one_a_little_older(
    world: RentalAccount, names: tuple[str, ...], instance_type: str, found: str
) -> None:
    world.parameters = ImageParameters(*names)
    rental = world.plan(instance_type=instance_type)
    assert rental.request["ImageId"] == "ami-12c6146b"
    assert found in rental.why[0]


def test_an_image_can_be_named(world: RentalAccount) -> None:
    world.parameters = ImageParameters()
    assert world.plan(ami="ami-12c6146b").request["ImageId"] == "ami-12c6146b"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"instance_type": "ml.g5.xlarge"}, InvalidInputError, "is a machine of SageMaker's; EC2 calls it g5.xlarge"),
        ({"instance_type": "trn1.2xlarge"}, InvalidInputError, "has a chip for which PyTorch's images are not made"),
        (
            {"instance_type": "g5g.xlarge"},
            CallRefusedError,
            "no deep-learning AMI with PyTorch 2.13, or a little older",
        ),
        ({"ami": "ami-00000000"}, OperationsError, "ami-00000000"),
        ({"resume": "nothing"}, InvalidInputError, "run nothing has left no checkpoints in s3://"),
    ],
)
def test_a_machine_that_cannot_be_rented_is_reported(
    world: RentalAccount, options: dict[str, Any], kind: type[OperationsError], message: str
) -> None:
    assert message in world.refused(kind, **options)


def test_no_instance_profile_says_which_verb_makes_it(world: RentalAccount) -> None:
    world.settings = configure({"site.account": ACCOUNT, "site.roles.ec2": "mine"})
    assert "has no instance profile mine; `pedigree upsert` makes it" in world.refused(AbsentError)


def test_the_machine_stands_in_any_default_subnet_with_the_default_group(world: RentalAccount) -> None:
    found = client("ec2").describe_subnets()["Subnets"]
    assert set(world.plan().subnets) == {subnet["SubnetId"] for subnet in found}
    group = client("ec2").describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]
    assert world.plan().request["SecurityGroupIds"] == [group["GroupId"]]


def in_group(world: RentalAccount, *rules: dict[str, Any]) -> tuple[str, str]:
    """Settings that name a subnet, and a group with these rules."""
    subnet = client("ec2").describe_subnets()["Subnets"][2]
    made = {"GroupName": uuid.uuid4().hex, "Description": "mine", "VpcId": subnet["VpcId"]}
    group = client("ec2").create_security_group(**made)["GroupId"]
    if rules:
        client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=list(rules))
    network = {"site.network.subnets": [subnet["SubnetId"]], "site.network.security_groups": [group]}
    world.settings = configure({"site.account": ACCOUNT, **network})
    return subnet["SubnetId"], group


def test_or_where_settings_say(world: RentalAccount) -> None:
    subnet, group = in_group(world)
    rental = world.plan()
    assert (rental.subnets, rental.request["SecurityGroupIds"]) == ((subnet,), [group])


@pytest.mark.parametrize(
    ("rule", "is_open"),
    [
        ({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, True),
        ({"IpRanges": [{"CidrIp": "8.8.8.8/32"}]}, True),
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, True),
        ({"IpRanges": [{"CidrIp": "10.1.0.0/16"}]}, False),
        ({"Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]}, False),
    ],
)
def test_a_group_that_lets_the_internet_in_is_not_used(
    world: RentalAccount, rule: dict[str, Any], is_open: bool
) -> None:
    _, group = in_group(world, {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **rule})
    if is_open:
        assert f"security group {group} lets " in world.refused(CallRefusedError)
    else:
        assert world.plan().request["SecurityGroupIds"] == [group]


def test_no_default_network_says_what_to_set(world: RentalAccount) -> None:
    class NoSubnets:
        def __getattr__(self, operation: str) -> Any:
            return getattr(client("ec2"), operation)

        def can_paginate(self, operation: str) -> bool:
            return False

        def describe_subnets(self, **request: Any) -> dict[str, Any]:
            return {"Subnets": []}

    world.clients = lambda service: NoSubnets() if service == "ec2" else client(service)
    assert "us-east-1 has no default subnet; set site.network.subnets" in world.refused(CallRefusedError)


def test_the_images_are_those_that_the_newest_execution_has_prepared(world: RentalAccount) -> None:
    for identifier in ("one", "two"):
        world.put(f"executions/{identifier}/PrepareData/dataset/dataset.json")
    world.executions.add("one", ExecutionState("Failed", (listed_step("PrepareData", "Succeeded"),)))
    reused = listed_step("PrepareData", "Succeeded", CacheHitResult={"SourcePipelineExecutionArn": arn("one")})
    world.executions.add("three", ExecutionState("Succeeded", (reused,)))
    world.executions.add("four", ExecutionState("Failed", (listed_step("PrepareData", "Failed"),)))
    variables = exported_variables(world.plan())
    assert variables["DATA_URI"] == f"s3://{BUCKET}/pedigree/executions/one/PrepareData"
    assert variables["SOURCE"] == ""


@pytest.mark.parametrize("pipeline", ["dog-breeds", "cats"])
def test_or_else_those_of_settings_prepared_on_the_machine(world: RentalAccount, pipeline: str) -> None:
    source = {"data.source": "https://host/images.zip?a=b&c=$d", "data.sha256": 64 * "0"}
    world.settings = configure({"site.account": ACCOUNT, "pipeline.name": pipeline, **source})
    variables = exported_variables(world.plan())
    assert variables["SOURCE"] == f"https://host/images.zip?a=b&c=$d#sha256={64 * '0'}"
    assert variables["DATA_URI"] == ""


def test_or_those_at_an_address_prepared_or_not(world: RentalAccount) -> None:
    world.put("data/ready/dataset/dataset.json")
    assert exported_variables(world.plan(data=f"s3://{BUCKET}/pedigree/data/ready/"))["DATA_URI"].endswith(
        "/data/ready"
    )
    assert exported_variables(world.plan(data="s3://elsewhere/images/"))["SOURCE"] == "s3://elsewhere/images/"
    assert exported_variables(world.plan(data="https://host/i.zip"))["SOURCE"] == "https://host/i.zip"


def test_a_run_goes_on_from_the_checkpoints_of_another(world: RentalAccount) -> None:
    world.put("ec2/20260101-060000-abc123/checkpoints.tar.gz")
    variables = exported_variables(world.plan(resume="20260101-060000-abc123"))
    assert variables["RESUME_URI"] == f"s3://{BUCKET}/pedigree/ec2/20260101-060000-abc123/checkpoints.tar.gz"


def test_hostile_words_of_settings_stay_words(world: RentalAccount, tmp_path: Path) -> None:
    world.settings = configure({"site.account": ACCOUNT, "data.source": "https://h/$(touch${IFS}x)`id`';exit;'"})
    header = world.plan().user_data.partition("set -uo pipefail")[0]
    done = subprocess.run(
        ["/bin/bash", "-c", f'{header}\nprintf %s "$SOURCE"'], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "https://h/$(touch${IFS}x)`id`';exit;'"
    assert not list(tmp_path.iterdir())


def test_the_user_data_of_a_machine_fits_into_what_ec2_takes(world: RentalAccount) -> None:
    assert world.plan().user_data.startswith("#!/bin/bash\nexport AWS_DEFAULT_REGION=us-east-1\n")
    assert len(world.plan().user_data.encode()) < user_data.MOST_BYTES / 2


def test_the_code_lies_where_the_machine_looks_for_it(world: RentalAccount) -> None:
    for change in Archive(world.settings, CODE).changes(world.account):
        apply_change(change, world.account)
        assert exported_variables(world.plan())["CODE_URI"].endswith(change.name)
    assert not list(Archive(world.settings, CODE).changes(world.account))


class Subnets:
    """EC2's start of machines, which has none free in some subnets."""

    def __init__(self, *codes: str) -> None:
        self.codes, self.requests = list(codes), list[dict[str, Any]]()

    def run_instances(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        code = self.codes.pop(0)
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "RunInstances")
        return {"Instances": [{"InstanceId": "i-1"}]}


def started(rental: Rental, fake: Subnets) -> str:
    return ec2.start(
        Account(ACCOUNT, REGION, lambda _: fake, clock=SimulatedAccountClock(SimulatedClock())), rental, LINES.append
    )


def test_where_one_subnet_has_no_machine_the_next_is_tried(world: RentalAccount) -> None:
    rental, fake = world.plan(), Subnets("InsufficientInstanceCapacity", "Unsupported", "")
    assert started(rental, fake) == "i-1"
    assert [request["SubnetId"] for request in fake.requests] == list(rental.subnets[:3])
    assert len({request["ClientToken"] for request in fake.requests}) == 3
    assert all(len(request["ClientToken"]) <= 64 for request in fake.requests)


def test_a_start_without_an_answer_is_repeated_and_starts_no_second_machine(world: RentalAccount) -> None:
    rental, fake = world.plan(), Subnets("InternalError", "ServiceUnavailable", "")
    assert started(rental, fake) == "i-1"
    assert len({request["ClientToken"] for request in fake.requests}) == 1


def test_no_machine_anywhere_is_reported(world: RentalAccount) -> None:
    rental = world.plan()
    with pytest.raises(
        CallRefusedError, match=f"tried in {len(rental.subnets)} subnets: try later, or another machine"
    ):
        started(rental, Subnets(*["InsufficientInstanceCapacity"] * len(rental.subnets)))


def test_a_quota_is_reported_at_once(world: RentalAccount) -> None:
    with pytest.raises(CallRefusedError, match="a quota is used up"):
        started(world.plan(), Subnets("VcpuLimitExceeded", ""))


def test_a_profile_that_is_not_everywhere_yet_is_waited_for(world: RentalAccount) -> None:
    class Late(Subnets):
        def run_instances(self, **request: Any) -> dict[str, Any]:
            if self.codes:
                code = self.codes.pop()
                message = "Value (pedigree-ec2) is invalid. Invalid IAM Instance Profile name"
                raise ClientError({"Error": {"Code": code, "Message": message}}, "RunInstances")
            return {"Instances": [{"InstanceId": "i-1"}]}

    assert started(world.plan(), Late("InvalidParameterValue", "InvalidParameterValue")) == "i-1"


def test_a_machine_is_followed_by_what_it_leaves_in_s3(world: RentalAccount) -> None:
    rental = world.plan()
    instance = ec2.start(world.account, rental, LINES.append)
    look = ec2.watched(world.account, rental, instance)
    assert look() == MachineState("running", "")
    world.put(f"ec2/{rental.run}/train.log", b"--- fetching\n--- train")
    assert look().log == "--- fetching\n"
    assert look() == MachineState("running", "")
    world.put(f"ec2/{rental.run}/train.log", b"--- fetching\n--- training\nsucceeded\n")
    world.put(f"ec2/{rental.run}/outcome.txt", b"succeeded\n")
    last = look()
    assert (last.log, last.outcome, last.is_over) == ("--- training\nsucceeded\n", "succeeded", True)


def test_a_machine_that_is_gone_without_a_word_is_over_too(world: RentalAccount) -> None:
    rental = world.plan()
    instance = ec2.start(world.account, rental, LINES.append)
    client("ec2").terminate_instances(InstanceIds=[instance])
    last = ec2.watched(world.account, rental, instance)()
    assert (last.state, last.outcome, last.is_over) == ("terminated", "", True)
    assert last.reason


def test_a_machine_that_ec2_does_not_know_yet_is_waited_for(world: RentalAccount) -> None:
    assert ec2.watched(world.account, world.plan(), "i-00000000000000000")().state == "pending"
