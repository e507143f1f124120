"""Starts a training script as AWS's training toolkit does: its source, its variables SM_*, its arguments.

    python script_mode.py            in a container whose /opt/ml is laid out, or with SAGEMAKER_BASE_DIR

What the script asks for in requirements.txt is installed first. A script that fails leaves its reason in
/opt/ml/output/failure, in the toolkit's words.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

# Hyperparameters that are no arguments of the script; a search adds the second one.
_OWN = ("sagemaker_", "_tuning_objective_metric")
_ERROR_LINES = 40
# What AWS's images have and no index has.
_SHIMS = str(Path(__file__).with_name("shims"))


class ScriptModeError(Exception):
    """The script cannot be started."""


def main() -> int:
    """Run the script, and return its exit code."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        hyperparameters = {name: _decoded(value) for name, value in _config(base, "hyperparameters").items()}
        hyperparameters = {**_from_image(), **hyperparameters}
        program = str(hyperparameters.get("sagemaker_program", ""))
        code = _source(base, str(hyperparameters.get("sagemaker_submit_directory", "")), program)
        arguments = list(command_arguments(hyperparameters))
        variables = {**os.environ, **training_variables(base, hyperparameters, arguments, code)}
        folders = (str(code), variables.get("PYTHONPATH"), _SHIMS)
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        _install(code, variables)
        command = [*_launcher(base, hyperparameters), *_interpreter(code, program), *arguments]
    except (OSError, ValueError, ScriptModeError, tarfile.TarError) as error:
        return _failed(base, "ClientError", 1, str(error), "")
    sys.stdout.write(f"Invoking script with the following command:\n\n{shlex.join(command)}\n\n\n")
    sys.stdout.flush()
    exit_code, errors = _run(command, code, variables)
    if exit_code:
        return _failed(base, "ExecuteUserScriptError", exit_code, errors, shlex.join(command))
    (base / "output" / "success").write_text("", encoding="utf-8")
    return 0


def _from_image() -> Mapping[str, Any]:
    """What the image itself says of its script, as hyperparameters: those of the job come first."""
    names = ("sagemaker_program", "sagemaker_submit_directory")
    return {name: os.environ[name.upper()] for name in names if name.upper() in os.environ}


def command_arguments(hyperparameters: Mapping[str, Any]) -> Iterator[str]:
    """The script's arguments: all hyperparameters but the toolkit's own, by name."""
    for name, value in sorted(hyperparameters.items()):
        if name.startswith(_OWN):
            continue
        yield f"-{name}" if len(name) == 1 else f"--{name}"
        yield "" if value is None else json.dumps(value) if isinstance(value, dict | list) else str(value)


def training_variables(
    base: Path, hyperparameters: Mapping[str, Any], arguments: Sequence[str], code: Path
) -> Mapping[str, str]:
    """The variables SM_* of a training script."""
    resources, channels = _config(base, "resourceconfig"), _config(base, "inputdataconfig")
    own = {name: value for name, value in hyperparameters.items() if not name.startswith(_OWN)}
    program = str(hyperparameters.get("sagemaker_program", ""))
    data, output = base / "input" / "data", base / "output"
    values: dict[str, Any] = {
        "hosts": resources.get("hosts", []),
        "current_host": resources.get("current_host", ""),
        "network_interface_name": resources.get("network_interface_name", "lo"),
        "current_instance_type": resources.get("current_instance_type", "local"),
        "current_instance_group": resources.get("current_group_name", "homogeneousCluster"),
        "num_gpus": 0,
        "num_cpus": os.cpu_count() or 1,
        "num_neurons": 0,
        "log_level": hyperparameters.get("sagemaker_container_log_level", 20),
        "module_name": Path(program).stem,
        "module_dir": hyperparameters.get("sagemaker_submit_directory", str(code)),
        "user_entry_point": program,
        "input_dir": str(base / "input"),
        "input_config_dir": str(base / "input" / "config"),
        "output_dir": str(output),
        "output_data_dir": str(output / "data"),
        "output_intermediate_dir": str(output / "intermediate"),
        "model_dir": str(base / "model"),
        "channels": sorted(channels),
        "resource_config": resources,
        "input_data_config": channels,
        "user_args": list(arguments),
        "hps": own,
        "framework_params": {name: value for name, value in hyperparameters.items() if name.startswith(_OWN)},
        **{f"channel_{name}": str(data / name) for name in channels},
        **{f"hp_{name}": value for name, value in own.items()},
    }
    environment = {name: value for name, value in values.items() if not name.startswith(("channel_", "hp_"))}
    environment["channel_input_dirs"] = {name: str(data / name) for name in channels}
    environment["hyperparameters"] = own
    texts = {f"SM_{name.upper()}": _text(value) for name, value in values.items()}
    return {**texts, "SM_TRAINING_ENV": json.dumps(environment)}


