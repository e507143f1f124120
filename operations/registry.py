"""The group in the model registry, to which every execution that passes the gate adds a version.

A group that is there already is used as it is: its versions may be older than this pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operations import tags
from operations.account import Account
from operations.plan import Call, Change
from pipeline.settings import Settings


@dataclass(frozen=True)
class ModelGroup:
    """The model package group of settings."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """Make it, if there is none."""
        named = {"ModelPackageGroupName": self.settings.registry.group}
        if account.find("sagemaker", "describe_model_package_group", **named) is not None:
            return
        described = {
            **named,
            "ModelPackageGroupDescription": self.settings.pipeline.description[:1024],
            "Tags": tags.pairs(tags.wanted(self.settings)),
        }
        call = Call("sagemaker", "create_model_package_group", described)
        yield Change("create", "model group", self.settings.registry.group, (call,))
