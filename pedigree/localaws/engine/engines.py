"""Finds the container engines of this machine, calls them, and removes what an ended local AWS has left there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pedigree.localaws.engine import command_lines
from pedigree.localaws.engine.command_lines import AUTO, ENGINES, NONE, CommandLine
from pedigree.localaws.engine.errors import EngineError

_USED = "engines"
"""The file in a folder with the engines that its jobs have used: what they left is looked for there alone."""
_SECONDS = 60.0
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Engine:
    """An engine that answers: its program, the local AWS that uses it, and the environment of its program."""

    program: str
    folder: Path
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """What it is called."""
        return Path(self.program).name

    @property
    def owner(self) -> str:
        """What its containers are labelled with."""
        return str(self.folder.resolve())

    def fetch(self, image: str, on_line: Callable[[str], None]) -> None:
        """Pull an image unless it is on this machine; EngineError says why that failed."""
        if not self._fails(command_lines.inspect_image(self.program, image)):
            return
        on_line(f"{self.name} pulls {image} …")
        if reason := self._fails(command_lines.pull(self.program, image), seconds=None):
            remedy = f"see that `{self.name} pull {image}` works, or build it under this name"
            raise EngineError(f"the image {image} cannot be pulled: {reason}", remedy)

    def call(self, line: CommandLine) -> None:
        """Call the engine; EngineError if that fails."""
        if reason := self._fails(line):
            raise EngineError(f"{' '.join((self.name, *line[1:3]))} failed: {reason}", f"see that {self.name} works")

    def remove(self, names: Sequence[str]) -> None:
        """Kill and remove containers, if they are still there."""
        if names:
            self._fails(command_lines.remove(self.program, names))

    def clean(self) -> None:
        """Remove all containers and networks of this local AWS."""
        self.remove(self._listed(command_lines.containers_of(self.program, self.owner)))
        for network in self._listed(command_lines.networks_of(self.program, self.owner)):
            self._fails(command_lines.remove_network(self.program, network))

    def note_use(self) -> None:
        """Remember that this local AWS has used the engine."""
        path = self.folder / _USED
        known = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        if self.program not in known:
            path.write_text("\n".join((*filter(None, known), self.program)), encoding="utf-8")

    def _listed(self, line: CommandLine) -> list[str]:
        done = _done(line, self.environment, _SECONDS)
        return done.stdout.split() if done and not done.returncode else []

    def _fails(self, line: CommandLine, seconds: float | None = _SECONDS) -> str:
        """Why a call fails; empty if it does not."""
        done = _done(line, self.environment, seconds)
        if done is None:
            return f"it did not end in {seconds:.0f} seconds, or could not be started"
        said = [word.strip() for word in done.stderr.splitlines() if word.strip()]
        return (said or [f"it ended with {done.returncode}"])[-1][:_LONGEST_REASON] if done.returncode else ""


@dataclass(frozen=True)
class Engines:
    """The choice of a local AWS: an engine for all images, one for those that nothing stands for, or none."""

    choice: str = NONE
    folder: Path = Path()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def engine(self, setting: str, *, is_described: bool) -> Engine | None:
        """The engine of an image, by its own setting, which goes before the choice; None if its environment runs.

        EngineError if one is demanded that does not answer.
        """
        wanted = setting or self.choice
        if wanted == NONE or (wanted == AUTO and is_described and not setting):
            return None
        places = (self._program(name) for name in (ENGINES if wanted == AUTO else (wanted,)))
        found = next(filter(None, places), "")
        if not found and wanted != AUTO:
            cause = f"{wanted} is not on this machine, or does not answer"
            raise EngineError(cause, f"see that `{wanted} version` works, or start without it")
        return Engine(found, self.folder, self.environment) if found else None

    def _program(self, name: str) -> str:
        """The path of an engine's program; empty if it is not here, or does not answer."""
        program = shutil.which(name, path=self.environment.get("PATH"))
        try:
            return _answering(program) if program else ""
        except EngineError:
            return ""


def clean(folder: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Remove what a local AWS of a folder has left in engines, if it has used any."""
    path = folder / _USED
    for program in path.read_text(encoding="utf-8").split() if path.is_file() else ():
        Engine(program, folder, environment).clean()


@lru_cache(maxsize=len(ENGINES))
def _answering(program: str) -> str:
    """The program again, once it has answered; EngineError if it does not, and then it is asked again next time."""
    done = _done(command_lines.version(program), os.environ, _SECONDS)
    if done is None or done.returncode:
        raise EngineError(f"{program} does not answer")
    return program


def _done(
    line: CommandLine, environment: Mapping[str, str], seconds: float | None
) -> subprocess.CompletedProcess[str] | None:
    """The end of a call; None if it did not end, or could not begin."""
    try:
        return subprocess.run(  # noqa: S603  # the engine that the user has chosen
            line,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
