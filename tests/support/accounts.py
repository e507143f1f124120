"""An account in this process: its calls are recorded and can be made to fail, and its state can be compared."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pedigree.account.account import Account
from pedigree.account.apply import apply_plan
from pedigree.account.plan import ManagedResource, Plan, plan
from pipeline.account import upsert
from pipeline.commands.context import with_account
from pipeline.settings.tree import Settings
from tests.support.definitions import CODE, configure
from tests.support.fakes.aws import ACCOUNT, CREDENTIALS, REGION

CALLER = f"arn:aws:iam::{ACCOUNT}:user/me"
READING = ("get_", "list_", "head_", "describe_")
# Members that differ between two accounts in the same state.
_VOLATILE = {
    *("CreateDate", "CreatedTimestamp", "CreationTime", "ETag", "EventSourceMappingArn", "InstanceProfileId"),
    *("CreationDate", "LastModificationDate", "LastModifiedTime"),
    *("LastModified", "LastModifiedTimestamp", "Location", "ResponseMetadata", "RevisionId", "RoleId"),
    *("RoleLastUsed", "UUID", "creationTime"),
}


class InstantClock:
    """A clock whose sleep takes no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.timezone.utc)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@cache
def client(service: str) -> Any:
    """A client without retries, so that every failure reaches the caller; made once for a service."""
    key, secret = CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
    return session.client(service, config=Config(retries={"total_max_attempts": 1}))


