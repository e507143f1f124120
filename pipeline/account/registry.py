"""The group in the model registry, to which every execution that passes the gate adds a version.

A group that existed already is used as it is: its versions may be older than this pipeline. One that an upsert
created has the pipeline's tag, and its tags are updated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pedigree.account.account import Account
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags
from pipeline.settings.tree import Settings

KIND = "model group"


@dataclass(frozen=True)
class ModelGroup:
    """The model package group that the settings name."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """Creates the group, or adds the tags that ours lacks."""
        name, wanted = self.settings.registry.group, tags.wanted(self.settings)
        existing = account.find("sagemaker", "describe_model_package_group", ModelPackageGroupName=name)
        if existing is None:
            described = {
                "ModelPackageGroupName": name,
                "ModelPackageGroupDescription": self.settings.pipeline.description[:1024],
                "Tags": tags.pairs(wanted),
            }
            yield Change("create", KIND, name, (ApiCall("sagemaker", "create_model_package_group", described),))
            return
        arn = existing["ModelPackageGroupArn"]
        there = tags.mapping(account.each("sagemaker", "list_tags", "Tags", ResourceArn=arn))
        lacking = tags.lacking(KIND, name, there, wanted) if tags.is_of(there, wanted) else {}
        if lacking:
            call = ApiCall("sagemaker", "add_tags", {"ResourceArn": arn, "Tags": tags.pairs(lacking)})
            yield Change("update", KIND, name, (call,), tags.differences(there, lacking))
