"""The command line of smspark-submit: its options, and the lists of files that spark-submit gets from them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

_LISTS = ("jars", "py_files", "files")


class SubmitError(ValueError):
    """What smspark-submit refuses."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors have the words of AWS's program."""

    def error(self, message: str) -> NoReturn:
        raise SubmitError(message)


@dataclass(frozen=True)
class SubmitArguments:
    """What is submitted: a script or a jar with its arguments, files by the name of spark-submit's option, events."""

    app: str
    app_arguments: tuple[str, ...]
    main_class: str
    lists: dict[str, tuple[str, ...]]
    events_folder: str
    events_address: str
    is_verbose: bool

    @classmethod
    def parse(cls, words: Sequence[str]) -> SubmitArguments:
        """Read a command line; SubmitError says what is wrong with it."""
        parser = _Parser(prog="smspark-submit", allow_abbrev=False, add_help=False)
        for name in ("class", *_LISTS, "spark_event_logs_s3_uri", "local_spark_event_logs_dir"):
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, default="")
        parser.add_argument("-v", "--verbose", action="store_true")
        parser.add_argument("rest", nargs=argparse.REMAINDER)
        given = vars(parser.parse_args(list(words)))
        app, *arguments = given["rest"] or [""]
        if not app or app.startswith("-"):
            raise SubmitError(f"no such option: {app}" if app else "missing parameter: app")
        return cls(
            app=app,
            app_arguments=tuple(arguments),
            main_class=given["class"],
            lists={name: tuple(_expanded(given[name])) for name in _LISTS if given[name]},
            events_folder=given["local_spark_event_logs_dir"],
            events_address=given["spark_event_logs_s3_uri"],
            is_verbose=given["verbose"],
        )

    def command(self, program: Path, master: str) -> list[str]:
        """The command line of spark-submit."""
        options = [
            word for name, paths in self.lists.items() for word in (f"--{name.replace('_', '-')}", ",".join(paths))
        ]
        named = ["--class", self.main_class] if self.main_class else []
        verbose = ["--verbose"] if self.is_verbose else []
        return [str(program), "--master", master, *verbose, *named, *options, self.app, *self.app_arguments]


def _expanded(paths: str) -> Iterator[str]:
    """The files of a list of paths; a folder stands for its files, an address in S3 for itself."""
    for path in paths.split(","):
        parts = urlsplit(path)
        if parts.scheme in ("s3", "s3a"):
            yield path
            continue
        file = Path(parts.path if parts.scheme == "file" else path)
        if not file.is_absolute():
            raise SubmitError(f"file path {file} must be an absolute path to a file or directory")
        if not file.exists():
            raise SubmitError(f"file path {file} does not exist")
        files = sorted(str(one) for one in file.iterdir() if one.is_file()) if file.is_dir() else [str(file)]
        if not files:
            raise SubmitError(f"Found zero files in {file}")
        yield from files