@dataclass
class RecordedClients:
    """Clients whose calls are recorded, and go through `around`, which may change or refuse them."""

    calls: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    around: Callable[[str, str, Mapping[str, Any], Callable[[], Any]], Any] = lambda _s, _o, _a, make: make()

    def __call__(self, service: str) -> Any:
        return _Client(service, self)

    def make(self, service: str, operation: str, arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        self.calls.append((service, operation, arguments))
        return self.around(service, operation, arguments, call)

    def writing(self) -> list[str]:
        """The calls that change something."""
        return [f"{service} {name}" for service, name, _ in self.calls if not name.startswith(READING)]


@dataclass(frozen=True)
class _Client:
    service: str
    watched: RecordedClients

    def can_paginate(self, operation: str) -> bool:
        return bool(client(self.service).can_paginate(operation))

    def get_paginator(self, operation: str) -> Any:
        return _Paginator(self.service, operation, self.watched)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            made = getattr(client(self.service), operation)
            return self.watched.make(self.service, operation, arguments, lambda: made(**arguments))

        return call


@dataclass(frozen=True)
class _Paginator:
    service: str
    operation: str
    watched: RecordedClients

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        pages = client(self.service).get_paginator(self.operation).paginate
        yield from self.watched.make(self.service, self.operation, arguments, lambda: list(pages(**arguments)))


def account(watched: RecordedClients | None = None) -> Account:
    """The account, with a clock that never waits."""
    return Account(ACCOUNT, REGION, watched or RecordedClients(), CALLER, InstantClock())


def settings(changes: Mapping[str, Any] | None = None) -> Settings:
    """The settings of the account, changed by dotted key."""
    return with_account(configure(changes or {}), account())


def upsert_resources(
    folder: Path, changes: Mapping[str, Any] | None = None, *, only: str = ""
) -> list[ManagedResource]:
    """The resources that an upsert creates with these settings, or those of one kind; the functions do nothing."""
    chosen = settings(changes)
    documents = dict.fromkeys(chosen.site.roles.model_dump(by_alias=True), plain_documents())
    everything = upsert.resources(chosen, CODE, documents, folder)
    selected = [resource for resource in everything if not only or type(resource).__name__ == only]
    assert selected, f"an upsert has no {only}"
    return selected


def apply_resources(upsert_resources: Sequence[ManagedResource], here: Account) -> Plan:
    """Plan the changes of the resources and apply them; return the plan."""
    planned = plan(upsert_resources, here)
    apply_plan(upsert_resources, here, planned, lambda change: None)
    return planned


def change_lines(planned: Plan) -> list[str]:
    """Each change of a plan as "verb kind name"."""
    return [f"{change.verb} {change.kind} {change.name}" for change in planned.changes]


def reasons(planned: Plan) -> list[str]:
    """The reasons for all changes of a plan."""
    return [why for change in planned.changes for why in change.why]


def state() -> dict[str, Any]:
    """Everything in the account, without values such as times that differ between accounts anyway."""
    return {name: _without_volatile(look()) for name, look in _READERS.items()}


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        steady = {key: _without_volatile(member) for key, member in value.items() if key not in _VOLATILE}
        return {key: member for key, member in steady.items() if member not in ({}, None)}
    if isinstance(value, (list, tuple)):
        return sorted(
            (_without_volatile(member) for member in value),
            key=lambda member: json.dumps(member, sort_keys=True, default=str),
        )
    return value


def _list_all(service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
    return list(account().each(service, operation, key, **arguments))


def _get(service: str, operation: str, **arguments: Any) -> Any:
    return account().find(service, operation, **arguments)


def _roles() -> Any:
    return {
        role["RoleName"]: (
            _get("iam", "get_role", RoleName=role["RoleName"]),
            [
                _get("iam", "get_role_policy", RoleName=role["RoleName"], PolicyName=policy)
                for policy in _list_all("iam", "list_role_policies", "PolicyNames", RoleName=role["RoleName"])
            ],
        )
        for role in _list_all("iam", "list_roles", "Roles")
    }


def _functions() -> Any:
    found = {}
    for name in [function["FunctionName"] for function in _list_all("lambda", "list_functions", "Functions")]:
        found[name] = {
            "function": _get("lambda", "get_function", FunctionName=name),
            "versions": _list_all("lambda", "list_versions_by_function", "Versions", FunctionName=name),
            "aliases": _list_all("lambda", "list_aliases", "Aliases", FunctionName=name),
            "policy": _get("lambda", "get_policy", FunctionName=name, Qualifier="live"),
            "warm": _get("lambda", "get_provisioned_concurrency_config", FunctionName=name, Qualifier="live"),
        }
    return found


def _queues() -> Any:
    return {
        url: (
            _get("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]),
            _get("sqs", "list_queue_tags", QueueUrl=url),
        )
        for url in _list_all("sqs", "list_queues", "QueueUrls")
    }


def _buckets() -> Any:
    aspects = ("bucket_encryption", "bucket_versioning", "bucket_policy", "bucket_tagging", "public_access_block")
    return {
        bucket["Name"]: {
            **{aspect: _get("s3", f"get_{aspect}", Bucket=bucket["Name"]) for aspect in aspects},
            "lifecycle": _get("s3", "get_bucket_lifecycle_configuration", Bucket=bucket["Name"]),
            "objects": [
                (version["Key"], _get("s3", "head_object", Bucket=bucket["Name"], Key=version["Key"])["Metadata"])
                for version in _list_all("s3", "list_object_versions", "Versions", Bucket=bucket["Name"])
            ],
        }
        for bucket in _list_all("s3", "list_buckets", "Buckets")
    }


def _rules() -> Any:
    return {
        rule["Name"]: (
            rule,
            _list_all("events", "list_targets_by_rule", "Targets", Rule=rule["Name"]),
            _get("events", "list_tags_for_resource", ResourceARN=rule["Arn"]),
        )
        for rule in _list_all("events", "list_rules", "Rules")
    }


def _log_groups() -> Any:
    return [
        (group, _get("logs", "list_tags_for_resource", resourceArn=group["arn"].removesuffix(":*")))
        for group in _list_all("logs", "describe_log_groups", "logGroups")
    ]


def _mappings() -> Any:
    return [
        (mapping, _get("lambda", "list_tags", Resource=mapping["EventSourceMappingArn"]))
        for mapping in _list_all("lambda", "list_event_source_mappings", "EventSourceMappings")
    ]


def _pipelines() -> Any:
    return [
        (found, _list_all("sagemaker", "list_tags", "Tags", ResourceArn=found["PipelineArn"]))
        for pipeline in _list_all("sagemaker", "list_pipelines", "PipelineSummaries")
        for found in [_get("sagemaker", "describe_pipeline", PipelineName=pipeline["PipelineName"])]
    ]


def _schedules() -> Any:
    return [
        _get("scheduler", "get_schedule", Name=schedule["Name"])
        for schedule in _list_all("scheduler", "list_schedules", "Schedules")
    ]


_READERS: Mapping[str, Callable[[], Any]] = {
    "roles": _roles,
    "profiles": lambda: _list_all("iam", "list_instance_profiles", "InstanceProfiles"),
    "functions": _functions,
    "mappings": _mappings,
    "queues": _queues,
    "buckets": _buckets,
    "rules": _rules,
    "pipelines": _pipelines,
    "schedules": _schedules,
    "log groups": _log_groups,
    "groups": lambda: _list_all("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList"),
}


@dataclass(frozen=True)
class PlainDocuments:
    """The smallest documents that a role can have."""

    trust: Mapping[str, Any]
    policy: Mapping[str, Any]


def plain_documents(service: str = "lambda", action: str = "logs:PutLogEvents") -> PlainDocuments:
    """A trust policy and a permissions policy of one statement each."""
    trust = {
        "Sid": "Take",
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policy = {"Sid": "Do", "Effect": "Allow", "Action": [action], "Resource": "*"}
    return PlainDocuments(*({"Version": "2012-10-17", "Statement": [statement]} for statement in (trust, policy)))


def write_handlers(folder: Path) -> Path:
    """Write the code of all functions, each of which only logs, and the module that they share."""
    for name in ("deploy_endpoint", "await_endpoint", "configure_autoscaling", "predict"):
        (folder / f"{name}.py").write_text(
            "from shared.log import log\n\n\ndef handler(event, context):\n    log(event)\n"
        )
    (folder / "shared").mkdir()
    (folder / "shared" / "__init__.py").write_text("")
    (folder / "shared" / "log.py").write_text("def log(event):\n    print(event)\n")
    return folder
