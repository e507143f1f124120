"""Requests in the forms that AWS's image takes, as the JSON of TensorFlow Serving's REST API."""

from __future__ import annotations

import json
import re

JSON, JSON_LINES, JSONS, CSV = "application/json", "application/jsonlines", "application/jsons", "text/csv"
_SERVING = re.compile(r'"(instances|inputs|examples)"\s*:')
_SEVERAL = re.compile(r"[}\]]\s*[\[{]")
_ROWS = re.compile(r"^\s*\[\s*\[")
_NUMBER = re.compile(r'^\s*("|[\d.Ee+\-]+.*)')


class ServingRequestError(Exception):
    """A request that cannot be answered, with the status that says so; its words are a document."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(json.dumps({"error": message}))
        self.status_code = status_code


def serving_document(body: str, content_type: str) -> str:
    """The document that TensorFlow Serving gets for a request."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == CSV:
        return _of_csv(body)
    if kind not in (JSON, JSON_LINES, JSONS):
        raise ServingRequestError(415, f"Unsupported Media Type: {content_type or 'Unknown'}")
    if _SEVERAL.search(body):
        lines = _lines(body)
        return _document(lines[0] if len(lines) == 1 else f"[{','.join(lines)}]")
    if _SERVING.search(body):
        return body
    return _document(body if _ROWS.search(body) else f"[{body}]")


def _of_csv(body: str) -> str:
    is_text = not _NUMBER.search(body)
    rows = ",".join(_row(line, is_text=is_text) for line in _lines(body))
    return _document(f"[{rows}]")


def _row(line: str, *, is_text: bool) -> str:
    cells = ",".join(map(json.dumps, line.split(","))) if is_text else line
    return f"[{cells}]" if "," in line else cells


def _lines(body: str) -> list[str]:
    return [line for line in map(str.strip, body.strip().splitlines()) if line]


def _document(instances: str) -> str:
    return f'{{"instances":{instances}}}'
