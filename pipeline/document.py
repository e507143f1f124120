"""The definition as a document: as SageMaker gets it, and as text."""

from __future__ import annotations

import json
import warnings
from typing import Any

from pipeline.definition import pipeline
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive


def document(settings: Settings, archive: SourceArchive) -> dict[str, Any]:
    """The definition as SageMaker accepts it, without the members that the SDK leaves empty."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Lambda function won't be updated")
        definition: dict[str, Any] = json.loads(pipeline(settings, archive).definition())
    return {name: value for name, value in definition.items() if value is not None}


def render(settings: Settings, archive: SourceArchive) -> str:
    """The definition as text to read, to review and to upsert."""
    return json.dumps(document(settings, archive), indent=2, ensure_ascii=False) + "\n"
