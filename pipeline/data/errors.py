"""The errors of a user's own pictures."""

from __future__ import annotations

from pedigree.errors import Mistake


class DataSetError(Mistake):
    """A folder, a zip or an address that cannot become a data set."""
