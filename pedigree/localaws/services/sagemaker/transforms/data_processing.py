"""What of a record the model is asked, and what of it and of the answer is kept: a transform job's DataProcessing.

Records are rows of CSV or JSON values; by what a job says of its content, one of the two forms reads and writes them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.services.sagemaker.transforms.jsonpath import compiled

EVERYTHING = "$"
_INPUT, _OUTPUT = "SageMakerInput", "SageMakerOutput"


class JoinError(ValueError):
    """Records that cannot be read, or answers that are not one for each record."""


@dataclass(frozen=True)
class Form:
    """How records are written, and what a record and its answer are together."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    join: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Processing:
    """What a job does with records besides asking the model."""

    form: Form
    input_filter: str = EVERYTHING
    output_filter: str = EVERYTHING
    is_joined: bool = False

    def asked(self, record: bytes) -> bytes:
        """What the model is asked of a record."""
        if self.input_filter == EVERYTHING:
            return record
        return self._written(compiled(self.input_filter)(self._read(record)))

    def kept(self, record: bytes, answer: bytes) -> bytes:
        """What is kept of a record and what the model said of it."""
        if not self.is_joined and self.output_filter == EVERYTHING:
            return answer
        told = self._read(answer)
        whole = self.form.join(self._read(record), told) if self.is_joined else told
        return self._written(compiled(self.output_filter)(whole))

    def answers(self, records: Sequence[bytes], answer: bytes) -> list[bytes]:
        """The answers to several records, which come as lines or as a JSON array."""
        if len(records) == 1:
            return [answer]
        lines = [line for line in answer.splitlines() if line.strip()]
        if len(lines) == 1 and self.form is JSON_FORM:
            whole = self._read(answer)
            lines = [self._written(one) for one in whole] if isinstance(whole, list) else lines
        if len(lines) != len(records):
            raise JoinError(f"the model gave {len(lines)} answers to {len(records)} records")
        return lines

    @property
    def is_by_row(self) -> bool:
        """Whether records are rows of CSV."""
        return self.form is CSV_FORM

    @property
    def is_idle(self) -> bool:
        """Whether records and answers pass as they are."""
        return (self.input_filter, self.output_filter, self.is_joined) == (EVERYTHING, EVERYTHING, False)

    def _read(self, content: bytes) -> Any:
        try:
            return self.form.read(content.decode())
        except ValueError as error:
            raise JoinError(f"a record cannot be read: {error}") from None

    def _written(self, value: Any) -> bytes:
        return self.form.write(value).encode()


def processing(asked: Mapping[str, Any], content_type: str) -> Processing:
    """What DataProcessing asks for of content of a type; ValueError if a path is none."""
    chosen = Processing(
        _FORMS.get(content_type.partition(";")[0].strip().lower(), JSON_FORM),
        asked.get("InputFilter") or EVERYTHING,
        asked.get("OutputFilter") or EVERYTHING,
        asked.get("JoinSource") == "Input",
    )
    for path in (chosen.input_filter, chosen.output_filter):
        compiled(path)
    return chosen


def _row(text: str) -> list[str]:
    return next(csv.reader(io.StringIO(text)), [])


def _row_text(value: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return buffer.getvalue()


def _members(record: Any, answer: Any) -> dict[str, Any]:
    """An object gets the answer as a member; anything else becomes a member beside it."""
    return {**(record if isinstance(record, dict) else {_INPUT: record}), _OUTPUT: answer}


JSON_FORM = Form(json.loads, json.dumps, _members)
CSV_FORM = Form(_row, _row_text, lambda record, answer: [*record, *answer])
_FORMS: Mapping[str, Form] = {"text/csv": CSV_FORM, "application/json": JSON_FORM, "application/jsonlines": JSON_FORM}
