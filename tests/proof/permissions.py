"""Every action of every policy in iam/, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.account.roles import documents_folder

Document = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Permission:
    """One action of one statement of a policy: iam/<role>/<file>.json."""

    role: str
    file: str
    statement: str
    action: str

    def __str__(self) -> str:
        return f"iam/{self.role}/{self.file}.json {self.statement} {self.action}"


def permissions(effect: str = "Allow") -> tuple[Permission, ...]:
    """All actions that policies allow, or deny, in the order of the files."""
    return tuple(_all(effect))


def _all(effect: str) -> Iterator[Permission]:
    for path in sorted(
        documents_folder().glob("*/*.json"), key=lambda path: (path.parent.name, path.stem != "policy", path.stem)
    ):
        if path.stem == "trust":
            continue
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            if statement["Effect"] == effect:
                for action in _listed(statement["Action"]):
                    yield Permission(path.parent.name, path.stem, statement["Sid"], action)


def without(document: Document, permission: Permission) -> Document:
    """A document without an action; a statement that would be empty is left out."""
    statements = [
        _less(statement, permission.action) if statement["Sid"] == permission.statement else statement
        for statement in document["Statement"]
    ]
    return {**document, "Statement": [statement for statement in statements if statement["Action"]]}


def _less(statement: Document, action: str) -> Document:
    return {**statement, "Action": [listed for listed in _listed(statement["Action"]) if listed != action]}


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