def _config(base: Path, name: str) -> Mapping[str, Any]:
    path = base / "input" / "config" / f"{name}.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not isinstance(content, dict):
        raise ScriptModeError(f"{path} is no object")
    return content


def _decoded(value: Any) -> Any:
    """A hyperparameter as the SDK wrote it: JSON, or a plain text."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _source(base: Path, address: str, program: str) -> Path:
    """The folder with the script; its archive is in the container, or was fetched to where the local AWS puts it."""
    code = base / "code"
    local = Path(address) if address and "://" not in address else None
    if local is not None and local.is_dir():
        code = local
    fetched = base / "input" / "source" / address.rpartition("/")[2]
    archive = local if local is not None and local.is_file() else fetched
    if archive.is_file():
        with tarfile.open(archive) as packed:
            packed.extractall(code, filter="data")
    if not program or not (code / program).is_file():
        raise ScriptModeError(f"{program or 'sagemaker_program'} is not in {address or code}")
    return code


def _install(code: Path, variables: Mapping[str, str]) -> None:
    required = code / "requirements.txt"
    if not required.is_file():
        return
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", str(required)]
    sys.stdout.write(f"Installing module with the following command:\n{shlex.join(command)}\n")
    sys.stdout.flush()
    done = subprocess.run(command, cwd=code, env=dict(variables), check=False)  # noqa: S603  # pip
    if done.returncode:
        raise ScriptModeError(f"pip install -r requirements.txt ended with {done.returncode}; the log says why")


def _interpreter(code: Path, program: str) -> Sequence[str]:
    if program.endswith(".sh"):
        # As the toolkit does: the SDK's own script that repacks models arrives without this right.
        (code / program).chmod(0o777)
        return "/bin/sh", "-c", f'"{code / program}" "$@"', program
    return (sys.executable, program) if program.endswith(".py") else (sys.executable, "-m", program)


def _launcher(base: Path, hyperparameters: Mapping[str, Any]) -> Sequence[str]:
    """torch's own launcher, where the job asks for it; it takes the place of this Python's name."""
    if not hyperparameters.get("sagemaker_torch_distributed_enabled"):
        return ()
    resources = _config(base, "resourceconfig")
    hosts = resources["hosts"]
    rank = str(hosts.index(resources["current_host"]))
    nodes = ("--nnodes", str(len(hosts)), "--nproc_per_node", "1", "--node_rank", rank)
    return (
        *(sys.executable, "-m", "torch.distributed.run", "--no-python", *nodes),
        *("--master_addr", hosts[0]),  # the port is in the variable PET_MASTER_PORT
    )


def _run(command: Sequence[str], code: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Run the script; its exit code, and the last lines that it wrote about errors."""
    with subprocess.Popen(command, cwd=code, env=dict(variables), stderr=subprocess.PIPE, text=True) as started:  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_: started.terminate())
        assert started.stderr is not None
        last: deque[str] = deque(maxlen=_ERROR_LINES)
        reader = threading.Thread(target=_pass_on, args=(started.stderr, last))
        reader.start()
        exit_code = started.wait()
        reader.join()
    return exit_code, "".join(last).strip()


def _pass_on(lines: IO[str], last: deque[str]) -> None:
    for line in lines:
        sys.stderr.write(line)
        sys.stderr.flush()
        last.append(line)


def _failed(base: Path, kind: str, exit_code: int, message: str, command: str) -> int:
    """Leave the reason of a failure where the service looks for it."""
    text = f'{kind}:\nExitCode {exit_code}\nErrorMessage "{message}"'
    text += f'\nCommand "{command}"' if command else ""
    sys.stderr.write(f"{text}\n")
    (base / "output").mkdir(parents=True, exist_ok=True)
    (base / "output" / "failure").write_text(text, encoding="utf-8")
    return exit_code if exit_code > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
