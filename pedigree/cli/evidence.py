"""Reads what `pedigree check` takes besides a definition: functions, schedules, scripts and policies, from files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pedigree.cli import files
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.checks.evidence import Evidence
    from pedigree.iam import Policy


@dataclass(frozen=True)
class EvidenceOptions:
    """Where the evidence is."""

    functions: Annotated[
        Path | None, typer.Option(help="Lambda functions, as `aws lambda list-functions` prints them.")
    ] = None
    schedule: Annotated[Path | None, typer.Option(help="A schedule, as `aws scheduler get-schedule` prints it.")] = None
    scripts: Annotated[Path | None, typer.Option(help="The jobs' scripts: a folder or a .tar.gz.")] = None
    policies: Annotated[Path | None, typer.Option(help="A folder with a folder of policies per role.")] = None
    pipeline_role: Annotated[str, typer.Option(help="The role that runs the pipeline.")] = "pipeline"


def read(options: EvidenceOptions) -> Evidence:
    """All evidence that the options name."""
    from pedigree.checks.evidence import Evidence

    return Evidence(
        functions=_functions(options.functions) if options.functions else {},
        schedules=[_document(options.schedule)] if options.schedule else (),
        scripts=_scripts(options.scripts) if options.scripts else {},
        policies=_policies(options.policies) if options.policies else {},
        trusts=_trusts(options.policies) if options.policies else {},
        pipeline_role=options.pipeline_role,
    )


def _functions(path: Path) -> dict[str, Mapping[str, Any]]:
    """Configurations of functions by name."""
    document = _document(path)
    functions = document.get("Functions", [document])
    return {str(function.get("FunctionName", "")): function for function in functions if isinstance(function, dict)}


def _scripts(path: Path) -> dict[str, str]:
    """The source of scripts by file name."""
    from pedigree.checks.archives import sources

    try:
        return sources(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}", "name a folder or a .tar.gz") from None


def _policies(folder: Path) -> dict[str, Sequence[Policy]]:
    """The policies of each role: documents in a folder ROLE, or one document ROLE.json."""
    from pedigree.iam import parse

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "name one that has a folder of policies for each role")
    policies: dict[str, Sequence[Policy]] = {}
    for entry in sorted(folder.iterdir()):
        documents = sorted(entry.glob("*.json")) if entry.is_dir() else [entry] if entry.suffix == ".json" else []
        paths = [path for path in documents if path.name != "trust.json"]
        if paths:
            policies[entry.stem if entry.is_file() else entry.name] = [
                parse(_policy_document(_document(path)), name=str(path.relative_to(folder))) for path in paths
            ]
    if not policies:
        raise UsageError(f"{folder} has no policies", "write them with `pedigree policies`, or as ROLE/policy.json")
    return policies


def _trusts(folder: Path) -> dict[str, Sequence[Policy]]:
    """The trust policies of the roles whose folders have one."""
    from pedigree.iam import PolicyKind, parse

    trusts: dict[str, Sequence[Policy]] = {}
    for path in sorted(folder.glob("*/trust.json")):
        document = _document(path)
        role = document.get("Role")  # as `aws iam get-role` prints it
        trust = role.get("AssumeRolePolicyDocument", {}) if isinstance(role, dict) else document
        trusts[path.parent.name] = [parse(trust, name=str(path.relative_to(folder)), kind=PolicyKind.TRUST)]
    return trusts


def _policy_document(document: Mapping[str, Any]) -> Any:
    """The policy inside of what the AWS command line prints, or the document itself."""
    version = document.get("PolicyVersion")
    inside = document.get("PolicyDocument") or (version.get("Document") if isinstance(version, dict) else None)
    return inside or document


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(files.read(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}", "give what the AWS command line prints") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not a JSON object", "give what the AWS command line prints")
    return document
