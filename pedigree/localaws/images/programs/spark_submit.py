"""smspark-submit of SageMaker's Spark images: runs spark-submit of pip's pyspark, on one host with all of its cores.

python spark_submit.py [--py-files PATHS] [--jars PATHS] [--files PATHS] [--class NAME] APP [ARGUMENTS]

SAGEMAKER_BASE_DIR stands for /opt/ml. A path may be a folder of files, or an object in S3.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_SHIMS = str(Path(__file__).with_name("shims"))
sys.path[:1] = [_SHIMS]  # where Python has put this script's own folder

from smspark import configuration  # noqa: E402
from smspark.s3_folders import S3Folders  # noqa: E402
from smspark.submit_arguments import SubmitArguments, SubmitError  # noqa: E402
from smspark.webhdfs import serving  # noqa: E402

_MASTER = "local[*]"
_ADDRESS = re.compile(r"\bs3[an]?://([a-z0-9][a-z0-9.-]+)")
_LEAST_MEGABYTES = 1024
_LOG = logging.getLogger("smspark-submit")


def main() -> int:
    """Submit, and return Spark's exit code."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    root = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        submitted = SubmitArguments.parse(sys.argv[1:])
        if not _is_first_host(root):
            _LOG.info("the first instance does all the work on the local AWS")
            return 0
        if not shutil.which("java", path=_java_path()):
            raise SubmitError("Spark needs Java, and there is none here: install it where the system has its programs")
        with tempfile.TemporaryDirectory() as folder, serving(S3Folders(boto3.client("s3"))) as gateway:
            return _run(submitted, root, Path(folder), gateway.settings(_buckets(root)))
    except SubmitError as error:
        sys.stderr.write(f"ValueError: {error}\n")
        return 1


def _run(submitted: SubmitArguments, root: Path, folder: Path, settings: Mapping[str, str]) -> int:
    events = Path(submitted.events_folder or folder / "events")
    has_events = bool(submitted.events_folder or submitted.events_address)
    conf = folder / "conf"
    for made in (conf, folder / "files", *([events] if has_events else [])):
        made.mkdir(parents=True, exist_ok=True)
    classifications = configuration.read(root / "processing/input/conf/configuration.json")
    defaults = {**_defaults(folder, events if has_events else None), **settings}
    configuration.write(conf, defaults, classifications)
    own = {"SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(folder)}
    python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    variables = {**os.environ, **own, **python, **dict(configuration.variables(classifications))}
    variables.pop("SPARK_HOME", None)
    command = _fetched(submitted, folder / "files").command(_spark_submit(), _MASTER)
    _LOG.info("running spark submit command: %s", " ".join(command))
    code = subprocess.run(command, env=variables, check=False).returncode  # noqa: S603  # pyspark's own
    if submitted.events_address:
        _publish(events, submitted.events_address)
    return code


def _defaults(folder: Path, events: Path | None) -> dict[str, str]:
    """Spark's settings if the job's own configuration has no others: half of the memory, for one."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    logged = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": events.as_uri()} if events else {}
    return {
        "spark.driver.memory": f"{max(megabytes // 2, _LEAST_MEGABYTES)}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        **logged,
    }


def _buckets(root: Path) -> Sequence[str]:
    """The buckets that a script may read: those of the account, and those that the job names."""
    described = root / "config/processingjobconfig.json"
    texts = [*sys.argv, *os.environ.values(), described.read_text(encoding="utf-8") if described.is_file() else ""]
    named = {bucket for text in texts for bucket in _ADDRESS.findall(text)}
    try:
        named |= {bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]}
    except (BotoCoreError, ClientError) as error:
        _LOG.info("only buckets that the job names can be read: %s", error)
    return sorted(named)


def _fetched(submitted: SubmitArguments, folder: Path) -> SubmitArguments:
    """The same with files in place of the addresses in S3, which Spark cannot read itself before it runs."""
    lists = {name: tuple(_local(path, folder) for path in paths) for name, paths in submitted.lists.items()}
    return replace(submitted, lists=lists, app=_local(submitted.app, folder))


def _local(path: str, folder: Path) -> str:
    parts = urlsplit(path)
    if parts.scheme not in ("s3", "s3a"):
        return path
    file = folder / Path(parts.path).name
    boto3.client("s3").download_file(parts.netloc, parts.path.lstrip("/"), str(file))
    return str(file)


def _publish(folder: Path, address: str) -> None:
    parts = urlsplit(address)
    for path in (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".crc")):
        key = f"{parts.path.strip('/')}/{path.relative_to(folder)}".lstrip("/")
        boto3.client("s3").upload_file(str(path), parts.netloc, key)


def _spark_submit() -> Path:
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise SubmitError("the environment of this image has no pyspark")
    return Path(found.origin).parent / "bin" / "spark-submit"


def _java_path() -> str:
    home = os.environ.get("JAVA_HOME")
    path = os.environ.get("PATH", os.defpath)
    return f"{home}/bin{os.pathsep}{path}" if home else path


def _is_first_host(root: Path) -> bool:
    path = root / "config/resourceconfig.json"
    cluster = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    hosts = sorted(cluster.get("hosts", [])) or [""]
    return cluster.get("current_host", hosts[0]) == hosts[0]


if __name__ == "__main__":
    sys.exit(main())
