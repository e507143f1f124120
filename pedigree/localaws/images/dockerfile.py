"""Follows a Dockerfile of the simple form: what it makes of its first image, without docker.

    FROM a known image; ARG, ENV, RUN pip install, COPY and ADD of files, WORKDIR, ENTRYPOINT, CMD

Whatever else an image needs is refused with its line, unless the recipe says that it shall be skipped.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pedigree.localaws.images import package_lists
from pedigree.localaws.images.build_context import BuildContext
from pedigree.localaws.images.dockerfile_text import (
    DockerfileError,
    Instruction,
    instructions,
    listed,
    raw_words,
    unquoted,
    with_values,
)
from pedigree.localaws.images.errors import RecipeError
from pedigree.localaws.images.run_commands import RunError, effects

_WITHOUT_EFFECT = ("LABEL", "EXPOSE", "USER", "MAINTAINER", "HEALTHCHECK", "STOPSIGNAL", "VOLUME", "SHELL")
# Folders that images have before anything is copied: a file that is copied to one of them lies in it.
_USUAL_FOLDERS = (
    *("/", "/bin", "/etc", "/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/bin", "/usr/local"),  # noqa: S108
    *("/usr/local/bin", "/usr/src", "/var", "/opt/ml", "/opt/ml/code", "/opt/ml/input", "/opt/ml/model"),
)
_SHELL = ("/bin/sh", "-c")
_PYTHON = re.compile(r"/(?:[\w.-]+/)*bin/(python|pip)[\d.]*")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_MOST_NESTED = 5
_ANY = "any"
_MOST_SHOWN = 120


@dataclass(frozen=True)
class CopiedFile:
    """A file of this machine, where the image has it, and whether the image makes it executable."""

    source: Path
    target: str
    is_executable: bool = False


@dataclass
class DockerImage:
    """What a Dockerfile makes: the image that it begins with, and all that it adds."""

    context: BuildContext
    arguments: Mapping[str, str]
    skip: Sequence[re.Pattern[str]] = ()
    base: str = ""
    packages: list[str] = field(default_factory=list)
    files: dict[str, CopiedFile] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    working_folder: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    build_variables: dict[str, str] = field(default_factory=dict)

    @property
    def values(self) -> Mapping[str, str]:
        """The values of variables so far; PATH stays a name, since a job's environment is in front of it."""
        return {"PATH": "${PATH}", **self.build_variables, **self.variables}

    def absolute(self, path: str) -> str:
        """A path of the image, as seen from the working folder."""
        return posixpath.normpath(posixpath.join(self.working_folder or "/", path))


def followed(
    text: str, context: BuildContext, arguments: Mapping[str, str] | None = None, skip: Sequence[str] = ()
) -> DockerImage:
    """What a Dockerfile makes; arguments are the values of its ARGs, skip has patterns of what is left out.

    DockerfileError names the first line that cannot be followed.
    """
    patterns = [re.compile(fnmatch.translate(pattern), re.DOTALL) for pattern in skip]
    image = DockerImage(context, dict(arguments or {}), patterns)
    for instruction in instructions(text):
        words = " ".join(f"{instruction.name} {instruction.text}".split())
        if any(pattern.fullmatch(words) for pattern in patterns):
            _note(image, instruction, words)
            continue
        if not image.base and instruction.name not in ("FROM", "ARG"):
            raise DockerfileError.at(instruction, "it comes before FROM", "begin with FROM and an image")
        _FOLLOW.get(instruction.name, _refuse)(image, instruction)
    if not image.base:
        raise DockerfileError("it has no FROM", "begin with FROM and an image")
    return image


def _note(image: DockerImage, instruction: Instruction, words: str) -> None:
    shown = words if len(words) <= _MOST_SHOWN else f"{words[:_MOST_SHOWN]}…"
    image.notes.append(f"line {instruction.line} of its Dockerfile is skipped: {shown}")


def _refuse(_image: DockerImage, instruction: Instruction) -> None:
    raise DockerfileError.at(instruction, f"{instruction.name} is not followed")


