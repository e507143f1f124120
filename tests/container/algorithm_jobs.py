"""Jobs and model servers of the built-in algorithms: the programs, as processes."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import algorithm_serving
import algorithm_training
import numpy as np

from sagemaker_algorithms.recordio import ProtobufRecord, Tensor, read_records, write_records

SECONDS = 120
RECORDS = "application/x-recordio-protobuf"
_SERVER = Path(__file__).parents[2] / "pedigree/localaws/services/sagemaker/endpoints/model_server.py"
_METRIC = re.compile(r"#quality_metric: host=algo-1, (\S+ \S+ <\w+>)=(\S+)")


@dataclass(frozen=True)
class Ended:
    """What a job came to."""

    code: int
    logged: str

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics in the log, for example of `test msd <loss>`."""
        return {name: float(value) for name, value in _METRIC.findall(self.logged)}


@dataclass(frozen=True)
class Job:
    """One training job, in a folder that stands for /opt/ml."""

    root: Path
    algorithm: str

    @property
    def failure(self) -> str:
        return (self.root / "output/failure").read_text()

    def write(self, channel: str, content: bytes | str, name: str = "part-0") -> None:
        """Put a file into a channel."""
        folder = self.root / "input/data" / channel
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(
        self,
        hyperparameters: Mapping[str, Any],
        content_type: str = "",
        channels: Mapping[str, Mapping[str, str]] | None = None,
        **resources: Any,
    ) -> Ended:
        """Run the program to its end; the channels are those that have files, and channels says more of them."""
        channel = {"TrainingInputMode": "File", **({"ContentType": content_type} if content_type else {})}
        config = {
            "hyperparameters": {name: str(value) for name, value in hyperparameters.items()},
            "inputdataconfig": {
                path.name: {**channel, **(channels or {}).get(path.name, {})}
                for path in (self.root / "input/data").iterdir()
            },
            "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"], **resources},
        }
        folder = self.root / "input/config"
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in config.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        environment = {**self.variables, "SAGEMAKER_BASE_DIR": str(self.root)}
        command = [sys.executable, algorithm_training.__file__]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
        return Ended(done.returncode, done.stderr)

    @property
    def variables(self) -> dict[str, str]:
        return {**os.environ, "SAGEMAKER_ALGORITHM": self.algorithm, "OMP_NUM_THREADS": "1"}

    @contextmanager
    def served(self) -> Iterator[Server]:
        """A model server of what the job has written."""
        command = [sys.executable, str(_SERVER), str(self.root / "model"), algorithm_serving.__file__]
        with subprocess.Popen(command, env=self.variables, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            connection = http.client.HTTPConnection("127.0.0.1", json.loads(process.stdout.readline())["port"])
            yield Server(connection)
            connection.close()
            process.terminate()


@dataclass(frozen=True)
class Server:
    """A connection to a model server."""

    connection: http.client.HTTPConnection

    def answer(self, body: bytes | str, content_type: str, accept: str = "") -> tuple[int, str, bytes]:
        """The status, type and content of an answer."""
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        self.connection.request("POST", "/invocations", body, headers)
        response = self.connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()

    def of_all_types(self, features: Any) -> list[list[dict[str, Any]]]:
        """The rows of the answers to the same request in each type, with answers in each type that has names."""
        answers = []
        for content_type, body in requests(features).items():
            status, kind, content = self.answer(body, content_type)
            assert (status, kind) == (200, "application/json"), content
            answers.append(next(iter(json.loads(content).values())))
        _, kind, content = self.answer(body_of_csv(features), "text/csv", "application/jsonlines")
        answers.append([json.loads(line) for line in content.splitlines()])
        _, kind, content = self.answer(records(features), RECORDS, RECORDS)
        assert kind == RECORDS
        answers.append(
            [{name: _plain(tensor.values) for name, tensor in record.label.items()} for record in read_records(content)]
        )
        return answers


def _plain(values: Any) -> Any:
    return values.tolist() if len(values) != 1 else values.item()


def requests(features: Any) -> dict[str, bytes | str]:
    """The same rows in all content types."""
    rows = features.tolist()
    dense = {"data": {"features": {"values": rows[0]}}}
    places = {"keys": list(range(len(rows[1]))), "shape": [len(rows[1])], "values": rows[1]}
    sparse = {"data": {"features": places}}
    instances = [dense, sparse, *({"features": row} for row in rows[2:])]
    return {
        "text/csv": body_of_csv(features),
        "text/csv; label_size=0": body_of_csv(features),
        RECORDS: records(features),
        "application/json": json.dumps({"instances": instances}),
        "application/jsonlines": "\n".join(map(json.dumps, instances)),
    }


def records(features: Any, labels: Any = None) -> bytes:
    """Rows as the SDK's record_set() writes them."""
    return write_records(
        ProtobufRecord(
            {"values": Tensor(row)}, {} if labels is None else {"values": Tensor(np.atleast_1d(labels[number]))}
        )
        for number, row in enumerate(features)
    )


def body_of_csv(*columns: Any) -> str:
    """Rows of CSV without a header."""
    return "\n".join(",".join(repr(float(value)) for value in row) for row in np.column_stack(columns)) + "\n"


def drawn(rows: int, columns: int, seed: int) -> Any:
    """Rows of numbers that 32 bits hold, around three places and with variances of their own."""
    generator = np.random.default_rng(seed)
    places = np.arange(3)[generator.integers(3, size=rows)][:, None] * np.linspace(4, 8, columns)
    return (
        (places + generator.normal(size=(rows, columns)) * np.linspace(0.5, 2, columns))
        .astype(np.float32)
        .astype(float)
    )
