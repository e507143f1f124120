"""Expected texts, reviewed as diffs: `make golden` writes them, and a test compares them with what the code produces.

definition.json and the pictures come from settings.toml, so that a change of settings shows what AWS will receive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from pedigree.checks.manual import MARK, markdown
from pedigree.diagram.mermaid import mermaid
from pedigree.diagram.picture import Picture, picture
from pedigree.diagram.svg import svg
from pedigree.language.definition import parse
from pipeline.document import render
from pipeline.settings.loading import load
from tests.golden import house
from tests.golden.settings_reference import reference
from tests.support import effects
from tests.support.definitions import CODE, configure

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
DOCS = ROOT / "docs"
EFFECTS = FOLDER / "effects.txt"


@cache
def _definition() -> str:
    return render(load(str(ROOT / "settings.toml")), CODE)


@cache
def _picture() -> Picture:
    return picture(parse(_definition()))


def _checks() -> str:
    written = (DOCS / "checks.md").read_text(encoding="utf-8")
    return written.partition(MARK)[0] + markdown()


TEXTS: Mapping[Path, Callable[[], str]] = {
    FOLDER / "definition.json": _definition,
    FOLDER / "definition-without-distributed.json": lambda: render(configure({"distributed.enabled": False}), CODE),
    EFFECTS: effects.report,
    DOCS / "architecture.md": house.page,
    DOCS / "checks.md": _checks,
    DOCS / "house.svg": house.house,
    DOCS / "localaws.svg": house.local_aws,
    DOCS / "pipeline.mmd": lambda: mermaid(_picture()),
    DOCS / "pipeline.svg": lambda: svg(_picture(), "pipeline"),
    DOCS / "settings.toml": reference,
}
