"""Who puts records all the time, and remembers exactly which of them were acknowledged.

What was acknowledged must be there, as it was put. What was asked for and not answered may be there or not. Anything
else may not be there at all.
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
from tests.crashing.daemon import Victim
from tests.crashing.work import BUCKET, GROUP, ROLE

_PAUSE_SECONDS = 0.25
_LOOKED_AT = 4
_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


class Kind(Protocol):
    """A kind of record."""

    def put(self, victim: Victim, number: int) -> str:
        """Put one; its name, which nobody else has."""
        ...

    def names(self, victim: Victim) -> Sequence[str]:
        """All that there are."""
        ...

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        """Whether one is as it was put."""
        ...


@dataclass
class Writer:
    """Puts records of a kind, one after the other."""

    victim: Victim
    kind: Kind
    acknowledged: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=type(self.kind).__name__)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self.victim.is_up.set()  # it may wait for that
        self._thread.join()

    def _work(self) -> None:
        while not self._is_over.wait(_PAUSE_SECONDS):
            self.victim.is_up.wait()
            if self._is_over.is_set():
                return
            self.asked += 1
            try:
                self.acknowledged.append(self.kind.put(self.victim, self.asked))
            except BotoCoreError:
                continue  # nobody answered: it may be there or not
            except ClientError as error:
                self.problems.append(f"{type(self.kind).__name__} {self.asked} was refused: {error}")

    def lost(self, *, all_of_it: bool) -> Iterator[str]:
        """What is missing, or harmed: a look at all names, and into the newest records or into every one."""
        acknowledged = tuple(self.acknowledged)
        found = self.kind.names(self.victim)
        called = type(self.kind).__name__
        yield from (f"{called} {name} was acknowledged and is lost" for name in set(acknowledged) - set(found))
        if all_of_it:  # pages that are read while somebody writes may overlap
            yield from (f"{called} {name} is there twice" for name, count in Counter(found).items() if count > 1)
        if len(set(found)) > self.asked:
            yield f"{called}: {len(set(found))} are there, and {self.asked} were asked for"
        for name in acknowledged if all_of_it else acknowledged[-_LOOKED_AT:]:
            if name in found and not self.kind.is_unharmed(self.victim, name):
                yield f"{called} {name} is not as it was put"


def content(name: str) -> bytes:
    """What an object of that name holds: between nothing and 96 KiB, the same whenever it is asked for."""
    digest = hashlib.sha256(name.encode()).digest()
    return digest * (int.from_bytes(digest[:2], "big") * 3072 // 65536)


class Objects:
    """S3's objects; every tenth comes in parts, and every one says in a second object that it is the latest."""

    def put(self, victim: Victim, number: int) -> str:
        s3, name = victim.client("s3"), f"kept/{number}"
        if number % 10:
            s3.put_object(Bucket=BUCKET, Key=name, Body=content(name))
        else:
            self._in_parts(s3, name)
        s3.put_object(Bucket=BUCKET, Key="latest", Body=str(number).encode())
        return name

    def _in_parts(self, s3: Any, name: str) -> None:
        asked = {"Bucket": BUCKET, "Key": name}
        upload = s3.create_multipart_upload(**asked)["UploadId"]
        part = s3.upload_part(**asked, UploadId=upload, PartNumber=1, Body=content(name))
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(**asked, UploadId=upload, MultipartUpload=parts)

    def names(self, victim: Victim) -> Sequence[str]:
        return _listed(victim.client("s3"), "list_objects_v2", "Contents", "Key", Bucket=BUCKET, Prefix="kept/")

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        s3 = victim.client("s3")
        latest = int(s3.get_object(Bucket=BUCKET, Key="latest")["Body"].read())
        kept: bytes = s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        return kept == content(name) and latest >= int(name.rpartition("/")[2])


class Messages:
    """Messages in a queue, which are read in the end."""

    def put(self, victim: Victim, number: int) -> str:
        victim.client("sqs").send_message(QueueUrl=_url(victim, work.KEPT), MessageBody=str(number))
        return str(number)

    def names(self, victim: Victim) -> Sequence[str]:
        return list(received(victim, work.KEPT))

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        return True  # its name is all that it says


class Roles:
    """IAM's roles, each with a policy."""

    def put(self, victim: Victim, number: int) -> str:
        iam, name = victim.client("iam"), f"kept-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_TRUST, Description=name)
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=self._policy(name))
        return name

    def _policy(self, name: str) -> str:
        allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})

    def names(self, victim: Victim) -> Sequence[str]:
        names = _listed(victim.client("iam"), "list_roles", "Roles", "RoleName")
        return [name for name in names if name.startswith("kept-")]

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        told = victim.client("iam").get_role_policy(RoleName=name, PolicyName="own")["PolicyDocument"]
        return bool(told == json.loads(self._policy(name)))


