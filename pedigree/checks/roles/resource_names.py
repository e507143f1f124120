"""Names as policies write them, from what requests say: objects, images, queues, with * for what nobody knows yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pedigree.checks.jobs import at, entries
from pedigree.checks.roles.need import role_name
from pedigree.checks.subject import Subject
from pedigree.language.entries import LISTS
from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import (
    Item,
    Join,
    JsonGet,
    Member,
    ParameterReference,
    StepReference,
    Value,
    is_expression,
    parse,
)

_MOST_HOPS = 20
_OBJECT = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)
_IMAGE = re.compile(r"(\d{12}|\*)\.dkr\.ecr\.([a-z0-9*-]+)\.[^/]+/([^:@]+).*")
_QUEUE = re.compile(r"https://sqs\.([a-z0-9*-]+)\.[^/]+/(\d{12}|\*)/(.+)")
_ARN = re.compile(r"arn:([a-z-]+):[a-z0-9-]+:([a-z0-9-]*):(\d{12}):")


class Addresses:
    """The names in one definition."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def text(self, value: Any) -> str:
        """A value as a pattern: parameters at their defaults, * for what only an execution knows."""
        return re.sub(r"\*+", "*", self._text(value, _MOST_HOPS))

    def bucket_and_key(self, value: Any) -> tuple[str, str] | None:
        """An S3 address; None where not even the bucket is known, or where it is none."""
        match = _OBJECT.fullmatch(self.text(value))
        return (match[1], match[2]) if match and match[1] != "*" else None

    def file(self, reference: JsonGet) -> tuple[tuple[str, str] | None, Any]:
        """The property file that a value is read from, and the key with which its step writes."""
        step = self._subject.definition.by_name().get(reference.step)
        known = {one.name: one for one in step.property_files} if step else {}
        if step is None or reference.property_file not in known:
            return None, None
        declared = known[reference.property_file]
        outputs = entries(at(step.arguments, "ProcessingOutputConfig", "Outputs"))
        output = next((one for _, one in outputs if one.get("OutputName") == declared.output), {})
        place = self.bucket_and_key(at(output, "S3Output", "S3Uri"))
        key = at(step.arguments, "ProcessingOutputConfig", "KmsKeyId")
        return ((place[0], f"{place[1].rstrip('/')}/{declared.path}") if place else None), key

    def repository(self, value: Any) -> str:
        """An image's repository, empty where it is in none of AWS's."""
        match = _IMAGE.fullmatch(self.text(value))
        return f"arn:{self.partition}:ecr:{match[2]}:{match[1]}:repository/{match[3]}" if match else ""

    def key(self, value: Any) -> str:
        """A key of KMS: IAM decides about keys, and an alias may be moved from one to another."""
        text = self.text(value)
        if text.startswith("arn:"):
            return text if ":alias/" not in text else f"{text.partition(':alias/')[0]}:key/*"
        return self.arn("kms", f"key/{'*' if text.startswith('alias/') else text}")

    def queue(self, value: Any) -> str:
        """A queue by its address."""
        match = _QUEUE.fullmatch(self.text(value))
        return f"arn:{self.partition}:sqs:{match[1]}:{match[2]}:{match[3]}" if match else ""

    def role(self, value: Any) -> str:
        """The name of the role at an ARN, empty where it is not known."""
        return role_name(self.text(value))

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in the definition's own account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def partition(self) -> str:
        """aws, aws-cn or aws-us-gov."""
        return self._home[0]

    @property
    def region(self) -> str:
        """The region, as far as the definition tells."""
        return self._home[1]

    @property
    def account(self) -> str:
        """The account, as far as the definition tells."""
        return self._home[2]

    @cached_property
    def _home(self) -> tuple[str, str, str]:
        found = [match for one in self._subject.texts if (match := _ARN.match(one.value))]
        queues = [match for one in self._subject.texts if (match := _QUEUE.fullmatch(one.value))]
        images = [match for one in self._subject.texts if (match := _IMAGE.fullmatch(one.value))]
        regions = [*(match[2] for match in (*found, *images)), *(match[1] for match in queues)]
        accounts = [*(match[3] for match in found), *(match[2] for match in queues)]
        regions = [one for one in regions if re.fullmatch(r"[a-z]{2}-[a-z-]+-\d", one)]
        region, account = (one[0] if one else "*" for one in (regions, accounts))
        return found[0][1] if found else "aws", region, account

    def _text(self, value: Any, hops: int) -> str:
        if is_expression(value):
            try:
                return self._of(parse(value), hops)
            except ExpressionError:
                return "*"
        return str(value) if isinstance(value, (str, int, float)) and value != "" else "*"

    def _of(self, expression: Value, hops: int) -> str:
        if isinstance(expression, Join):
            return expression.on.join(self._of(one, hops) for one in expression.values)
        if isinstance(expression, ParameterReference):
            parameter = self._subject.definition.parameters.get(expression.name)
            return self._text(parameter.default if parameter else None, hops)
        if isinstance(expression, StepReference):
            return self._of_step(expression, hops - 1) if hops else "*"
        return "*" if expression is None or not isinstance(expression, (str, int, float)) else str(expression)

    def _of_step(self, reference: StepReference, hops: int) -> str:
        """What a step answers is what it was asked for, wherever it was asked for it."""
        step = self._subject.definition.by_name().get(reference.step)
        if step is None:
            return "*"
        names = tuple(one.name for one in reference.path if isinstance(one, Member))
        if names == ("ModelArtifacts", "S3ModelArtifacts"):
            folder = self._text(at(step.arguments, "OutputDataConfig", "S3OutputPath"), hops)
            return f"{folder.rstrip('/')}/*/output/model.tar.gz"
        value: Any = step.arguments
        before: tuple[str, ...] = ()
        for segment in reference.path:
            value = _within(value, segment, before)
            before = (*before, segment.name) if isinstance(segment, Member) else before
        return self._text(value, hops)


def _within(value: Any, segment: Member | Item, before: tuple[str, ...]) -> Any:
    if isinstance(segment, Member):
        return value.get(segment.name) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        named = LISTS.get(before, "")
        return next(_matching(value, segment.key, named), None)
    return value.get(segment.key) if isinstance(value, Mapping) else None


def _matching(value: list[Any], key: Any, named: str) -> Iterator[Any]:
    if isinstance(key, int):
        yield from value[key : key + 1]
    yield from (one for one in value if isinstance(one, Mapping) and named and one.get(named) == key)