def _ignore(_image: DockerImage, _instruction: Instruction) -> None:
    """Some instructions change nothing that matters here."""


def _from(image: DockerImage, instruction: Instruction) -> None:
    if image.base:
        remedy = "describe the image by its packages, without the Dockerfile"
        raise DockerfileError.at(instruction, "only one FROM is followed", remedy)
    words = [word for word in instruction.text.split() if not word.startswith("--")]
    written = words[0] if words else ""
    registry, slash, rest = written.partition("/")
    given_later = _without_value(registry, image) if slash else []
    missing = _without_value(rest if slash else written, image)
    # Which registry an image is fetched from makes no difference here.
    base = with_values(written, {**dict.fromkeys(given_later, _ANY), **image.build_variables})
    if missing or not base:
        given = f'add arguments = {{ {missing[0] if missing else "NAME"} = "…" }} to the recipe'
        raise DockerfileError.at(instruction, "its image depends on an ARG without a value", given)
    image.base = base


def _without_value(text: str, image: DockerImage) -> list[str]:
    """The variables in a text that have neither a value nor another one in their place."""
    named = re.findall(r"\$(?:\{(\w+)\}|(\w+))", text)
    return [name for name in map("".join, named) if not image.build_variables.get(name)]


def _arg(image: DockerImage, instruction: Instruction) -> None:
    for word in raw_words(instruction.text):
        name, has_default, default = word.partition("=")
        if name in image.arguments:
            image.build_variables[name] = image.arguments[name]
        elif has_default:
            image.build_variables[name] = unquoted(default, image.values)


def _env(image: DockerImage, instruction: Instruction) -> None:
    words = raw_words(instruction.text)
    if words and "=" not in words[0]:  # the older form: one name, and the rest of the line is its value
        name, _, value = instruction.text.partition(" ")
        words = [f"{name}={value.strip()}"]
        if not value.strip():
            raise DockerfileError.at(instruction, "it has a name without a value", "write ENV NAME=value")
    before = dict(image.values)
    for word in words:
        name, _, value = word.partition("=")
        image.variables[unquoted(name, before)] = unquoted(value, before)


def _workdir(image: DockerImage, instruction: Instruction) -> None:
    image.working_folder = image.absolute(unquoted(instruction.text, image.values))
    image.folders.append(image.working_folder)


def _entrypoint(image: DockerImage, instruction: Instruction) -> None:
    image.entrypoint, image.command = _program(instruction), ()


def _cmd(image: DockerImage, instruction: Instruction) -> None:
    image.command = _program(instruction)


def _program(instruction: Instruction) -> tuple[str, ...]:
    """A command; a Python at its front is that of the image's environment, wherever the image had it."""
    words = listed(instruction.text)
    if words is None:
        return (*_SHELL, instruction.text) if instruction.text else ()
    match = _PYTHON.fullmatch(words[0]) if words else None
    return (match[1], *words[1:]) if match else words


def _run(image: DockerImage, instruction: Instruction) -> None:
    words = listed(instruction.text)
    text = shlex.join(words) if words else instruction.text
    try:
        found = effects(with_values(text, image.values), image.working_folder or "/", image.skip)
        image.packages += found.packages
        for path in found.requirements:
            image.packages += _requirements(image, path)
    except RunError as error:
        raise DockerfileError.at(instruction, str(error), _remedy(instruction, error)) from None
    image.folders += found.folders
    for path in found.executables:
        _make_executable(image, path)
    for command in found.skipped:
        _note(image, instruction, command)


def _remedy(instruction: Instruction, error: RunError) -> str:
    """What helps with a command: leave it out, and name the packages that it brings."""
    first = error.name or instruction.text.partition(" ")[0]
    return f'add skip = ["RUN {first}*"] to the recipe, and to its packages what the command installs'


