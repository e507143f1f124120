"""Training data: content types, the files of a channel, and a DMatrix of them. Labels are the first column."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import xgboost

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_containers import _content_types
from sagemaker_xgboost_container import data_readers
from sagemaker_xgboost_container.constants import xgb_content_types

CSV = "csv"
LIBSVM = "libsvm"
PARQUET = "parquet"
RECORDIO_PROTOBUF = "recordio-protobuf"
MAX_FOLDER_DEPTH = 3
_KINDS = {
    CSV: (CSV, _content_types.CSV),
    LIBSVM: (LIBSVM, xgb_content_types.LIBSVM, xgb_content_types.X_LIBSVM),
    PARQUET: (PARQUET, xgb_content_types.X_PARQUET),
    RECORDIO_PROTOBUF: (RECORDIO_PROTOBUF, xgb_content_types.X_RECORDIO_PROTOBUF),
}
VALID_CONTENT_TYPES = [*_KINDS, *(name for names in _KINDS.values() for name in names[1:])]
VALID_PIPED_CONTENT_TYPES = [name for kind, names in _KINDS.items() if kind != LIBSVM for name in names]
NO_RECORDIO = (
    "the local AWS reads no recordio-protobuf; give the data as text/csv, text/libsvm or application/x-parquet"
)
_PIPED = (
    "Pipe mode for {} is no longer supported. Please use Fast File mode (default) instead. "
    "Set input_mode='File' in your SageMaker Estimator or TrainingInput."
)
_NO_LABELS = (
    "Got input data without labels. Please check the input data set. "
    "If training job is running on multiple instances, please switch "
    "to using single instance if number of records in the data set "
    "is less than number of workers (16 * number of instance) in the cluster."
)


def get_content_type(content_type: str | None) -> str:
    """One of the four kinds of data: `text/csv; label_size=1` is csv."""
    if content_type is None:
        return LIBSVM
    name, *parameters = [part.strip() for part in content_type.lower().split(";")]
    for kind, names in _KINDS.items():
        if name in names:
            if kind == CSV and any(part.startswith("label_size") and part != "label_size=1" for part in parameters):
                raise UserError(
                    f"{content_type} is not an accepted csv ContentType. "
                    "Optional parameter label_size must be equal to 1"
                )
            return kind
    raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(VALID_CONTENT_TYPES)}.")


def get_size(data_path: str | Path, is_pipe: bool = False) -> int:
    """The size of a channel's files in bytes; 1 for a pipe."""
    path = Path(data_path)
    if is_pipe and path.with_name(f"{path.name}_0").exists():
        return 1
    if path.is_file():
        return path.stat().st_size
    files = [file for file in path.rglob("*") if file.is_file()]
    if any(file.name.startswith(".") for file in files):
        raise UserError("Hidden file found in the data path! Remove that before training.")
    return sum(file.stat().st_size for file in files)


def data_files(data_path: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files with data of a channel, or of several, in the order of their names."""
    if not isinstance(data_path, (str, Path)):
        return [file for path in data_path for file in data_files(path)]
    path = Path(data_path)
    return [path] if path.is_file() else sorted(_below(path, 1))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if depth > MAX_FOLDER_DEPTH:
        logging.warning(
            "The depth of folder %s exceed the limit %s. Files in deeper sub dirs won't be loaded.",
            folder,
            MAX_FOLDER_DEPTH,
        )
        return
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir():
            yield from _below(path, depth + 1)
        elif not path.name.startswith((".", "_")) and path.stat().st_size:
            yield path


def validate_data_file_path(data_path: str | Path, content_type: str) -> None:
    """Look at the first line of each file: is it what the content type says?"""
    if not Path(data_path).exists():
        raise UserError(f"{data_path} is not a valid path!")
    kind = get_content_type(content_type)
    for file in data_files(data_path):
        if kind == CSV:
            data_readers.delimiter_of(file)
        elif kind == LIBSVM:
            data_readers.check_libsvm(file)


def get_dmatrix(
    data_path: str | Path | Sequence[str | Path], content_type: str, csv_weights: int = 0, is_pipe: bool = False
) -> xgboost.DMatrix | None:
    """The data of a file, a folder, or several of them; None if there is none.

    With csv_weights the second column of a CSV has the weights of the rows.
    """
    kind = get_content_type(content_type)
    if kind == RECORDIO_PROTOBUF:
        raise UserError(NO_RECORDIO)
    if is_pipe:
        names = {CSV: "CSV", PARQUET: "Parquet"}
        raise UserError(_PIPED.format(names[kind]) if kind in names else "Pipe mode not supported for LibSVM.")
    files = data_files(data_path)
    if not files:
        return None
    readers = {CSV: data_readers.read_csv, LIBSVM: data_readers.read_libsvm, PARQUET: data_readers.read_parquet}
    try:
        rows = readers[kind](files)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from error
    matrix = rows.weighted_by_second_column() if kind == CSV and csv_weights == 1 else rows
    if not matrix.labels.size:
        raise UserError(_NO_LABELS)
    return matrix.dmatrix()


def get_csv_dmatrix(path: str, csv_weights: int, is_pipe: bool = False) -> xgboost.DMatrix | None:
    """The data of CSV files."""
    return get_dmatrix(path, CSV, csv_weights, is_pipe)


def get_libsvm_dmatrix(files_path: str, is_pipe: bool = False) -> xgboost.DMatrix | None:
    """The data of libsvm files."""
    return get_dmatrix(files_path, LIBSVM, is_pipe=is_pipe)


def get_parquet_dmatrix(path: str, is_pipe: bool = False) -> xgboost.DMatrix | None:
    """The data of parquet files."""
    return get_dmatrix(path, PARQUET, is_pipe=is_pipe)


def check_data_redundancy(train_path: str | Path, validate_path: str | Path) -> None:
    """Warn of files that look the same in training and validation."""
    sizes = [
        {file.name: file.stat().st_size for file in Path(path).iterdir() if file.is_file()}
        for path in (train_path, validate_path)
    ]
    for name in sizes[0].keys() & sizes[1].keys():
        if sizes[0][name] == sizes[1][name]:
            logging.warning(
                "Suspected identical files found. (%s and %s with same size %s bytes). Note: Duplicate data in the "
                "training set and validation set is usually not intentional and can impair the validity of the model "
                "evaluation by the validation score.",
                Path(train_path, name),
                Path(validate_path, name),
                sizes[0][name],
            )
