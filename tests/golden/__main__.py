"""Writes the expected texts."""

from __future__ import annotations

import sys

from tests.golden import TEXTS

for path, text in TEXTS.items():
    path.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{path}\n")