def _requirements(image: DockerImage, path: str, depth: int = 0) -> list[str]:
    """The lines of a file of packages that was copied before, and of those that it names."""
    copied = image.files.get(path)
    if copied is None or depth > _MOST_NESTED:
        raise RunError(f"pip install -r {path} needs a file that no COPY above has brought")
    found: list[str] = []
    for line in package_lists.lines(image.context.text(copied.source)):
        option, _, value = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
        if option in ("-r", "--requirement"):
            found += _requirements(image, posixpath.normpath(posixpath.join(path, "..", value.strip())), depth + 1)
        elif option in ("-c", "--constraint", "-e", "--editable") or line.startswith((".", "/")):
            raise RunError(f"{line} in {path} is not followed")
        elif not line.startswith("--hash"):
            found.append(line.partition(" --hash=")[0].strip())
    return found


def _make_executable(image: DockerImage, path: str) -> None:
    for target, copied in image.files.items():
        if target == path or fnmatch.fnmatchcase(target, path):
            image.files[target] = CopiedFile(copied.source, target, is_executable=True)


def _copy(image: DockerImage, instruction: Instruction) -> None:
    words = listed(instruction.text)
    raw = [unquoted(word, image.values) for word in raw_words(instruction.text)] if words is None else list(words)
    flags = [word for word in raw if word.startswith("--")]
    *sources, target = [word for word in raw if not word.startswith("--")] or [""]
    refused = [flag for flag in flags if not flag.startswith(("--chown=", "--chmod=", "--link"))]
    if refused or not sources:
        problem = f"{refused[0].partition('=')[0]} is not followed" if refused else "it names no file and no target"
        raise DockerfileError.at(instruction, problem)
    is_executable = any(re.fullmatch(r"--chmod=(0?[0-7]*[1357][0-7]*|.*\+.*x.*)", flag) for flag in flags)
    for source in sources:
        if "://" in source or (instruction.name == "ADD" and source.endswith(_ARCHIVES)):
            remedy = "put the files beside the Dockerfile, and copy them"
            raise DockerfileError.at(instruction, f"{source} is not downloaded or unpacked", remedy)
        _copy_source(image, instruction, source, target, is_folder=len(sources) > 1, is_executable=is_executable)


def _copy_source(
    image: DockerImage, instruction: Instruction, source: str, target: str, *, is_folder: bool, is_executable: bool
) -> None:
    context, place = image.context, image.absolute(target)
    try:
        names = context.matching(source)
    except RecipeError as error:
        raise DockerfileError.at(instruction, error.cause, error.remedy) from None
    if not names:
        remedy = "make it, or name the folder that docker builds from with folder = …"
        raise DockerfileError.at(instruction, f"{source} is not in {context.folder}", remedy)
    is_folder = is_folder or len(names) > 1 or target.endswith(("/", "/.")) or target == "." or _is_folder(image, place)
    for name in names:
        if context.is_folder(name):
            image.folders.append(place)
            for file in context.files(name):
                _add(image, file, posixpath.join(place, posixpath.relpath(file, name)), is_executable=is_executable)
        else:
            inside = posixpath.join(place, posixpath.basename(name)) if is_folder else place
            _add(image, name, inside, is_executable=is_executable)


def _is_folder(image: DockerImage, place: str) -> bool:
    below = f"{place.rstrip('/')}/"
    known = (*_USUAL_FOLDERS, *image.folders)
    return place in known or any(other.startswith(below) for other in (*known, *image.files))


def _add(image: DockerImage, name: str, target: str, *, is_executable: bool) -> None:
    image.files[target] = CopiedFile(image.context.folder / name, target, is_executable)


_FOLLOW: Mapping[str, Callable[[DockerImage, Instruction], None]] = {
    **dict.fromkeys(_WITHOUT_EFFECT, _ignore),
    "FROM": _from,
    "ARG": _arg,
    "ENV": _env,
    "RUN": _run,
    "COPY": _copy,
    "ADD": _copy,
    "WORKDIR": _workdir,
    "ENTRYPOINT": _entrypoint,
    "CMD": _cmd,
}
