"""Fills the policy documents of iam/ with the values of the settings.

A folder is a role. trust.json says who may take it, policy.json what it may do in any case; every other file is a part
that joins when settings ask for it, or that an operator may be given apart from the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree import project_root
from pedigree.account.errors import UnfilledError
from pipeline.account import placeholders
from pipeline.account.placeholders import Value
from pipeline.settings.tree import Settings

Document = Mapping[str, Any]

_TRUST, _POLICY = "trust", "policy"
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_SPECIAL = re.compile(r"[*?$]")

_ALWAYS = (_POLICY, "functions", "instances", "roles", "upsert")
_ASKED_FOR: Mapping[str, Callable[[Settings], bool]] = {
    "capture": lambda settings: settings.endpoint.capture_percent > 0,
    "data": lambda settings: settings.data.source.startswith("s3://"),
    "dead-letter": lambda settings: settings.schedule.dead_letter_queue,
    "debugger": lambda settings: settings.debugger.enabled,
    "isolation": lambda settings: settings.site.network.isolation,
    "output-alias": lambda settings: placeholders.is_alias(settings.site.encryption.output_key),
    "output-key": lambda settings: placeholders.is_key(settings.site.encryption.output_key),
    "spot": lambda settings: settings.training.spot,
    "volume-key": lambda settings: bool(settings.site.encryption.volume_key),
    "vpc": lambda settings: bool(settings.site.network.subnets),
    "weights": lambda settings: settings.training.weights.startswith("s3://"),
}


@dataclass(frozen=True)
class RoleDocuments:
    """A role's trust policy, and the parts of its policy by file name."""

    trust: Document
    parts: Mapping[str, Document]

    @property
    def policy(self) -> Document:
        """All parts as one document."""
        return {
            **self.parts[_POLICY],
            "Statement": [statement for part in self.parts.values() for statement in part["Statement"]],
        }


def documents_folder() -> Path:
    """The folder with a folder of documents for each role of the project."""
    return project_root.find() / "iam"


def documents(settings: Settings) -> Mapping[str, RoleDocuments]:
    """The documents of every role by folder name; raises UnfilledError for a placeholder without a value."""
    values = placeholders.values(settings)
    return {
        folder.name: _role(folder, settings, values)
        for folder in sorted(documents_folder().iterdir())
        if folder.is_dir()
    }


def _role(folder: Path, settings: Settings, values: Mapping[str, Value]) -> RoleDocuments:
    policy_first = sorted(folder.glob("*.json"), key=lambda path: (path.stem != _POLICY, path.stem))
    files = {path.stem: path for path in policy_first}
    trust = filled(files.pop(_TRUST), values)
    joining = {name: path for name, path in files.items() if name in _ALWAYS or _ASKED_FOR[name](settings)}
    return RoleDocuments(trust, {name: filled(path, values) for name, path in joining.items()})


def filled(path: Path, values: Mapping[str, Value]) -> Document:
    """A document with its placeholders filled."""
    try:
        document: Document = _filled(json.loads(path.read_text(encoding="utf-8")), values)
    except KeyError as error:
        place = f"iam/{path.parent.name}/{path.name}"
        raise UnfilledError(f"{place} has ${{{error.args[0]}}}, which nothing fills", "correct its name") from None
    return document


def _filled(value: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(entry, values) for key, entry in value.items()}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(dict.fromkeys(text for item in value for text in _texts(item, values)))
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    texts = list(_texts(value, values))
    return texts[0] if len(texts) == 1 else texts


def _texts(text: str, values: Mapping[str, Value]) -> Iterator[str]:
    """The text with its placeholders filled; several texts where a placeholder alone has several values.

    SageMaker writes its ARNs in small letters in some places and as they were given in others, so they are in both.
    """
    whole = _PLACEHOLDER.fullmatch(text)
    value = values[whole[1]] if whole else ""
    for item in (
        value if isinstance(value, tuple) else (_PLACEHOLDER.sub(lambda match: _literal(values[match[1]]), text),)
    ):
        yield item
        if ":sagemaker:" in item and item != item.lower():
            yield item.lower()


def _literal(value: Value) -> str:
    """The value for a policy, with its * and ? escaped so that they are not wildcards."""
    assert isinstance(value, str)
    return _SPECIAL.sub(r"${\g<0>}", value)
