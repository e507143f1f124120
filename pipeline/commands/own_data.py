"""A user's own pictures for `pedigree run` and `pedigree start`: found, counted, packed and uploaded."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from entrypoints import contract
from pedigree.cli import files, printing
from pipeline.commands.context import with_account

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.cli.project import InputData
    from pipeline.data.inspection import Inspection
    from pipeline.data.packing import PicturesZip
    from pipeline.settings.tree import Settings

DataOption = Annotated[
    str,
    typer.Option("--data", metavar="WHERE", help="Your pictures: a folder with a folder per class, a zip, https, s3."),
]
SETTINGS_FILE = "settings.data.toml"
_LARGE_BYTES = 200_000_000


def is_address(where: str) -> bool:
    """Whether the pictures are not on this machine."""
    return "://" in where


@contextmanager
def inspected(where: str, folder: Path) -> Iterator[Inspection]:
    """What the pictures are; a download lies beside the folder until the block ends, or to be resumed."""
    from pipeline.data.errors import BrokenDownloadError, DataSetError
    from pipeline.data.inspection import inspect

    if not is_address(where):
        yield _reported(inspect(str(Path(where).expanduser())))
        return
    _check_protocol(where)
    # Beside the local AWS's folder, which --fresh removes; by address, so that the same command finds it again.
    downloads = folder.with_name(f"{folder.name}-download-{hashlib.sha256(where.encode()).hexdigest()[:16]}")
    downloads.mkdir(parents=True, exist_ok=True)
    is_kept = True
    try:
        inspection = inspect(where, downloads)
        is_kept = False
        yield _reported(inspection)
    except DataSetError as error:
        is_kept = isinstance(error, BrokenDownloadError)
        raise
    finally:
        if not is_kept:
            shutil.rmtree(downloads)


@contextmanager
def input_data(settings: Settings, where: str, account: Account) -> Iterator[InputData]:
    """The parameter for an execution: an address as it is, or that of the pictures' own package, to be uploaded."""
    from pedigree.cli.project import InputData
    from pipeline.account.data_set import DataSet, check_readable
    from steps.prepare_data import INPUT_PARAMETER

    settings = with_account(settings, account)
    if is_address(where):
        _check_protocol(where)
        check_readable(settings, account, where)
        yield InputData((f"{INPUT_PARAMETER}={where}",))
        return
    with inspected(where, Path()) as inspection:
        data_set = DataSet(settings, packed(inspection))
        yield InputData((f"{INPUT_PARAMETER}={data_set.uri}",), (data_set,))


def _check_protocol(where: str) -> None:
    from pipeline.data.errors import DataSetError

    if not where.startswith(("https://", "s3://")) and contract.CHECKSUM not in where:
        raise DataSetError(f"{where} cannot be used", "name a folder, a zip, an https:// or an s3:// address")


def _reported(inspection: Inspection) -> Inspection:
    for note in inspection.drop_notes():
        printing.remark(note)
    return inspection


def packed(inspection: Inspection) -> PicturesZip:
    """The package of the pictures, with a bar while many are read."""
    from pipeline.data.packing import pack, total_bytes

    total = total_bytes(inspection)
    is_hidden = total < _LARGE_BYTES or not sys.stderr.isatty()
    with typer.progressbar(length=total, label="reading the pictures", file=sys.stderr, hidden=is_hidden) as bar:
        return pack(inspection, bar.update)


def write_settings(inspection: Inspection, uri: str, folder: Path) -> Path:
    """Writes the settings that fit the pictures into a file, and says what was chosen."""
    from pipeline.data.fitting import fit
    from pipeline.data.settings_file import text

    fitted, path = fit(inspection), folder / SETTINGS_FILE
    for reason in fitted.reasons:
        printing.line(reason)
    files.write(text(fitted, uri), path)
    printing.line(f"settings: {path}")
    return path
