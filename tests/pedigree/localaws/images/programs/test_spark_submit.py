"""smspark-submit takes what AWS's takes, configures Spark, and lets it read and write S3 by Hadoop's own protocol.

pyspark is too large for these tests: a program in its place says how it was called, and does what a test wants.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER
from tests.support.local_aws import KEY, REGION, client

SPARK_SUBMIT = """
import http.client, json, os, pathlib, re, sys
files = {path.name: path.read_text() for path in pathlib.Path(os.environ["SPARK_CONF_DIR"]).iterdir()}
defaults = dict(line.split(" ", 1) for line in files["spark-defaults.conf"].splitlines())
paths = [path for word in sys.argv[1:] for path in word.split(",") if "/files/" in path]
fetched = {path: pathlib.Path(path).read_text() for path in paths}
seen = {"words": sys.argv[1:], "files": files, "defaults": defaults, "fetched": fetched, "variables": dict(os.environ)}

def ask(method, path, op, body=None, bucket="spark", root=None, **given):
    _, _, address, secret, _ = defaults["spark.hadoop.fs.viewfs.mounttable.spark.linkFallback"].split("/")
    connection = http.client.HTTPConnection(address)
    query = "&".join(f"{key}={value}" for key, value in {"op": op, **given}.items())
    query = re.sub("destination=/", f"destination=/{secret}/{bucket}/", query)
    url = f"/webhdfs/v1/{root or secret}/{bucket}/{path}?{query}"
    connection.request(method, url)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status == 307:
        connection.request(method, answer.headers["Location"], iter(body) if body else None, encode_chunked=True)
        answer = connection.getresponse()
        content = answer.read()
    return answer.status, json.loads(content) if content[:1] == b"{" else content.decode()

def names(path):
    return [status["pathSuffix"] for status in ask("GET", path, "LISTSTATUS")[1]["FileStatuses"]["FileStatus"]]

