"""The access key of the account: made at random for each folder, and stored where only its user can read it.

Whoever has it may do everything, which includes running programs as the daemon's user. So it is not in the daemon's
arguments, nor in the environment of any process that the daemon starts.
"""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path

from pedigree.localaws.kernel.errors import LocalAwsError
from pedigree.localaws.kernel.state_folder import write_private

_PREFIX, _ID_LENGTH = "AKIALOCAL", 20
_ID_CHARACTERS = string.ascii_uppercase + "234567"
_SECRET_BYTES = 30


@dataclass(frozen=True)
class AccessKey:
    """An access key of the account's root."""

    id: str
    secret: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The variables from which AWS clients read it."""
        return {"AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret}


WELL_KNOWN = AccessKey("local", "local")
"""Accepted only where the user has asked for it: anybody on the machine knows it."""


class AccessKeyError(LocalAwsError):
    """A file with a key that cannot be read."""


def key_path(folder: Path) -> Path:
    """The file of a folder's key."""
    return folder / "access-key.json"


def find_key(folder: Path) -> AccessKey | None:
    """The key of a folder, if it has one."""
    path = key_path(folder)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return AccessKey(document["AccessKeyId"], document["SecretAccessKey"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise AccessKeyError(f"{path} has no access key", "delete the file, and a new key is made") from None


def folder_key(folder: Path) -> AccessKey:
    """The key of a folder; a new one if it has none."""
    key = find_key(folder)
    if key is None:
        key = AccessKey(_new_id(), secrets.token_urlsafe(_SECRET_BYTES))
        write_key(folder, key)
    return key


def write_key(folder: Path, key: AccessKey) -> None:
    """Store a key, as a whole or not at all."""
    document = {"AccessKeyId": key.id, "SecretAccessKey": key.secret}
    write_private(key_path(folder), json.dumps(document).encode())


def _new_id() -> str:
    return _PREFIX + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH - len(_PREFIX)))
