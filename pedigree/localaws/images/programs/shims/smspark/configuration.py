"""The files that configure Spark: ours, and over them what a job's configuration.json says in the form of EMR."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from smspark.submit_arguments import SubmitError

_PROPERTIES = {"spark-defaults": "spark-defaults.conf", "spark-metrics": "metrics.properties"}
_XML = {"core-site": "core-site.xml", "hive-site": "hive-site.xml", "spark-hive-site": "hive-site.xml"}
_VARIABLES = ("spark-env",)
# Of programs that one host alone has no need of, and of logs in a form that Spark reads no more.
_NEEDLESS = (
    "hadoop-env",
    "hadoop-log4j",
    "hive-env",
    "hive-log4j",
    "hive-exec-log4j",
    "spark-log4j",
    "yarn-env",
    "yarn-site",
)
_KNOWN = (*_PROPERTIES, *_XML, *_VARIABLES, *_NEEDLESS)


def read(path: Path) -> list[Mapping[str, Any]]:
    """The classifications of a job's configuration, which are none if there is no file."""
    if not path.is_file():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    classifications = content if isinstance(content, list) else [content]
    for one in classifications:
        name = one.get("Classification") if isinstance(one, dict) else None
        if name not in _KNOWN:
            raise SubmitError(f"Invalid classification: {name}. Must be one of {list(_KNOWN)}")
        if name.endswith("-env") and not one.get("Configurations"):
            raise SubmitError(f"'env' classifications require a sub-configuration, and {name} has none")
    return classifications


def write(folder: Path, defaults: Mapping[str, str], classifications: list[Mapping[str, Any]]) -> None:
    """Write the files into a folder that Spark takes for its conf; the later classification wins."""
    files: dict[str, dict[str, str]] = {"spark-defaults.conf": dict(defaults)}
    for one in classifications:
        name = one["Classification"]
        if file := {**_PROPERTIES, **_XML}.get(name):
            files.setdefault(file, {}).update({key: str(value) for key, value in one.get("Properties", {}).items()})
    for file, properties in files.items():
        text = _xml(properties) if file.endswith(".xml") else _lines(properties, " " if file.endswith(".conf") else "=")
        (folder / file).write_text(text, encoding="utf-8")


def variables(classifications: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The environment variables that spark-env exports."""
    for one in classifications:
        if one["Classification"] in _VARIABLES:
            for inner in one["Configurations"]:
                if inner.get("Classification") != "export":
                    raise SubmitError("env classifications must use the 'export' sub-classification")
                yield from ((name, str(value)) for name, value in inner.get("Properties", {}).items())


def _lines(properties: Mapping[str, str], between: str) -> str:
    return "".join(f"{key}{between}{value}\n" for key, value in properties.items())


def _xml(properties: Mapping[str, str]) -> str:
    rows = (f"<property><name>{escape(k)}</name><value>{escape(v)}</value></property>\n" for k, v in properties.items())
    return f'<?xml version="1.0"?>\n<configuration>\n{"".join(rows)}</configuration>\n'
