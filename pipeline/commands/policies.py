"""`pedigree policies`: writes every role's policies to files that an administrator can read and use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pedigree.cli import files
from pedigree.cli.errors import UsageError
from pedigree.cli.options import ProjectOptions, expand_options
from pipeline.commands.project import load_settings

if TYPE_CHECKING:
    from pipeline.account.roles import RoleDocuments


@expand_options
def command(
    target: ProjectOptions,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The folder to write to; it gets a folder per role.")
    ] = None,
) -> None:
    """Write the policies of every role to a folder."""
    if folder is None:
        raise UsageError("no folder is named for the policies", "name one: `pedigree policies DIR`")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "make it, or name another")
    loaded = load_settings(target)
    if not loaded.site.account:
        raise UsageError("policies name an account, and settings do not", "give it with --account, or as site.account")
    from pipeline.account.roles import documents

    for path, document in _files(folder, documents(loaded)):
        path.parent.mkdir(exist_ok=True)
        files.write(json.dumps(document, indent=2) + "\n", path)
        typer.echo(path)


def _files(folder: Path, roles: Mapping[str, RoleDocuments]) -> Iterator[tuple[Path, Any]]:
    for role, documents in roles.items():
        yield folder / role / "trust.json", documents.trust
        for part, document in documents.parts.items():
            yield folder / role / f"{part}.json", document
