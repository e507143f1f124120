"""Plans to create a pipeline from a definition, or to update the one that is there, and says what that changes."""

from __future__ import annotations

from pedigree.account.account import Account
from pedigree.account.executions import token
from pedigree.account.plan import ApiCall, Change
from pedigree.language import revision
from pedigree.language.definition import parse


def upsert(account: Account, name: str, definition: str, role: str) -> Change | None:
    """The change that brings a pipeline to a definition and a role; None if it has both."""
    before = account.find("sagemaker", "describe_pipeline", PipelineName=name)
    members = {"PipelineName": name, "PipelineDefinition": definition, "RoleArn": role}
    if before is None:
        calls = (ApiCall("sagemaker", "create_pipeline", {**members, "ClientRequestToken": token()}),)
        return Change("create", "pipeline", name, calls, (f"as {role}",))
    lines = revision.changes(parse(before["PipelineDefinition"]), parse(definition))
    if before["RoleArn"] != role:
        lines.append(f"role: {before['RoleArn']} → {role}")
    calls = (ApiCall("sagemaker", "update_pipeline", members),)
    return Change("update", "pipeline", name, calls, tuple(lines)) if lines else None
