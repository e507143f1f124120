"""What can go wrong in a script for a reason that a user can mend: one line with cause and remedy.

ScriptError        everything below
├─ UsageError      flags that ask for what cannot be
├─ DataError       images, archives or a data set that cannot be used
│  └─ GivenUpError   a download that broke off too often, and may be gone on with
├─ ModelError      a model, or weights, that cannot be built or read
├─ WriteError      a folder that cannot be written to
└─ LostError       other processes of a training that are gone
"""

from __future__ import annotations


class ScriptError(Exception):
    """A script cannot do its work; the message is for the user."""


class UsageError(ScriptError):
    """Flags that ask for what cannot be."""


class DataError(ScriptError):
    """Images, archives or a data set that cannot be used."""


class GivenUpError(DataError):
    """A download that broke off too often; what came of it is of use to the next run."""


class ModelError(ScriptError):
    """A model, or weights, that cannot be built or read."""


class WriteError(ScriptError):
    """A folder that cannot be written to, or whose disk has no room."""


class LostError(ScriptError):
    """Other processes of a training that are gone, or have never come."""
