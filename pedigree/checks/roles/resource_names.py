"""The names of resources as policies write them, read from requests; * stands for what only an execution knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pedigree.checks.roles.permission import role_name
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
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
from pedigree.language.pointers import at, entries

_MOST_HOPS = 20
_OBJECT = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)
_IMAGE = re.compile(r"(\d{12}|\*)\.dkr\.ecr\.([a-z0-9*-]+)\.[^/]+/([^:@]+).*")
_QUEUE = re.compile(r"https://sqs\.([a-z0-9*-]+)\.[^/]+/(\d{12}|\*)/(.+)")
_ARN = re.compile(r"arn:([a-z-]+):[a-z0-9-]+:([a-z0-9-]*):(\d{12}):")


class ResourceNames:
    """The names in one definition."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def text(self, value: Any) -> str:
        """A value as a pattern: parameters at their defaults, * for the parts that only an execution knows."""
        return re.sub(r"\*+", "*", self._text(value, _MOST_HOPS))

    def bucket_and_key(self, value: Any) -> tuple[str, str] | None:
        """The parts of an S3 address; None if the bucket is unknown, or if it is not an S3 address."""
        match = _OBJECT.fullmatch(self.text(value))
        return (match[1], match[2]) if match and match[1] != "*" else None

    def property_file(self, reference: JsonGet) -> tuple[tuple[str, str] | None, Any]:
        """The bucket and key of the property file that a JsonGet reads, and the KMS key that it is written with."""
        step = self._subject.definition.by_name().get(reference.step)
        files = {file.name: file for file in step.property_files} if step else {}
        if step is None or reference.property_file not in files:
            return None, None
        file = files[reference.property_file]
        outputs = entries(at(step.arguments, "ProcessingOutputConfig", "Outputs"))
        output = next((output for _, output in outputs if output.get("OutputName") == file.output), {})
        folder = self.bucket_and_key(at(output, "S3Output", "S3Uri"))
        kms_key = at(step.arguments, "ProcessingOutputConfig", "KmsKeyId")
        return ((folder[0], f"{folder[1].rstrip('/')}/{file.path}") if folder else None), kms_key

    def repository(self, value: Any) -> str:
        """The ARN of an image's repository, empty if the image is not in ECR."""
        match = _IMAGE.fullmatch(self.text(value))
        return f"arn:{self.partition}:ecr:{match[2]}:{match[1]}:repository/{match[3]}" if match else ""

    def kms_key(self, value: Any) -> str:
        """The ARN of a KMS key. IAM decides about keys, and an alias may move from one key to another."""
        text = self.text(value)
        if text.startswith("arn:"):
            return text if ":alias/" not in text else f"{text.partition(':alias/')[0]}:key/*"
        return self.arn("kms", f"key/{'*' if text.startswith('alias/') else text}")

    def queue(self, value: Any) -> str:
        """The ARN of the queue at a URL, empty if the text is not such a URL."""
        match = _QUEUE.fullmatch(self.text(value))
        return f"arn:{self.partition}:sqs:{match[1]}:{match[2]}:{match[3]}" if match else ""

    def role(self, value: Any) -> str:
        """The name of the role with an ARN, empty where it is not known."""
        return role_name(self.text(value))

    def function(self, step: Step) -> str:
        """The name of the function that a Lambda step calls, empty for other steps."""
        arn = self.text(step.document.get("FunctionArn")) if step.type == "Lambda" else ""
        return arn.partition(":function:")[2].partition(":")[0]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in the definition's own account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def partition(self) -> str:
        """aws, aws-cn or aws-us-gov."""
        return self._home[0]

    @property
    def region(self) -> str:
        return self._home[1]

    @property
    def account(self) -> str:
        return self._home[2]

    @cached_property
    def _home(self) -> tuple[str, str, str]:
        """Partition, region and account, from the first texts that have them; * where none has."""
        texts = [text.value for text in self._subject.texts]
        arns = [match for text in texts if (match := _ARN.match(text))]
        queues = [match for text in texts if (match := _QUEUE.fullmatch(text))]
        images = [match for text in texts if (match := _IMAGE.fullmatch(text))]
        regions = [*(match[2] for match in (*arns, *images)), *(match[1] for match in queues)]
        accounts = [*(match[3] for match in arns), *(match[2] for match in queues)]
        regions = [region for region in regions if re.fullmatch(r"[a-z]{2}-[a-z-]+-\d", region)]
        return arns[0][1] if arns else "aws", regions[0] if regions else "*", accounts[0] if accounts else "*"

    def _text(self, value: Any, hops: int) -> str:
        if is_expression(value):
            try:
                return self._expression(parse(value), hops)
            except ExpressionError:
                return "*"
        return str(value) if isinstance(value, (str, int, float)) and value != "" else "*"

    def _expression(self, expression: Value, hops: int) -> str:
        if isinstance(expression, Join):
            return expression.on.join(self._expression(part, hops) for part in expression.values)
        if isinstance(expression, ParameterReference):
            parameter = self._subject.definition.parameters.get(expression.name)
            return self._text(parameter.default if parameter else None, hops)
        if isinstance(expression, StepReference):
            return self._step_value(expression, hops - 1) if hops else "*"
        return "*" if expression is None or not isinstance(expression, (str, int, float)) else str(expression)

    def _step_value(self, reference: StepReference, hops: int) -> str:
        """The value of a step, which most answers repeat from the request."""
        step = self._subject.definition.by_name().get(reference.step)
        if step is None:
            return "*"
        names = tuple(segment.name for segment in reference.path if isinstance(segment, Member))
        if names == ("ModelArtifacts", "S3ModelArtifacts"):
            folder = self._text(at(step.arguments, "OutputDataConfig", "S3OutputPath"), hops)
            return f"{folder.rstrip('/')}/*/output/model.tar.gz"
        value: Any = step.arguments
        before: tuple[str, ...] = ()
        for segment in reference.path:
            value = _enter(value, segment, before)
            before = (*before, segment.name) if isinstance(segment, Member) else before
        return self._text(value, hops)


def _enter(value: Any, segment: Member | Item, before: tuple[str, ...]) -> Any:
    if isinstance(segment, Member):
        return value.get(segment.name) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        named = LISTS.get(before, "")
        return next(_matching(value, segment.key, named), None)
    return value.get(segment.key) if isinstance(value, Mapping) else None


def _matching(value: list[Any], key: Any, named: str) -> Iterator[Any]:
    if isinstance(key, int):
        yield from value[key : key + 1]
    yield from (entry for entry in value if isinstance(entry, Mapping) and named and entry.get(named) == key)
