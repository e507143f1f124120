"""The expected texts, reviewed as diffs: `make golden` rewrites them, a test holds them against what is made today."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from diagram.mermaid import mermaid
from diagram.picture import picture
from diagram.svg import svg
from language.definition import parse
from pipeline.document import render
from pipeline.settings import Settings
from tests.definitions import CODE, configure

FOLDER = Path(__file__).parent
DOCS = FOLDER.parent.parent / "docs"


def texts() -> Mapping[Path, str]:
    """Every expected text by its file."""
    drawn = picture(parse(render(Settings(), CODE)))
    return {
        FOLDER / "definition.json": render(Settings(), CODE),
        FOLDER / "definition-without-distributed.json": render(configure({"distributed.enabled": False}), CODE),
        DOCS / "pipeline.mmd": mermaid(drawn),
        DOCS / "pipeline.svg": svg(drawn, "pipeline"),
    }
