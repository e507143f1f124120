"""Plans, starts and watches the machine that trains once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account import deep_learning_ami, default_network
from pedigree.account.account import Account
from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError, CallRefusedError, DeniedError, InvalidInputError
from pedigree.account.plan import ApiCall, Change
from pedigree.account.polling import retry_unanswered
from pedigree.account.times import took
from pedigree.errors import Mistake
from pipeline.account.ec2 import images, user_data
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive

_ELSEWHERE = ("InsufficientInstanceCapacity", "Unsupported", "InsufficientFreeAddressesInSubnet")
_ENDED = ("shutting-down", "terminated", "stopping", "stopped")


@dataclass(frozen=True)
class RentalRequest:
    """What the options ask for; what is empty or 0 comes from settings or the account."""

    instance_type: str = ""
    minutes: int = 0
    spot: bool = False
    data: str = ""
    resume: str = ""
    ami: str = ""


@dataclass(frozen=True)
class Rental:
    """A machine to start: the request without a subnet, and the subnets to try."""

    run: str
    results: str
    minutes: int
    request: Mapping[str, Any]
    subnets: tuple[str, ...]
    why: tuple[str, ...]

    @property
    def user_data(self) -> str:
        """The script that the machine runs at boot."""
        return str(self.request["UserData"])

    def change(self, subnet: str) -> Change:
        """The start in one subnet; repeating it starts no second machine."""
        arguments = {**self.request, "SubnetId": subnet, "ClientToken": f"{self.run}-{subnet}"[:64]}
        return Change("create", "machine", self.run, (ApiCall("ec2", "run_instances", arguments, "started"),), self.why)


@dataclass(frozen=True)
class MachineState:
    """A machine at one moment: its state, the new lines of its log, and how it ended if it has."""

    state: str
    log: str
    outcome: str = ""
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the machine has ended, or is about to."""
        return self.state in _ENDED or bool(self.outcome)


def plan(account: Account, settings: Settings, archive: SourceArchive, request: RentalRequest) -> Rental:
    """The machine that trains as the settings say."""
    kind = request.instance_type or settings.training.instance_type.removeprefix("ml.")
    if kind.startswith("ml."):
        raise InvalidInputError(
            [Mistake(f"{kind} is a machine of SageMaker's", f"EC2 calls it {kind.removeprefix('ml.')}")]
        )
    minutes = request.minutes or settings.training.max_runtime_seconds // 60
    run = f"{account.clock.now().astimezone(dt.timezone.utc):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
    image = deep_learning_ami.find(account, kind, settings.images.training.version, request.ami)
    chosen = settings.site.network
    network, profile = (
        default_network.find(account, chosen.subnets, chosen.security_groups),
        _profile(account, settings),
    )
    training_images = images.find(account, settings, request.data)
    resume = _resumable(account, settings, request.resume) if request.resume else ""
    results = settings.site.uri("ec2", run)
    work = user_data.TrainingTask(archive.placed(settings.site), training_images, results, minutes, resume)
    arguments = _request(
        settings,
        kind,
        image,
        profile,
        network.security_groups,
        user_data.render(settings, work),
        run,
        spot=request.spot,
    )
    why = (
        f"{kind}{', spot' if request.spot else ''}, with image {image.id} ({image.origin})",
        training_images.why,
        *((f"going on from run {request.resume}",) if resume else ()),
        f"code {work.code.uri}",
        f"results {results}/",
        f"it ends itself, after {took((minutes + user_data.GRACE_MINUTES) * 60)} at the latest",
    )
    return Rental(run, results, minutes, arguments, network.subnets, why)


def start(account: Account, rental: Rental, tell: Callable[[str], None]) -> str:
    """Starts the machine in the first subnet with capacity; returns its id."""
    refusals = []
    for subnet in rental.subnets:
        try:
            return _started(account, rental.change(subnet), tell)
        except CallRefusedError as refusal:
            if not refusal.code.startswith(_ELSEWHERE):
                raise
            refusals.append(refusal)
    raise CallRefusedError(
        f"{refusals[-1]}", f"tried in {len(refusals)} subnets: try later, or another machine", refusals[-1].code
    )


def _started(account: Account, change: Change, tell: Callable[[str], None]) -> str:
    answers = retry_unanswered(lambda: apply_change(change, account), account.clock, tell)
    return str(answers["started"]["Instances"][0]["InstanceId"])


