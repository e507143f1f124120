"""Secrets: a definition is read by everybody who may look at the pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject

_NAMES = re.compile(
    r"(?:password|passwd|client_?secret|secret_?key|api_?key|access_?key|private_?key|auth_?token|access_?token|hf_token)$",
    re.IGNORECASE,
)
_VALUES = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bghp_\w{36}\b|\bhf_[A-Za-z0-9]{30,}\b"
)
_ELSEWHERE = re.compile(r"^(?:arn:|s3:|\{\{|ssm:|secretsmanager:|/|$)")


@rule("DEP013", Severity.ERROR)
def secrets(subject: Subject) -> Iterator[Spot]:
    """A secret in the definition.

    Environment, hyperparameters, arguments and defaults are shown in Studio and logged by CloudTrail. Keep it in
    Secrets Manager, hand over its name, and let the script read it.
    """
    declared = {pointer: name for name, pointer in subject.parameter_pointers.items()}
    for one in subject.texts:
        name = declared.get(one.parent, one.key)
        named = _NAMES.search(name) and not _ELSEWHERE.match(one.value) and len(one.value) > 3
        if named or _VALUES.search(one.value):
            yield Spot(one.pointer, f"{name} holds a secret", "keep it in Secrets Manager, and hand over its name")
