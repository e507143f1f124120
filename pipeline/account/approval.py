"""Deploys on approval: an EventBridge rule calls the deploy function when a model version is approved.

The rule builds the same flat event that the step sends. No step waits for the outcome then, so the event also names the
queue in which the function leaves a message, and what is to be scaled once the endpoint serves. Only a change of the
approval counts: the same kind of event comes for every new version and for every other change of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from entrypoints import contract
from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.errors import OperationsError
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags
from pipeline.account.functions import live_arn
from pipeline.definition import build_of
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive
from steps.configure_autoscaling import scaling
from steps.deploy_endpoint import as_text, deployment
from steps.functions import LIVE, function_name, live_name, queue_name

TARGET = "deploy"
_STATEMENT = "pedigree-approved"
_PATHS = {"package": "$.detail.ModelPackageArn", "event": "$.id"}
_OF_THE_VERSION = f'"{contract.MODEL_PACKAGE_ARN}": <package>, "{contract.EXECUTION_ID}": "approval-<event>"'
_LONGEST_TEMPLATE = 8192
_DESCRIPTION = "Deploys a version of the model when it is approved."


@dataclass(frozen=True)
class Approval:
    """The rule, its target, and the function's permission for the rule."""

    settings: Settings
    template: str

    @property
    def name(self) -> str:
        return rule_name(self.settings)

    @property
    def arn(self) -> str:
        return self.settings.site.arn("events", f"rule/{self.name}")

    def changes(self, account: Account) -> Iterator[Change]:
        """Creates or updates them; the permission comes first, so that no event is lost."""
        yield from self._permission(account)
        rule = account.find("events", "describe_rule", Name=self.name)
        if rule is None:
            made = {**self._rule(), "Tags": tags.pairs(tags.wanted(self.settings))}
            yield Change("create", "rule", self.name, (ApiCall("events", "put_rule", made), self._targeting()))
            return
        yield from self._repair(rule, account)

    def _repair(self, rule: Mapping[str, Any], account: Account) -> Iterator[Change]:
        ours = tags.wanted(self.settings)
        there = tags.mapping(account.call("events", "list_tags_for_resource", ResourceARN=self.arn).get("Tags", ()))
        tags.check_made("rule", self.name, there, ours, "pipeline.name")
        lacking = tags.lacking("rule", self.name, there, ours)
        wanted = self._rule()
        pattern = json.loads(rule.get("EventPattern") or "{}")
        pattern_reasons = () if pattern == json.loads(wanted["EventPattern"]) else ("its event pattern differs",)
        state = differences.fields(rule, {"State": "ENABLED"})
        targets = {
            target["Id"]: target for target in account.each("events", "list_targets_by_rule", "Targets", Rule=self.name)
        }
        target = () if differences.covers(targets.get(TARGET), self._target()) else ("its target differs",)
        calls = [ApiCall("events", "put_rule", wanted)] if pattern_reasons or state else []
        if target:
            calls.append(self._targeting())
        if lacking:
            labelled = {"ResourceARN": self.arn, "Tags": tags.pairs(lacking)}
            calls.append(ApiCall("events", "tag_resource", labelled))
        if calls:
            why = (*pattern_reasons, *state, *target, *tags.differences(there, lacking))
            yield Change("update", "rule", self.name, tuple(calls), why)

    def _rule(self) -> dict[str, Any]:
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {
                "ModelPackageGroupName": [self.settings.registry.group],
                "ModelApprovalStatus": ["Approved"],
                "UpdatedModelPackageFields": ["ModelApprovalStatus"],
            },
        }
        return {
            "Name": self.name,
            "Description": _DESCRIPTION,
            "State": "ENABLED",
            "EventPattern": json.dumps(pattern),
        }

    def _target(self) -> dict[str, Any]:
        transformer = {"InputPathsMap": _PATHS, "InputTemplate": self.template}
        return {"Id": TARGET, "Arn": live_arn(self.settings, "deploy"), "InputTransformer": transformer}

    def _targeting(self) -> ApiCall:
        return ApiCall("events", "put_targets", {"Rule": self.name, "Targets": [self._target()]})

    def _permission(self, account: Account) -> Iterator[Change]:
        name = function_name(self.settings.pipeline.name, "deploy")
        qualified = {"FunctionName": name, "Qualifier": LIVE}
        policy = json.loads((account.find("lambda", "get_policy", **qualified) or {}).get("Policy", "{}"))
        statement = next(
            (statement for statement in policy.get("Statement", ()) if statement.get("Sid") == _STATEMENT), None
        )
        if statement is not None and differences.same(statement, self._leave()):
            return
        named = {**qualified, "StatementId": _STATEMENT}
        given = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": self.arn}
        removed = (ApiCall("lambda", "remove_permission", named),) if statement else ()
        added = ApiCall("lambda", "add_permission", {**named, **given})
        why = ("it was changed",) if statement else ()
        yield Change(
            "update" if statement else "create", "permission", f"{self.name} on {name}", (*removed, added), why
        )

    def _leave(self) -> dict[str, Any]:
        """The statement that Lambda makes of the permission."""
        return {
            "Sid": _STATEMENT,
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": live_arn(self.settings, "deploy"),
            "Condition": {"ArnLike": {"AWS:SourceArn": self.arn}},
        }


def rule_name(settings: Settings) -> str:
    """The name of the rule on approval."""
    return f"{settings.pipeline.name}-approved"


def approval(settings: Settings, archive: SourceArchive) -> Approval:
    """The rule with the event that it sends; raises OperationsError if the event is too long."""
    fixed = json.dumps(_event(settings, archive), sort_keys=True).replace("<", r"\u003c").replace(">", r"\u003e")
    template = f"{fixed[:-1]}, {_OF_THE_VERSION}}}"
    if len(template) > _LONGEST_TEMPLATE:
        raise OperationsError(
            f"the event that an approval sends has {len(template)} characters, "
            f"and EventBridge takes {_LONGEST_TEMPLATE}",
            "shorten site.tags or endpoint.alarms.extra",
        )
    return Approval(settings, template)


def _event(settings: Settings, archive: SourceArchive) -> dict[str, Any]:
    """The event without the version's own fields; its values are flat, as a step's are."""
    endpoint, limits = settings.endpoint, settings.autoscaling
    scaled = {contract.ENDPOINT_NAME: endpoint.name, **scaling(limits, endpoint.variant)}
    return {
        **deployment(endpoint, build_of(settings, archive)),
        contract.AWAIT_QUEUE_URL: settings.site.queue_url(queue_name(settings.pipeline.name)),
        contract.AUTOSCALING_FUNCTION: live_name(settings.pipeline.name, "autoscale"),
        contract.AUTOSCALING: as_text(scaled),
    }