exec(os.environ.get("SPARK_DOES", ""))
pathlib.Path(os.environ["SEEN"]).write_text(json.dumps(seen))
sys.exit(int(os.environ.get("SPARK_CODE", "0")))
"""


@dataclass
class SparkJob:
    """A processing job, in a folder that stands for /opt/ml."""

    folder: Path
    url: str = "http://127.0.0.1:9"
    variables: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, text in (("bin/java", ""), ("pyspark/bin/spark-submit", f"#!{sys.executable}\n{SPARK_SUBMIT}")):
            path = self.folder / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
            path.chmod(0o755)
        (self.folder / "pyspark/__init__.py").write_text("")
        self.write("code/app.py")

    def write(self, name: str, content: str = "") -> str:
        """Write a file of the job's inputs, and return its path."""
        path = self.folder / "ml/processing/input" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return str(path)

    def run(self, *words: str, does: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the program to its end."""
        keys = {"AWS_ACCESS_KEY_ID": KEY.id, "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_DEFAULT_REGION": REGION}
        aws = {"AWS_ENDPOINT_URL": self.url, "AWS_MAX_ATTEMPTS": "1", **keys}
        own = {"SAGEMAKER_BASE_DIR": str(self.folder / "ml"), "PYTHONPATH": str(self.folder)}
        spark = {"SEEN": str(self.folder / "seen.json"), "SPARK_DOES": textwrap.dedent(does)}
        environment = {"PATH": f"{self.folder}/bin", **aws, **own, **spark, **self.variables, **variables}
        command = [sys.executable, str(PROGRAMS_FOLDER / "spark_submit.py"), *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if (self.folder / "seen.json").exists():
            self.seen = json.loads((self.folder / "seen.json").read_text())
        return done


@pytest.fixture
def job(tmp_path: Path) -> SparkJob:
    return SparkJob(tmp_path)


@pytest.fixture
def with_bucket(tmp_path: Path, url: str) -> Iterator[tuple[SparkJob, Any]]:
    """A job, and a client of the bucket `spark`, which is empty."""
    s3 = client(url, "s3")
    s3.create_bucket(Bucket="spark")
    yield SparkJob(tmp_path, url), s3
    for key in contents(s3):
        s3.delete_object(Bucket="spark", Key=key)
    s3.delete_bucket(Bucket="spark")


def contents(s3: Any) -> dict[str, str]:
    """All objects of the bucket."""
    keys = [document["Key"] for document in s3.list_objects_v2(Bucket="spark").get("Contents", [])]
    return {key: s3.get_object(Bucket="spark", Key=key)["Body"].read().decode() for key in keys}


def test_folders_are_lists_of_files_and_the_script_s_arguments_stay_as_they_are(job: SparkJob) -> None:
    app = job.write("code/app.py")
    modules = [job.write(f"py-files/{name}.py") for name in ("a", "b")]
    jar, note = job.write("jars/x.jar"), job.write("note.txt")
    folder = str(Path(modules[0]).parent)
    words = ("--py-files", folder, "--jars", jar, "--files", f"file://{note}", "-v", app, "--jars", "none", "-x")
    assert job.run(*words).returncode == 0
    assert job.seen["words"] == [
        *("--master", "local[*]", "--verbose", "--jars", jar, "--py-files", ",".join(modules), "--files", note),
        *(app, "--jars", "none", "-x"),
    ]
    assert job.seen["variables"]["PYSPARK_PYTHON"] == sys.executable


def test_a_jar_has_a_main_class(job: SparkJob) -> None:
    jar = job.write("code/app.jar")
    job.run("--class", "com.example.Main", jar, "1")
    assert job.seen["words"] == ["--master", "local[*]", "--class", "com.example.Main", jar, "1"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "missing parameter: app"),
        (("--conf", "a=b", "app.py"), "--conf"),
        (("--files", "note.txt", "app.py"), "file path note.txt must be an absolute path to a file or directory"),
        (("--files", "/nowhere/at/all", "app.py"), "file path /nowhere/at/all does not exist"),
        (("--jars",), "--jars"),
    ],
)
def test_a_command_line_that_aws_refuses_is_refused(job: SparkJob, words: tuple[str, ...], reason: str) -> None:
    done = job.run(*words)
    assert (done.returncode, job.seen) == (1, {})
    assert done.stderr.startswith("ValueError: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_without_files_is_refused(job: SparkJob) -> None:
    folder = Path(job.write("jars/inner/x.jar")).parent.parent
    assert job.run("--jars", str(folder), "app.py").stderr == f"ValueError: Found zero files in {folder}\n"


def test_without_java_nothing_starts(job: SparkJob) -> None:
    (job.folder / "bin/java").unlink()
    done = job.run("app.py")
    assert done.stderr.startswith("ValueError: Spark needs Java, and there is none here")
    (job.folder / "jdk/bin").mkdir(parents=True)
    (job.folder / "bin/java").touch(0o755)
    (job.folder / "bin/java").rename(job.folder / "jdk/bin/java")
    assert job.run("app.py", JAVA_HOME=str(job.folder / "jdk")).returncode == 0


def test_the_configuration_comes_over_the_usual_one(job: SparkJob) -> None:
    exported = {"Classification": "export", "Properties": {"MODE": "fast"}}
    configuration = [
        {"Classification": "spark-defaults", "Properties": {"spark.driver.memory": "3g", "spark.x": 1}},
        {"Classification": "core-site", "Properties": {"a.b": "x<y"}},
        {"Classification": "spark-metrics", "Properties": {"m": "1"}},
        {"Classification": "spark-env", "Properties": {}, "Configurations": [exported]},
        {"Classification": "yarn-site", "Properties": {"yarn.x": "1"}},
    ]
    job.write("conf/configuration.json", json.dumps(configuration))
    assert job.run("app.py").returncode == 0
    assert job.seen["defaults"]["spark.driver.memory"] == "3g"
    assert job.seen["defaults"]["spark.x"] == "1"
    assert job.seen["defaults"]["spark.ui.enabled"] == "false"
    assert set(job.seen["files"]) == {"spark-defaults.conf", "core-site.xml", "metrics.properties"}
    assert "<name>a.b</name><value>x&lt;y</value>" in job.seen["files"]["core-site.xml"]
    assert job.seen["files"]["metrics.properties"] == "m=1\n"
    assert job.seen["variables"]["MODE"] == "fast"


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"Classification": "spark", "Properties": {}}, "Invalid classification: spark. Must be one of"),
        ([1], "Invalid classification: None"),
        (
            {"Classification": "spark-env", "Properties": {"A": "1"}},
            "'env' classifications require a sub-configuration",
        ),
        (
            {"Classification": "spark-env", "Configurations": [{"Classification": "x", "Properties": {}}]},
            "env classifications must use the 'export' sub-classification",
        ),
    ],
)
def test_a_configuration_that_aws_refuses_is_refused(job: SparkJob, configuration: Any, reason: str) -> None:
    job.write("conf/configuration.json", json.dumps(configuration))
    done = job.run("app.py")
    assert (done.returncode, job.seen) == (1, {})
    assert reason in done.stderr


def test_the_exit_code_is_spark_s(job: SparkJob) -> None:
    assert job.run("app.py", SPARK_CODE="7").returncode == 7


def test_events_are_written_where_the_job_says(job: SparkJob) -> None:
    folder = job.folder / "ml/processing/spark-events"
    job.run("--local-spark-event-logs-dir", str(folder), "app.py")
    assert job.seen["defaults"]["spark.eventLog.dir"] == folder.as_uri()
    assert job.seen["defaults"]["spark.eventLog.enabled"] == "true"
    assert folder.is_dir()


def test_the_first_instance_does_all_the_work(job: SparkJob) -> None:
    config = job.folder / "ml/config/resourceconfig.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}))
    done = job.run("app.py")
    assert (done.returncode, job.seen) == (0, {})
    assert "the first instance does all the work" in done.stderr


def test_buckets_that_a_job_names_can_be_read_if_none_can_be_listed(job: SparkJob) -> None:
    done = job.run("app.py", "--input", "s3a://one/data", TARGET="s3://two")
    assert "only buckets that the job names can be read: " in done.stderr
    links = [name for name in job.seen["defaults"] if name.endswith(".linkFallback")]
    assert [name.split(".")[-2] for name in links] == ["one", "two"]


def test_what_lies_in_s3_is_fetched_and_events_are_published(with_bucket: tuple[SparkJob, Any]) -> None:
    job, s3 = with_bucket
    for key in ("app.py", "lib/x.jar"):
        s3.put_object(Bucket="spark", Key=key, Body=f"this is {key}")
    events = 'pathlib.Path(defaults["spark.eventLog.dir"].removeprefix("file://"), "app-1").write_text("event")'
    addresses = ("--jars", "s3a://spark/lib/x.jar", "--spark-event-logs-s3-uri", "s3://spark/events/")
    done = job.run(*addresses, "s3://spark/app.py", does=events)
    assert done.returncode == 0, done.stderr
    assert {Path(path).name: text for path, text in job.seen["fetched"].items()} == {
        "app.py": "this is app.py",
        "x.jar": "this is lib/x.jar",
    }
    assert contents(s3)["events/app-1"] == "event"


def run_with_s3(
    with_bucket: tuple[SparkJob, Any], does: str, **objects: str
) -> tuple[Mapping[str, Any], dict[str, str]]:
    """What Spark's stand-in found out, and what the bucket has then."""
    job, s3 = with_bucket
    for key, text in objects.items():
        s3.put_object(Bucket="spark", Key=key.replace("__", "/"), Body=text)
    done = job.run("app.py", does=does)
    assert done.returncode == 0, done.stderr
    return job.seen, contents(s3)


def test_objects_are_files_in_folders(with_bucket: tuple[SparkJob, Any]) -> None:
    does = """
    seen["names"] = names(""), names("data"), names("data/one")
    seen["kinds"] = [ask("GET", path, "GETFILESTATUS")[1]["FileStatus"]["type"] for path in ("", "data", "data/one")]
    seen["whole"] = ask("GET", "data/one", "OPEN")
    seen["part"] = ask("GET", "data/one", "OPEN", offset=2, length=3), ask("GET", "data/one", "OPEN", offset=9)
    seen["empty"] = ask("GET", "data/none", "OPEN")
    seen["missing"] = [ask("GET", "nothing", operation) for operation in ("GETFILESTATUS", "LISTSTATUS", "OPEN")]
    seen["blocks"] = ask("GET", "data/one", "GET_BLOCK_LOCATIONS")[1]["LocatedBlocks"]["locatedBlocks"]
    """
    objects = {"data__one": "content", "data__none": "", "data__more__two": "2"}
    seen, _ = run_with_s3(with_bucket, does, **objects)
    assert seen["names"] == [["data"], ["more", "none", "one"], [""]]
    assert seen["kinds"] == ["DIRECTORY", "DIRECTORY", "FILE"]
    assert seen["whole"] == [200, "content"]
    assert seen["part"] == [[200, "nte"], [200, ""]]
    assert seen["empty"] == [200, ""]
    assert [status for status, _ in seen["missing"]] == [404, 404, 404]
    assert seen["missing"][0][1]["RemoteException"]["javaClassName"] == "java.io.FileNotFoundException"
    assert [(block["startOffset"], block["block"]["numBytes"]) for block in seen["blocks"]] == [(0, 7)]


def test_a_folder_that_was_made_is_there_for_spark_and_leaves_nothing(with_bucket: tuple[SparkJob, Any]) -> None:
    does = """
    ask("PUT", "out/_temporary/0", "MKDIRS")
    seen["names"] = names("out"), names("out/_temporary"), names("out/_temporary/0")
    seen["kind"] = ask("GET", "out/_temporary/0", "GETFILESTATUS")[1]["FileStatus"]["type"]
    seen["created"] = ask("PUT", "out/_temporary/0/part", "CREATE", body=[b"some ", b"text"])[0]
    seen["moved"] = ask("PUT", "out/_temporary/0/part", "RENAME", destination="/out/part")[1]
    seen["deleted"] = ask("DELETE", "out/_temporary", "DELETE", recursive="true")[1]
    seen["again"] = ask("DELETE", "out/_temporary", "DELETE", recursive="true")[1]
    seen["after"] = names("out")
    """
    seen, objects = run_with_s3(with_bucket, does)
    assert seen["names"] == [["_temporary"], ["0"], []]
    assert (seen["kind"], seen["created"]) == ("DIRECTORY", 201)
    assert (seen["moved"], seen["deleted"], seen["again"]) == ({"boolean": True}, {"boolean": True}, {"boolean": False})
    assert seen["after"] == ["part"]
    assert objects == {"out/part": "some text"}


def test_folders_move_with_all_that_is_in_them(with_bucket: tuple[SparkJob, Any]) -> None:
    does = """
    ask("PUT", "a/empty", "MKDIRS")
    seen["moved"] = ask("PUT", "a", "RENAME", destination="/b")[1], names("b"), names("b/empty")
    seen["into"] = ask("PUT", "c", "RENAME", destination="/b")[1], names("b")
    seen["onto"] = ask("PUT", "d", "RENAME", destination="/b/c")[1], ask("PUT", "x", "RENAME", destination="/y")[1]
    seen["over"] = ask("PUT", "d", "RENAME", destination="/b/c", renameoptions="OVERWRITE")[1]
    """
    seen, objects = run_with_s3(with_bucket, does, a__one="1", a__in__two="2", c="3", d="4")
    assert seen["moved"] == [{"boolean": True}, ["empty", "in", "one"], []]
    assert seen["into"] == [{"boolean": True}, ["c", "empty", "in", "one"]]
    assert seen["onto"] == [{"boolean": False}, {"boolean": False}]
    assert seen["over"] == {"boolean": True}
    assert objects == {"b/one": "1", "b/in/two": "2", "b/c": "4"}


def test_what_s3_refuses_and_what_it_has_nothing_for_are_java_s_errors(with_bucket: tuple[SparkJob, Any]) -> None:
    does = """
    seen["full"] = ask("DELETE", "data", "DELETE")
    seen["append"] = ask("POST", "data/one", "APPEND")
    seen["bucket"] = ask("GET", "data/one", "LISTSTATUS", bucket="no-such-bucket")
    seen["secret"] = ask("GET", "data/one", "OPEN", root="guessed")
    """
    seen, _ = run_with_s3(with_bucket, does, data__one="1")
    expected = {
        "full": (403, "IOException"),
        "append": (400, "UnsupportedOperationException"),
        "bucket": (403, "IOException"),
        "secret": (403, "SecurityException"),
    }
    found = {name: (seen[name][0], seen[name][1]["RemoteException"]["exception"]) for name in seen if name in expected}
    assert found == expected
    assert "NoSuchBucket" in seen["bucket"][1]["RemoteException"]["message"]
