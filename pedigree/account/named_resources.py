"""Finds what a definition names in an account: roles, buckets, and the objects that its steps read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.defaults import outlined
from pedigree.language.definition import Definition

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?=[/\"]|$)")
_ACCOUNT = re.compile(r"(arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:)\d{12}(?=:)")
_QUEUE = re.compile(r"(https://sqs\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/)\d{12}(?=/)")
_READ = ("S3Uri", "ModelDataUrl", "ManifestS3Uri", "sagemaker_submit_directory")
_UNKNOWN = "…"


@dataclass(frozen=True)
class StepInput:
    """An address in S3 that a step reads."""

    step: str
    address: str

    @property
    def bucket(self) -> str:
        return self.address.removeprefix("s3://").partition("/")[0]

    @property
    def key(self) -> str:
        return self.address.removeprefix("s3://").partition("/")[2]


def in_account(text: str, account: str) -> str:
    """A text with every ARN and every queue's URL in one account."""
    return _QUEUE.sub(rf"\g<1>{account}", _ACCOUNT.sub(rf"\g<1>{account}", text))


def foreign_accounts(text: str, account: str) -> list[str]:
    """The other accounts whose ARNs a text has."""
    found = re.findall(r"arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):", text)
    return [name for name in dict.fromkeys(found) if name != account]


def roles(definition: Definition) -> list[str]:
    """The ARNs of the roles that the steps take."""
    return list(dict.fromkeys(_ROLE.findall(_outline(definition))))


def buckets(definition: Definition) -> list[str]:
    """The buckets that the steps read from and write to."""
    return list(dict.fromkeys(_BUCKET.findall(_outline(definition))))


def inputs(definition: Definition) -> list[StepInput]:
    """What the steps read that no step writes; what only a branch reads may never be read."""
    written = [
        address
        for step in definition.all_steps()
        for path, address in _addresses(outlined(definition, dict(step.own_arguments)))
        if _is_output(path)
    ]
    return [
        StepInput(step.name, address)
        for step in definition.steps
        for path, address in _addresses(outlined(definition, dict(step.own_arguments)))
        if path[-1] in _READ and not _is_output(path) and not _is_written(address, written)
    ]


def _outline(definition: Definition) -> str:
    return json.dumps(outlined(definition, definition.document["Steps"]), ensure_ascii=False)


def _addresses(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The addresses in S3 in a JSON value, with the members that lead there."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _addresses(member, (*path, key))
    elif isinstance(value, list):
        for member in value:
            yield from _addresses(member, path)
    elif isinstance(value, str) and value.strip('"').startswith("s3://"):
        yield path, value.strip('"')  # the values of hyperparameters are JSON


def _is_output(path: tuple[str, ...]) -> bool:
    return any("Output" in member for member in path)


def _is_written(address: str, written: list[str]) -> bool:
    """Whether a step writes there, or the address is known in an execution only."""
    plain = [each for each in written if _UNKNOWN not in each]
    return _UNKNOWN in address or any(address.startswith(each) or each.startswith(address) for each in plain)
