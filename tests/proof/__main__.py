"""Go through the proof, and write docs/permissions.md."""

from __future__ import annotations

import sys

from tests.proof.everything import PAGE, proven_permissions
from tests.proof.table import page

PAGE.write_text(page(proven_permissions()), encoding="utf-8")
sys.stdout.write(f"{PAGE}\n")