class Schedules:
    """Scheduler's schedules; each is due once, as soon as it is made, and tells a queue its name."""

    def put(self, victim: Victim, number: int) -> str:
        name = f"kept-{number}"
        target = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{work.FIRED}", "RoleArn": ROLE, "Input": name}
        victim.client("scheduler").create_schedule(
            Name=name, ScheduleExpression="rate(7 days)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        )
        return name

    def names(self, victim: Victim) -> Sequence[str]:
        return _listed(victim.client("scheduler"), "list_schedules", "Schedules", "Name")

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        return bool(victim.client("scheduler").get_schedule(Name=name)["Target"]["Input"] == name)


class Configurations:
    """Endpoint configurations, with a tag."""

    def put(self, victim: Victim, number: int) -> str:
        name = f"kept-{number}"
        variant = {"VariantName": name, "ModelName": "served", "InstanceType": "ml.m5.large"}
        victim.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
            Tags=[{"Key": "own", "Value": name}],
        )
        return name

    def names(self, victim: Victim) -> Sequence[str]:
        asked = {"NameContains": "kept-"}
        sagemaker = victim.client("sagemaker")
        return _listed(sagemaker, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", **asked)

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        sagemaker = victim.client("sagemaker")
        told = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        tags = sagemaker.list_tags(ResourceArn=told["EndpointConfigArn"])["Tags"]
        named = told["ProductionVariants"][0]["VariantName"]
        return (named, tags) == (name, [{"Key": "own", "Value": name}])


class Approvals:
    """Versions of a model that are registered and approved; a rule tells each approval to a queue."""

    def put(self, victim: Victim, number: int) -> str:
        sagemaker = victim.client("sagemaker")
        specification = {
            "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{number}"}],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["text/plain"],
        }
        asked = {"ModelPackageGroupName": GROUP, "ModelPackageDescription": f"kept-{number}"}
        made = sagemaker.create_model_package(**asked, InferenceSpecification=specification)
        sagemaker.update_model_package(ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Approved")
        return str(made["ModelPackageArn"])

    def names(self, victim: Victim) -> Sequence[str]:
        sagemaker = victim.client("sagemaker")
        asked = {"ModelPackageGroupName": GROUP, "ModelApprovalStatus": "Approved"}
        return _listed(sagemaker, "list_model_packages", "ModelPackageSummaryList", "ModelPackageArn", **asked)

    def is_unharmed(self, victim: Victim, name: str) -> bool:
        told = victim.client("sagemaker").describe_model_package(ModelPackageName=name)
        address = told["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        return bool(told["ModelPackageDescription"] == f"kept-{address.rpartition('/')[2]}")


@dataclass
class Hearer:
    """Hears in the end what rules and schedules have told their queues; it may come a little later."""

    victim: Victim
    approved: set[str] = field(default_factory=set)
    fired: set[str] = field(default_factory=set)

    def untold(self, approvals: Writer, schedules: Writer) -> Iterator[str]:
        """The approvals of which the rule's queue has not heard, and the schedules that have not fired."""
        events = map(json.loads, received(self.victim, work.EVENTS))
        self.approved |= {event["detail"]["ModelPackageArn"] for event in events}
        self.fired |= set(received(self.victim, work.FIRED))
        yield from (f"{name}'s approval was told to nobody" for name in set(approvals.acknowledged) - self.approved)
        yield from (f"the schedule {name} has not fired" for name in set(schedules.acknowledged) - self.fired)


def writers(victim: Victim) -> Mapping[str, Writer]:
    """One of each kind."""
    kinds = (Objects(), Messages(), Roles(), Schedules(), Configurations(), Approvals())
    return {type(kind).__name__: Writer(victim, kind) for kind in kinds}


def _listed(client: Any, operation: str, member: str, name: str, **asked: Any) -> list[str]:
    pages = client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": 100})
    return [one[name] for page in pages for one in page.get(member, ())]


def _url(victim: Victim, queue: str) -> str:
    return str(victim.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def received(victim: Victim, queue: str) -> Iterator[str]:
    """The bodies of the messages in a queue that have not been received before."""
    sqs, url = victim.client("sqs"), _url(victim, queue)
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=43_200).get("Messages"):
        yield from (one["Body"] for one in found)
