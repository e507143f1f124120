"""The errors of a user's own pictures.

DataSetError             a source that cannot become a data set
└─ BrokenDownloadError   a download that broke off; the same command resumes it
"""

from __future__ import annotations

from pedigree.errors import Mistake


class DataSetError(Mistake):
    """A folder, a zip or an address that cannot become a data set."""


class BrokenDownloadError(DataSetError):
    """A download that broke off."""
