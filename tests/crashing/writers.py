"""Create records of every kind all the time, and remember which of them the daemon has acknowledged.

An acknowledged record must exist, unchanged. A record whose request was not answered may exist or not. Nothing else
may exist.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from pedigree.localaws.daemon import ACCOUNT
from tests.crashing import work
from tests.crashing.daemon import KillableDaemon
from tests.crashing.work import BUCKET, GROUP, ROLE
from tests.support.lambda_functions import TRUST

_PAUSE_SECONDS = 0.25
_NEWEST = 4


class RecordKind(Protocol):
    """A kind of record."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        """Create a record; return its unique name."""
        ...

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        """The names of all records of this kind."""
        ...

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        """Whether a record is as it was created."""
        ...


@dataclass
class Writer:
    """Creates records of one kind, one after the other."""

    daemon: KillableDaemon
    kind: RecordKind
    acknowledged: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    requested: int = 0

    def __post_init__(self) -> None:
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=type(self.kind).__name__)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self.daemon.is_up.set()  # its thread may wait for the daemon
        self._thread.join()

    def _work(self) -> None:
        while not self._is_over.wait(_PAUSE_SECONDS):
            self.daemon.is_up.wait()
            if self._is_over.is_set():
                return
            self.requested += 1
            try:
                self.acknowledged.append(self.kind.put(self.daemon, self.requested))
            except BotoCoreError:
                continue  # no answer: the record may exist or not
            except ClientError as error:
                self.problems.append(f"{type(self.kind).__name__} {self.requested} was refused: {error}")

    def lost(self, *, everything: bool) -> Iterator[str]:
        """Records that are missing or changed; checks all names, and the content of the newest records or of all."""
        acknowledged = tuple(self.acknowledged)
        found = self.kind.names(self.daemon)
        called = type(self.kind).__name__
        yield from (f"{called} {name} was acknowledged and is missing" for name in set(acknowledged) - set(found))
        if everything:  # while records are created, pages may overlap
            yield from (f"{called} {name} is there twice" for name, count in Counter(found).items() if count > 1)
        if len(set(found)) > self.requested:
            yield f"{called}: {len(set(found))} are there, and {self.requested} were asked for"
        for name in acknowledged if everything else acknowledged[-_NEWEST:]:
            if name in found and not self.kind.is_intact(self.daemon, name):
                yield f"{called} {name} is not as it was created"


def content(name: str) -> bytes:
    """The content of an object of that name: up to 96 KiB, always the same."""
    digest = hashlib.sha256(name.encode()).digest()
    return digest * (int.from_bytes(digest[:2], "big") * 3072 // 65536)


class Objects:
    """S3 objects; every tenth is uploaded in parts, and each put also updates the object `latest`."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        s3, name = daemon.client("s3"), f"kept/{number}"
        if number % 10:
            s3.put_object(Bucket=BUCKET, Key=name, Body=content(name))
        else:
            self._in_parts(s3, name)
        s3.put_object(Bucket=BUCKET, Key="latest", Body=str(number).encode())
        return name

    def _in_parts(self, s3: Any, name: str) -> None:
        request = {"Bucket": BUCKET, "Key": name}
        upload = s3.create_multipart_upload(**request)["UploadId"]
        part = s3.upload_part(**request, UploadId=upload, PartNumber=1, Body=content(name))
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(**request, UploadId=upload, MultipartUpload=parts)

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        return _listed(daemon.client("s3"), "list_objects_v2", "Contents", "Key", Bucket=BUCKET, Prefix="kept/")

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        s3 = daemon.client("s3")
        latest = int(s3.get_object(Bucket=BUCKET, Key="latest")["Body"].read())
        body: bytes = s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        return body == content(name) and latest >= int(name.rpartition("/")[2])


class Messages:
    """Messages in a queue, which are read at the end."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        daemon.client("sqs").send_message(QueueUrl=_url(daemon, work.STORED), MessageBody=str(number))
        return str(number)

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        return list(received(daemon, work.STORED))

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        return True  # its name is its whole content


class Roles:
    """IAM roles, each with a policy."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        iam, name = daemon.client("iam"), f"kept-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description=name)
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=self._policy(name))
        return name

    def _policy(self, name: str) -> str:
        allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        names = _listed(daemon.client("iam"), "list_roles", "Roles", "RoleName")
        return [name for name in names if name.startswith("kept-")]

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        description = daemon.client("iam").get_role_policy(RoleName=name, PolicyName="own")["PolicyDocument"]
        return bool(description == json.loads(self._policy(name)))


