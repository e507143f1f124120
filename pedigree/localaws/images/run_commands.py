"""What a RUN instruction does, as far as it can be followed: packages of pip, folders, and rights of files.

What installs programs of the system is skipped, and said: a job sees the programs of this machine. Other commands are
no part of the simple form, since nothing is executed while a Dockerfile is read.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_SYSTEM = (
    *(
        "apt",
        "apt-get",
        "apt-key",
        "add-apt-repository",
        "dpkg",
        "yum",
        "dnf",
        "microdnf",
        "apk",
        "amazon-linux-extras",
    ),
    *("ldconfig", "update-ca-certificates", "update-alternatives", "locale-gen", "chown"),
    *("useradd", "adduser", "groupadd", "addgroup", "usermod"),
)
_HARMLESS = (
    *("rm", "echo", "set", "export", "true", ":", "ls", "pwd", "which", "cat", "env", "test", "[", "touch"),
    *("printf", "exit", "sync"),
)
_LINKED = re.compile(r"(?:^|/)(?:python|pip)[\d.]*$|^/dev/std(?:out|err)$")
_PYTHON = re.compile(r"(?:.*/)?python[\d.]*$")
_PIP = re.compile(r"(?:.*/)?pip[\d.]*$")
_REDIRECTION = re.compile(r"\s\d*>{1,2}\s*(?:&\d+|[^\s&|;]+)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MOUNT = re.compile(r"^(?:--(?:mount|network|security)=\S+\s+)+")
_OPERATORS = set("();|&")
_BETWEEN = ("&&", ";", "||", "&")
_PIP_SCRIPT = "get-pip.py"
_OTHER_PIP = ("list", "freeze", "check", "cache", "config", "show", "debug", "uninstall")
# Options of `pip install` with a value: those that its files of packages have, too, and those that change nothing here.
_KEPT = ("--find-links", "--index-url", "--extra-index-url", "--trusted-host")
_SHORT = {
    "-f": "--find-links",
    "-i": "--index-url",
    "-r": "--requirement",
    "-c": "--constraint",
    "-t": "--target",
    "-e": "--editable",
}
_VALUED = (
    *("--timeout", "--retries", "--default-timeout", "--progress-bar", "--cache-dir", "--log", "--root-user-action"),
    *("--src", "--upgrade-strategy", "--only-binary", "--no-binary", "--platform", "--python-version", "--prefix"),
    *("--target", "--root", "--global-option", "--python", "--use-feature", "--use-deprecated", "--proxy", "--cert"),
)
_IGNORED = ("pip", "setuptools", "wheel", "uv")


class RunError(Exception):
    """A command that is not followed; name is its program, if that is known."""

    def __init__(self, problem: str, name: str = "") -> None:
        super().__init__(problem)
        self.name = name


@dataclass
class RunEffects:
    """What the commands of a RUN do, in the order in which they are written."""

    packages: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    executables: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def effects(text: str, folder: str, is_skipped: Sequence[re.Pattern[str]] = ()) -> RunEffects:
    """What the commands of a RUN instruction do, from a working folder; RunError names one that is not followed.

    Files of packages, folders and executables are absolute paths in the image.
    """
    found = RunEffects()
    for words in _commands(_MOUNT.sub("", text)):
        if any(pattern.fullmatch(f"RUN {' '.join(words)}") for pattern in is_skipped):
            found.skipped.append(" ".join(words))
        elif words[0] == "cd":
            folder = posixpath.normpath(posixpath.join(folder, words[1] if len(words) > 1 else "/root"))
        else:
            _follow(words, folder, found)
    return found


def _commands(text: str) -> Iterator[list[str]]:
    """The simple commands of a line of shell, as words."""
    lexer = shlex.shlex(_REDIRECTION.sub("", text), posix=True, punctuation_chars="();|&")
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        for word in (*lexer, ";"):
            if word in _BETWEEN:
                yield from _without_prefix(words)
                words = []
            elif set(word) <= _OPERATORS or "`" in word or "$(" in word:
                raise RunError("commands inside of commands and pipes are not followed")
            else:
                words.append(word)
    except ValueError as error:
        raise RunError(f"its quotes cannot be read ({error})") from None


def _without_prefix(words: Sequence[str]) -> Iterator[list[str]]:
    """A command without sudo and without variables in front."""
    start = 0
    while start < len(words) and (words[start] == "sudo" or _ASSIGNMENT.match(words[start])):
        start += 1
    if words[start:]:
        yield list(words[start:])


def _follow(words: list[str], folder: str, found: RunEffects) -> None:
    name = posixpath.basename(words[0])
    install = _pip_install(words)
    if install is not None:
        _install(install, folder, found)
    elif name in ("mkdir", "chmod"):
        paths = [word for word in words[1:] if not word.startswith("-")]
        wanted = paths if name == "mkdir" else paths[1:] if _makes_executable(paths) else []
        targets = found.folders if name == "mkdir" else found.executables
        targets += [posixpath.normpath(posixpath.join(folder, path)) for path in wanted]
    elif name == "ln":
        if not any(_LINKED.search(word) for word in words[1:]):
            raise RunError("a link is not followed", name)
    elif name in _SYSTEM:
        found.skipped.append(" ".join(words))
    elif name not in _HARMLESS and not _only_asks(words) and not _gets_pip(words):
        raise RunError(f"{name} is not followed", name)


def _makes_executable(words: Sequence[str]) -> bool:
    mode = words[0] if words else ""
    return bool(re.fullmatch(r"[ugoa]*\+[rwX]*x[rwX]*|0?[0-7]*[1357][0-7]*", mode))


def _only_asks(words: Sequence[str]) -> bool:
    """Whether a command of Python or pip changes nothing that matters here."""
    if _PIP.match(words[0]):
        return len(words) < 2 or words[1] in (*_OTHER_PIP, "--version", "-V")
    return bool(_PYTHON.match(words[0])) and words[1:] in (["--version"], ["-V"])


def _gets_pip(words: Sequence[str]) -> bool:
    """Whether a command downloads or runs the script that installs pip, which every environment has."""
    return any(posixpath.basename(word) == _PIP_SCRIPT for word in words[1:])


def _pip_install(words: list[str]) -> list[str] | None:
    """What follows `pip install`, in any of its spellings; None for another command."""
    rest = words[1:]
    if _PYTHON.match(words[0]) and words[1:3] == ["-m", "pip"]:
        rest = words[3:]
    elif words[:2] == ["uv", "pip"]:
        rest = words[2:]
    elif not _PIP.match(words[0]):
        return None
    before = [word for word in rest if not word.startswith("-")]
    if before[:1] != ["install"]:
        return None
    place = rest.index("install")
    return rest[:place] + rest[place + 1 :]


def _install(words: list[str], folder: str, found: RunEffects) -> None:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            _add_package(word, found)
            continue
        name, has_value, value = word.partition("=")
        if name[:2] in _SHORT and not name.startswith("--"):
            value = name[2:] or value
            name, has_value = _SHORT[name[:2]], "=" if value else ""
        if name in (*_KEPT, "--requirement", "--constraint", "--editable", *_VALUED) and not has_value:
            value = rest.pop(0) if rest else ""
        if name == "--requirement":
            found.requirements.append(posixpath.normpath(posixpath.join(folder, value)))
        elif name in ("--editable", "--constraint"):
            raise RunError(f"pip install {name} is not followed")
        elif name in _KEPT:
            found.packages.append(f"{name} {value}")


def _add_package(word: str, found: RunEffects) -> None:
    is_address = "://" in word
    if not is_address and (word.startswith((".", "/")) or word.endswith((".whl", ".tar.gz", ".zip", ".txt"))):
        raise RunError(f"pip install {word} is not followed, since that is no name of a package")
    if re.split(r"[\[=<>~!@ ]", word, maxsplit=1)[0].lower() not in _IGNORED:
        found.packages.append(word)
