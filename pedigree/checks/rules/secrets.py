"""Secrets: everybody who may see the pipeline can read its definition."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject

_NAMES = re.compile(
    r"(?:password|passwd|client_?secret|secret_?key|api_?key|access_?key|private_?key|auth_?token|access_?token|hf_token)$",
    re.IGNORECASE,
)
_VALUES = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bghp_\w{36}\b|\bhf_[A-Za-z0-9]{30,}\b"
)
_KEPT_ELSEWHERE = re.compile(r"^(?:arn:|s3:|\{\{|ssm:|secretsmanager:|/|$)")
_SHORTEST = 4
# The SDK signs the functions of @step with it; it makes the key itself, and no script can keep it elsewhere.
_MADE_BY_THE_SDK = "REMOTE_FUNCTION_SECRET_KEY"


@rule("DEP013", Severity.ERROR)
def secrets(subject: Subject) -> Iterator[Violation]:
    """Secret in the definition.

    Studio shows environment, hyperparameters, arguments and defaults, and CloudTrail logs them. Keep the secret in
    Secrets Manager, pass its name, and let the script read it.
    """
    parameters = {pointer: name for name, pointer in subject.parameter_pointers.items()}
    for text in subject.texts:
        name = parameters.get(text.parent, text.key)
        is_elsewhere = _KEPT_ELSEWHERE.match(text.value) or len(text.value) < _SHORTEST or name == _MADE_BY_THE_SDK
        if _VALUES.search(text.value) or (_NAMES.search(name) and not is_elsewhere):
            yield Violation(text.pointer, f"{name} contains a secret", "keep it in Secrets Manager, and pass its name")
