"""Other local orchestrators: each is installed in its own environment, and timed as its users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pedigree.localaws.kernel.processes import end_group

_HERE = Path(__file__).parent / "orchestrators"
_INSTALL_SECONDS = 600
_GRACE_SECONDS = 10
_LONGEST_REASON = 200


class ToolError(Exception):
    """A tool that cannot be installed or fails; the text gives the reason."""


@dataclass(frozen=True)
class Tool:
    """An orchestrator: what pip installs, its environment variables, and the files in its folder."""

    name: str
    packages: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


# Telemetry of a tool is switched off, and all its files stay below its folder.
TOOLS = (
    Tool("luigi", ["luigi"]),
    Tool("metaflow", ["metaflow"], {"METAFLOW_USER": "benchmark"}),
    Tool("dagster", ["dagster"], {"DAGSTER_HOME": "{home}"}, {"dagster.yaml": "telemetry:\n  enabled: false\n"}),
    Tool(
        "prefect",
        ["prefect", "fastapi"],
        {"PREFECT_HOME": "{home}", "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
    ),
)


@dataclass(frozen=True)
class Installed:
    """A tool installed in a folder."""

    tool: Tool
    folder: Path

    @property
    def version(self) -> str:
        """The installed version."""
        code = f"import importlib.metadata as told; print(told.version({self.tool.name!r}))"
        return subprocess.check_output([self.python, "-c", code], text=True).strip()

    @property
    def python(self) -> str:
        """The Python of its environment."""
        return str(self.folder / "bin" / "python")

    def seconds(self, shape: str, count: int, limit: float) -> float:
        """Returns the seconds of a shape as a command; raises ToolError if it fails or exceeds the limit."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        for name, content in self.tool.files.items():
            (home / name).write_text(content, encoding="utf-8")
        own = {name: value.format(home=home) for name, value in self.tool.environment.items()}
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8", **own}
        command = [self.python, str(_HERE / f"with_{self.tool.name}.py"), shape, str(count)]
        with (self.folder / "output").open("w+") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=home, env=environment, stdout=output, stderr=output, start_new_session=True
            )
            code = _ended(process, limit)
            passed = time.perf_counter() - began
            if code is None:
                raise ToolError(f"over {limit:.0f} s")
            if code:
                output.seek(0)
                raise ToolError(_reason(output.read()))
        return passed


def install(tool: Tool, folder: Path) -> Installed:
    """Installs a tool in its own environment, in the versions of constraints.txt."""
    options = ["--quiet", "--disable-pip-version-check", "--constraint", str(_HERE / "constraints.txt")]
    try:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", *options, *tool.packages])
    except subprocess.TimeoutExpired:
        raise ToolError(f"not installed in {_INSTALL_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        raise ToolError(_reason(error.stderr)) from None
    return Installed(tool, folder)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)


def _ended(process: subprocess.Popen[bytes], limit: float) -> int | None:
    """Returns the exit code of a process, or None after its time-out; no child of it continues to run."""
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its children, with SIGTERM first and then SIGKILL."""
    end_group(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    end_group(process.pid, signal.SIGKILL)
    process.wait()


def _reason(output: str) -> str:
    """Returns the last line of output that states the error."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    error_lines = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
    return error_lines[-1][:_LONGEST_REASON]