def watched(account: Account, rental: Rental, instance: str) -> Callable[[], MachineState]:
    """Returns the function that reads the machine's state and new log lines."""
    offset = 0

    def read() -> MachineState:
        nonlocal offset
        state, reason = _state(account, instance)
        outcome = _text(account, f"{rental.results}/{user_data.OUTCOME}", 0).decode(errors="replace").strip()
        new = _text(account, f"{rental.results}/{user_data.LOG}", offset)
        new = new[: new.rfind(b"\n") + 1]  # a line without its end comes whole the next time
        offset += len(new)
        return MachineState(state, new.decode(errors="replace"), outcome, reason)

    return read


_SPOT = {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "one-time"}}}


def _request(
    settings: Settings,
    kind: str,
    image: deep_learning_ami.DeepLearningAmi,
    profile: str,
    groups: tuple[str, ...],
    instructions: str,
    run: str,
    *,
    spot: bool,
) -> dict[str, Any]:
    if len(instructions.encode()) > user_data.MOST_BYTES:
        raise InvalidInputError(
            [Mistake(f"the machine takes {user_data.MOST_BYTES} bytes of instructions", "shorten the settings")]
        )
    key = settings.site.encryption.volume_key
    volume = {
        "VolumeSize": max(settings.training.volume_gigabytes, image.gigabytes),
        "VolumeType": "gp3",
        "Encrypted": True,
        "DeleteOnTermination": True,
        **({"KmsKeyId": key} if key else {}),
    }
    tags = {**settings.site.tags_of(settings.pipeline.name), "Name": f"{settings.pipeline.name}-{run}"}
    labels = [{"Key": key, "Value": value} for key, value in tags.items()]
    tagged = ("instance", "volume", "network-interface", *(("spot-instances-request",) if spot else ()))
    return {
        "ImageId": image.id,
        "InstanceType": kind,
        "MinCount": 1,
        "MaxCount": 1,
        "IamInstanceProfile": {"Name": profile},
        "SecurityGroupIds": list(groups),
        "BlockDeviceMappings": [{"DeviceName": image.root_device, "Ebs": volume}],
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "InstanceInitiatedShutdownBehavior": "terminate",
        "TagSpecifications": [{"ResourceType": resource, "Tags": labels} for resource in tagged],
        "UserData": instructions,
        **(_SPOT if spot else {}),
    }


def _profile(account: Account, settings: Settings) -> str:
    """The name of the instance profile, which is that of its role."""
    name = settings.site.roles.ec2
    try:
        profile = account.find("iam", "get_instance_profile", InstanceProfileName=name)
    except DeniedError:
        return name  # EC2 refuses if it does not exist
    if profile is None:
        raise AbsentError(f"account {account.id} has no instance profile {name}", "`pedigree upsert` makes it")
    return name


def _resumable(account: Account, settings: Settings, run: str) -> str:
    """The address of an earlier run that has checkpoints."""
    results = settings.site.uri("ec2", run)
    bucket, _, key = f"{results}/{user_data.CHECKPOINTS}".removeprefix("s3://").partition("/")
    if account.find("s3", "head_object", Bucket=bucket, Key=key) is None:
        raise InvalidInputError(
            [Mistake(f"run {run} has left no checkpoints in {results}/", "leave --resume out to begin anew")]
        )
    return results


def _state(account: Account, instance: str) -> tuple[str, str]:
    """State and reason; EC2 may not know a machine yet that was started a moment ago."""
    answer = account.find("ec2", "describe_instances", InstanceIds=[instance])
    machines = [
        machine for reservation in (answer or {}).get("Reservations", ()) for machine in reservation["Instances"]
    ]
    if not machines:
        return "pending", ""
    return machines[0]["State"]["Name"], machines[0].get("StateReason", {}).get("Message", "")


def _text(account: Account, address: str, start: int) -> bytes:
    """The bytes of an object from a position on; none if it does not exist yet."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        answer = account.find("s3", "get_object", Bucket=bucket, Key=key, Range=f"bytes={start}-")
    except CallRefusedError as refusal:
        if refusal.code != "InvalidRange":
            raise
        return b""
    return account.read("s3", "get_object", answer["Body"]) if answer else b""
