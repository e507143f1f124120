"""A function has AWS's paths, its own /tmp, and nothing of the daemon or the user."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from pedigree.localaws.daemon import LocalAws
from tests.support.lambda_functions import create_function, invoke
from tests.support.local_aws import client

PLACES = """
import os, pathlib
def handler(event, context):
    found = {"task": os.environ["LAMBDA_TASK_ROOT"], "cwd": os.getcwd(), "files": os.listdir("/var/task")}
    for name, path in event.items():
        try:
            pathlib.Path(path, "new").write_text("x")
            found[name] = "written"
        except OSError as error:
            found[name] = error.strerror
    return found
"""
READ = """
import pathlib
def handler(event, context):
    return [pathlib.Path(path).exists() for path in event["paths"]]
"""


def test_a_function_runs_in_var_task_and_writes_to_tmp_only(local: LocalAws) -> None:
    create_function(local.url, "places", PLACES)
    found = invoke(local.url, "places", {"code": "/var/task", "system": "/etc", "own": "/tmp"})["body"]
    assert found == {
        "task": "/var/task",
        "cwd": "/var/task",
        "files": ["module.py"],
        "code": "Read-only file system",
        "system": "Read-only file system",
        "own": "written",
    }
    assert not Path("/tmp/new").exists()


def test_a_function_sees_nothing_of_the_daemon_and_the_user(local: LocalAws) -> None:
    state = local.world.folder
    secrets = [str(path) for path in (state / "access-key.json", state / "state.sqlite", Path(__file__))]
    assert all(Path(path).exists() for path in secrets)
    create_function(local.url, "read", READ)
    assert invoke(local.url, "read", {"paths": [*secrets, "/opt", "/root"]})["body"] == [False] * 3 + [True] * 2


def test_a_layer_is_in_opt(local: LocalAws) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("python/of_a_layer.py", "VALUE = open('/opt/data').read()")
        archive.writestr("data", "from /opt")
    layer = client(local.url, "lambda").publish_layer_version(LayerName="l", Content={"ZipFile": content.getvalue()})
    code = "import of_a_layer\ndef handler(event, context): return of_a_layer.VALUE"
    create_function(local.url, "layered", code, Layers=[layer["LayerVersionArn"]])
    assert invoke(local.url, "layered")["body"] == "from /opt"
