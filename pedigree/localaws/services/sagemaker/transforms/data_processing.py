"""A transform job's DataProcessing: filters records before the model, joins them with its answers, filters the result.

Records are rows of CSV or JSON values, by the job's content type.
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
    """A record is not readable, or there is not one answer for each record."""


@dataclass(frozen=True)
class Form:
    """A format of records: how they are read, written, and joined with an answer."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    join: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class DataProcessing:
    """The filters and the join of a job."""

    form: Form
    input_filter: str = EVERYTHING
    output_filter: str = EVERYTHING
    is_joined: bool = False

    def model_input(self, record: bytes) -> bytes:
        """The part of a record that the model gets."""
        if self.input_filter == EVERYTHING:
            return record
        return self._written(compiled(self.input_filter)(self._read(record)))

    def result(self, record: bytes, answer: bytes) -> bytes:
        """The stored result of a record and its answer."""
        if not self.is_joined and self.output_filter == EVERYTHING:
            return answer
        value = self._read(answer)
        whole = self.form.join(self._read(record), value) if self.is_joined else value
        return self._written(compiled(self.output_filter)(whole))

    def answers(self, records: Sequence[bytes], answer: bytes) -> list[bytes]:
        """The single answers in the answer to several records: its lines, or the entries of a JSON array."""
        if len(records) == 1:
            return [answer]
        lines = [line for line in answer.splitlines() if line.strip()]
        if len(lines) == 1 and self.form is JSON_FORM:
            whole = self._read(answer)
            lines = [self._written(entry) for entry in whole] if isinstance(whole, list) else lines
        if len(lines) != len(records):
            raise JoinError(f"the model gave {len(lines)} answers to {len(records)} records")
        return lines

    @property
    def is_by_row(self) -> bool:
        return self.form is CSV_FORM

    @property
    def is_idle(self) -> bool:
        """Whether records and answers are not changed."""
        return (self.input_filter, self.output_filter, self.is_joined) == (EVERYTHING, EVERYTHING, False)

    def _read(self, content: bytes) -> Any:
        try:
            return self.form.read(content.decode())
        except ValueError as error:
            raise JoinError(f"a record cannot be read: {error}") from None

    def _written(self, value: Any) -> bytes:
        return self.form.write(value).encode()


def processing(config: Mapping[str, Any], content_type: str) -> DataProcessing:
    """Read a DataProcessing for a content type; ValueError if a path is not valid."""
    chosen = DataProcessing(
        _FORMS.get(content_type.partition(";")[0].strip().lower(), JSON_FORM),
        config.get("InputFilter") or EVERYTHING,
        config.get("OutputFilter") or EVERYTHING,
        config.get("JoinSource") == "Input",
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
    """Add the answer to an object as a member; any other value becomes a member beside it."""
    return {**(record if isinstance(record, dict) else {_INPUT: record}), _OUTPUT: answer}


JSON_FORM = Form(json.loads, json.dumps, _members)
CSV_FORM = Form(_row, _row_text, lambda record, answer: [*record, *answer])
_FORMS: Mapping[str, Form] = {"text/csv": CSV_FORM, "application/json": JSON_FORM, "application/jsonlines": JSON_FORM}
