"""The expected texts, reviewed as diffs: `make golden` rewrites them, a test holds them against what is made today.

definition.json and the pictures are of settings.toml, so that whoever changes it sees what AWS will get instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pedigree.checks.manual import MARK, markdown
from pedigree.diagram.mermaid import mermaid
from pedigree.diagram.picture import picture
from pedigree.diagram.svg import svg
from pedigree.language.definition import parse
from pipeline.document import render
from pipeline.settings.loading import load
from tests.support.definitions import CODE, configure

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
DOCS = ROOT / "docs"


def texts() -> Mapping[Path, str]:
    """Every expected text by its file."""
    definition = render(load(str(ROOT / "settings.toml")), CODE)
    drawn = picture(parse(definition))
    written = (DOCS / "checks.md").read_text(encoding="utf-8")
    return {
        FOLDER / "definition.json": definition,
        FOLDER / "definition-without-distributed.json": render(configure({"distributed.enabled": False}), CODE),
        DOCS / "checks.md": written.partition(MARK)[0] + markdown(),
        DOCS / "pipeline.mmd": mermaid(drawn),
        DOCS / "pipeline.svg": svg(drawn, "pipeline"),
    }
