"""moto's state outlives the process with all that it holds."""

from __future__ import annotations

import weakref
from typing import Any

from pedigree.localaws.moto import snapshots


class Version:
    """What only a weak dictionary finds by its ARN."""

    def __init__(self, arn: str) -> None:
        self.arn = arn


def test_a_dictionary_of_weak_references_still_refers_to_what_is_saved() -> None:
    version = Version("arn:1")
    by_arn: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary({version.arn: version})
    restored = snapshots.restored(snapshots.taken({"versions": [version], "by_arn": by_arn}))
    (again,) = restored["versions"]
    assert restored["by_arn"]["arn:1"] is again


def test_a_dictionary_of_weak_references_keeps_nothing_alive() -> None:
    version = Version("arn:1")
    by_arn: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary({version.arn: version})
    restored = snapshots.restored(snapshots.taken({"versions": [version], "by_arn": by_arn}))
    restored.pop("versions")
    assert dict(restored["by_arn"]) == {}
