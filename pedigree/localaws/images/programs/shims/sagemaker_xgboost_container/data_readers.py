"""Reads CSV, libsvm and parquet files, exactly rounded.

xgboost's own reader of text is a unit of the last place off in every twentieth number, so that a row which lies on a
split in training could fall to the other side when it is served.
"""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from sagemaker_algorithm_toolkit.exceptions import UserError

_SNIPPET = 50
_QUERY = re.compile(r"\bqid:(\d+)")


@dataclass(frozen=True)
class Rows:
    """Rows with labels; features may be sparse, and weights and the queries of a ranking may be absent."""

    features: Any
    labels: Any
    weights: Any = None
    queries: Any = None

    def weighted_by_second_column(self) -> Rows:
        """The rows with the first feature as their weights."""
        return replace(self, features=self.features[:, 1:], weights=self.features[:, 0])

    def dmatrix(self) -> xgboost.DMatrix:
        """The rows as the library takes them."""
        return xgboost.DMatrix(self.features, label=self.labels, weight=self.weights, qid=self.queries)


def delimiter_of(file: Path) -> str:
    """The delimiter of a CSV, from its first line."""
    with file.open(encoding="utf-8", errors="ignore") as lines:
        return delimiter_of_line(lines.readline())


def delimiter_of_line(line: str) -> str:
    """The delimiter of a line of a CSV."""
    try:
        found = csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:_SNIPPET]}:\n{error}") from error
    delimiter = "," if found.isalnum() else found
    logging.info("Determined delimiter of CSV input is '%s'", delimiter)
    return delimiter


def read_csv(files: Sequence[Path]) -> Rows:
    """Rows of numbers without a header; an empty field is a missing value."""
    delimiter = delimiter_of(files[0])
    return _first_column_is_label([_csv_table(file, delimiter) for file in files])


def _csv_table(file: Path, delimiter: str) -> Any:
    from pyarrow import csv as arrow
    from pyarrow import float64

    with file.open(encoding="utf-8") as lines:
        names = [str(number) for number, _ in enumerate(lines.readline().split(delimiter))]
    return arrow.read_csv(
        file,
        arrow.ReadOptions(column_names=names),
        arrow.ParseOptions(delimiter=delimiter),
        arrow.ConvertOptions(column_types=dict.fromkeys(names, float64())),
    )


def read_parquet(files: Sequence[Path]) -> Rows:
    """Rows of parquet files."""
    from pyarrow import parquet

    return _first_column_is_label([parquet.read_table(file) for file in files])


def _first_column_is_label(tables: Sequence[Any]) -> Rows:
    """The rows of all tables; what is null is missing."""
    rows = np.vstack([np.column_stack([column.to_numpy() for column in table.columns]) for table in tables])
    numbers = rows.astype(np.float32)
    return Rows(numbers[:, 1:], numbers[:, 0])


def check_libsvm(file: Path) -> None:
    """Refuse a file whose first line with features is not `label[:weight] index:value …`."""
    with file.open(encoding="utf-8", errors="ignore") as lines:
        for line in lines:
            head, *features = line.split() or ["0"]
            if not _is_label(head) or any(feature.count(":") != 1 for feature in features):
                raise UserError(
                    f"First line '{line[:_SNIPPET]}...' of file '{file.name}' is not 'LIBSVM' format. "
                    "Please ensure the file is in 'LIBSVM' format."
                )
            if len(features) > 1:
                return


def _is_label(word: str) -> bool:
    try:
        return len([float(part) for part in word.split(":")]) in (1, 2)
    except ValueError:
        return False


def read_libsvm(files: Sequence[Path]) -> Rows:
    """Rows of `label[:weight] [qid:query] index:value …`; a feature that is left out is a missing value."""
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    parts = [line.partition("#")[0].split(None, 1) for line in lines]
    heads = [part[0].partition(":") for part in parts if part]
    tails = [part[1] if len(part) > 1 else "" for part in parts if part]
    queries = [_QUERY.search(tail) for tail in tails]
    is_weighted = any(weight for _, _, weight in heads)
    return Rows(
        sparse([_QUERY.sub("", tail) for tail in tails]),
        np.array([float(label) for label, _, _ in heads], dtype=np.float32),
        np.array([float(weight or 1) for _, _, weight in heads], dtype=np.float32) if is_weighted else None,
        np.array([int(query[1]) if query else 0 for query in queries]) if any(queries) else None,
    )


def sparse(rows: Sequence[str]) -> Any:
    """A matrix of texts like `0:1.5 7:2`; indexes are columns as they stand."""
    import scipy.sparse

    numbers = np.array(" ".join(rows).replace(":", " ").split(), dtype=np.float64).reshape(-1, 2)
    columns = numbers[:, 0].astype(np.int64)
    starts = np.cumsum([0, *(row.count(":") for row in rows)])
    width = int(columns.max()) + 1 if columns.size else 0
    return scipy.sparse.csr_matrix((numbers[:, 1].astype(np.float32), columns, starts), shape=(len(rows), width))
