"""What SageMaker gives a container: its files in /opt/ml/input/config, and variables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


def _root() -> Path:
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def _read(name: str) -> dict[str, Any]:
    path = _root() / "input/config" / name
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return read


def read_hyperparameters() -> dict[str, Any]:
    """The hyperparameters; a text that is JSON is what it says."""
    return {name: _value(text) for name, text in _read("hyperparameters.json").items()}


def _value(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def read_resource_config() -> dict[str, Any]:
    """The hosts."""
    return _read("resourceconfig.json")


def read_input_data_config() -> dict[str, Any]:
    """The channels."""
    return _read("inputdataconfig.json")


class _Mapping:
    """Members are also items: env["hosts"] and dict(env) work."""

    def __getitem__(self, name: str) -> Any:
        return asdict(self)[name]  # type: ignore[call-overload]  # each subclass is a dataclass

    def keys(self) -> list[str]:
        """The names of the members."""
        return list(asdict(self))  # type: ignore[call-overload]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(asdict(self).items())  # type: ignore[call-overload]


def _program() -> str | None:
    return os.environ.get("SAGEMAKER_PROGRAM") or read_hyperparameters().get("sagemaker_program")


def _module_name() -> str | None:
    program = _program()
    return program.removesuffix(".py") if program else None


@dataclass(frozen=True)
class TrainingEnv(_Mapping):
    """A training container."""

    hosts: list[str]
    current_host: str
    hyperparameters: dict[str, Any]
    input_data_config: dict[str, Any]
    resource_config: dict[str, Any]
    channel_input_dirs: dict[str, str]
    model_dir: str
    output_dir: str
    output_data_dir: str
    input_dir: str
    input_config_dir: str
    job_name: str | None
    module_name: str | None
    user_entry_point: str | None
    network_interface_name: str
    num_gpus: int = field(default_factory=lambda: int(os.environ.get("SM_NUM_GPUS", "0")))
    num_cpus: int = field(default_factory=lambda: int(os.environ.get("SM_NUM_CPUS", str(os.cpu_count() or 1))))
    log_level: int = 20

    @classmethod
    def read(cls) -> TrainingEnv:
        """The environment as the container's files say it."""
        root, resources, channels = _root(), read_resource_config(), read_input_data_config()
        host = resources.get("current_host", "algo-1")
        return cls(
            hosts=resources.get("hosts", [host]),
            current_host=host,
            hyperparameters=read_hyperparameters(),
            input_data_config=channels,
            resource_config=resources,
            channel_input_dirs={name: str(root / "input/data" / name) for name in channels},
            model_dir=os.environ.get("SM_MODEL_DIR", str(root / "model")),
            output_dir=str(root / "output"),
            output_data_dir=os.environ.get("SM_OUTPUT_DATA_DIR", str(root / "output/data")),
            input_dir=str(root / "input"),
            input_config_dir=str(root / "input/config"),
            job_name=os.environ.get("TRAINING_JOB_NAME"),
            module_name=_module_name(),
            user_entry_point=_program(),
            network_interface_name=resources.get("network_interface_name", "eth0"),
        )

    @property
    def is_master(self) -> bool:
        """Whether this host leads the others."""
        return self.current_host == self.master_hostname

    @property
    def master_hostname(self) -> str:
        """The host that leads."""
        return sorted(self.hosts)[0]


@dataclass(frozen=True)
class ServingEnv(_Mapping):
    """A container with a model."""

    model_dir: str = field(default_factory=lambda: os.environ.get("SM_MODEL_DIR", str(_root() / "model")))
    module_name: str | None = field(default_factory=_module_name)
    user_entry_point: str | None = field(default_factory=_program)
    default_accept: str = field(
        default_factory=lambda: os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    )
    current_host: str = field(default_factory=lambda: os.environ.get("SM_CURRENT_HOST", "algo-1"))
    log_level: int = 20