class Schedules:
    """Schedules that fire as soon as they exist, and send their name to a queue."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        name = f"kept-{number}"
        target = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{work.FIRED}", "RoleArn": ROLE, "Input": name}
        daemon.client("scheduler").create_schedule(
            Name=name, ScheduleExpression="rate(7 days)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        )
        return name

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        return _listed(daemon.client("scheduler"), "list_schedules", "Schedules", "Name")

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        return bool(daemon.client("scheduler").get_schedule(Name=name)["Target"]["Input"] == name)


class Configurations:
    """Endpoint configurations with a tag."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        name = f"kept-{number}"
        variant = {"VariantName": name, "ModelName": "served", "InstanceType": "ml.m5.large"}
        daemon.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
            Tags=[{"Key": "own", "Value": name}],
        )
        return name

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        request = {"NameContains": "kept-"}
        sagemaker = daemon.client("sagemaker")
        return _listed(sagemaker, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", **request)

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        sagemaker = daemon.client("sagemaker")
        description = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        tags = sagemaker.list_tags(ResourceArn=description["EndpointConfigArn"])["Tags"]
        named = description["ProductionVariants"][0]["VariantName"]
        return (named, tags) == (name, [{"Key": "own", "Value": name}])


class Approvals:
    """Model packages that are registered and approved; a rule sends each approval to a queue."""

    def put(self, daemon: KillableDaemon, number: int) -> str:
        sagemaker = daemon.client("sagemaker")
        specification = {
            "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{number}"}],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["text/plain"],
        }
        request = {"ModelPackageGroupName": GROUP, "ModelPackageDescription": f"kept-{number}"}
        made = sagemaker.create_model_package(**request, InferenceSpecification=specification)
        sagemaker.update_model_package(ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Approved")
        return str(made["ModelPackageArn"])

    def names(self, daemon: KillableDaemon) -> Sequence[str]:
        sagemaker = daemon.client("sagemaker")
        request = {"ModelPackageGroupName": GROUP, "ModelApprovalStatus": "Approved"}
        return _listed(sagemaker, "list_model_packages", "ModelPackageSummaryList", "ModelPackageArn", **request)

    def is_intact(self, daemon: KillableDaemon, name: str) -> bool:
        description = daemon.client("sagemaker").describe_model_package(ModelPackageName=name)
        address = description["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        return bool(description["ModelPackageDescription"] == f"kept-{address.rpartition('/')[2]}")


@dataclass
class DeliveryReader:
    """Reads what rules and schedules have sent to their queues; messages may arrive a little later."""

    daemon: KillableDaemon
    approved: set[str] = field(default_factory=set)
    fired: set[str] = field(default_factory=set)

    def undelivered(self, approvals: Writer, schedules: Writer) -> Iterator[str]:
        """Approvals that have not reached the rule's queue, and schedules that have not fired."""
        events = map(json.loads, received(self.daemon, work.EVENTS))
        self.approved |= {event["detail"]["ModelPackageArn"] for event in events}
        self.fired |= set(received(self.daemon, work.FIRED))
        yield from (
            f"{name}'s approval did not reach the queue" for name in set(approvals.acknowledged) - self.approved
        )
        yield from (f"the schedule {name} has not fired" for name in set(schedules.acknowledged) - self.fired)


def writers(daemon: KillableDaemon) -> Mapping[str, Writer]:
    """A writer for each kind of record."""
    kinds = (Objects(), Messages(), Roles(), Schedules(), Configurations(), Approvals())
    return {type(kind).__name__: Writer(daemon, kind) for kind in kinds}


def _listed(client: Any, operation: str, member: str, name: str, **request: Any) -> list[str]:
    pages = client.get_paginator(operation).paginate(**request, PaginationConfig={"PageSize": 100})
    return [record[name] for page in pages for record in page.get(member, ())]


def _url(daemon: KillableDaemon, queue: str) -> str:
    return str(daemon.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def received(daemon: KillableDaemon, queue: str) -> Iterator[str]:
    """The bodies of the messages in a queue that have not been received before."""
    sqs, url = daemon.client("sqs"), _url(daemon, queue)
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=43_200).get("Messages"):
        yield from (message["Body"] for message in found)
