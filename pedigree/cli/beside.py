"""What `pedigree check` is given beside a definition: functions, schedules, scripts and policies, from files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pedigree.cli import files
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.checks.evidence import Evidence
    from pedigree.iam import Policy

FunctionsOption = Annotated[
    Path | None, typer.Option(help="Configurations of Lambda functions, as `aws lambda list-functions` gives them.")
]
ScheduleOption = Annotated[
    Path | None, typer.Option(help="A schedule or a rule's targets, as `aws scheduler get-schedule` gives it.")
]
ScriptsOption = Annotated[Path | None, typer.Option(help="A folder or a .tar.gz with the scripts of the jobs.")]
PoliciesOption = Annotated[
    Path | None, typer.Option(help="A folder with a folder of policies for each role, named after it.")
]
RoleOption = Annotated[str, typer.Option(help="The name of the role that runs the pipeline.")]


def read(
    functions: Path | None, schedule: Path | None, scripts: Path | None, policies: Path | None, role: str
) -> Evidence:
    """All of it, as far as it is given."""
    from pedigree.checks.evidence import Evidence

    return Evidence(
        functions=_functions(functions) if functions else {},
        schedules=[_document(schedule)] if schedule else (),
        scripts=_scripts(scripts) if scripts else {},
        policies=_policies(policies) if policies else {},
        trusts=_trusts(policies) if policies else {},
        pipeline_role=role,
    )


def _functions(path: Path) -> dict[str, Mapping[str, Any]]:
    """Configurations of functions by name."""
    document = _document(path)
    listed = document.get("Functions", [document])
    return {str(one.get("FunctionName", "")): one for one in listed if isinstance(one, dict)}


def _scripts(path: Path) -> dict[str, str]:
    """The source of scripts by file name."""
    from pedigree.checks.archives import sources

    try:
        return sources(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}", "name a folder or a .tar.gz") from None


def _policies(folder: Path) -> dict[str, Sequence[Policy]]:
    """The policies of roles: a folder ROLE with documents, or a document ROLE.json."""
    from pedigree.iam import parse

    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "name one that has a folder of policies for each role")
    found: dict[str, Sequence[Policy]] = {}
    for entry in sorted(folder.iterdir()):
        documents = sorted(entry.glob("*.json")) if entry.is_dir() else [entry] if entry.suffix == ".json" else []
        named = [path for path in documents if path.name != "trust.json"]
        if named:
            found[entry.stem if entry.is_file() else entry.name] = [
                parse(document, name=str(path.relative_to(folder)))
                for path in named
                for document in _inside(_document(path))
            ]
    if not found:
        raise UsageError(f"{folder} has no policies", "write them with `pedigree policies`, or as ROLE/policy.json")
    return found


def _trusts(folder: Path) -> dict[str, Sequence[Policy]]:
    """The trust of roles, where their folders have it."""
    from pedigree.iam import PolicyKind, parse

    found: dict[str, Sequence[Policy]] = {}
    for path in sorted(folder.glob("*/trust.json")):
        document = _document(path)
        role = document.get("Role")  # as `aws iam get-role` prints it
        trust = role.get("AssumeRolePolicyDocument", {}) if isinstance(role, dict) else document
        found[path.parent.name] = [parse(trust, name=str(path.relative_to(folder)), kind=PolicyKind.TRUST)]
    return found


def _inside(document: Mapping[str, Any]) -> Iterator[Any]:
    """The policy in what the AWS command line prints of one, or the document itself."""
    version = document.get("PolicyVersion")
    inside = document.get("PolicyDocument") or (version.get("Document") if isinstance(version, dict) else None)
    yield inside or document


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(files.read(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}", "give what the AWS command line prints") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no object", "give what the AWS command line prints")
    return document
