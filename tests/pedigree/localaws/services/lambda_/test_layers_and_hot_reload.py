"""Layers, hot reload from a folder of this machine, dead-letter queues and visibility timeouts of functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.lambda_functions import ROLE, create_function, invoke, zip_modules
from tests.support.local_aws import arn, client, daemon_process
from tests.support.queues import QueueReader, create_queue
from tests.support.waiting import until


def layer(url: str, name: str, **files: str) -> str:
    version = client(url, "lambda").publish_layer_version(LayerName=name, Content={"ZipFile": zip_modules(**files)})
    return str(version["LayerVersionArn"])


RETURNS_WHERE = """
import both, only
def handler(event, context):
    return [both.WHERE, only.WHERE]
"""


def test_modules_of_layers_are_found_the_last_layer_first(url: str) -> None:
    first = layer(url, "first", python__both="WHERE = 'first'", python__only="WHERE = 'first'")
    second = layer(url, "second", python__both="WHERE = 'second'")
    create_function(url, "layered", RETURNS_WHERE, Layers=[first, second])
    assert invoke(url, "layered")["body"] == ["second", "first"]
    functions = client(url, "lambda")
    layers = functions.get_function_configuration(FunctionName="layered")["Layers"]
    assert [used["Arn"] for used in layers] == [first, second]
    changed = layer(url, "first", python__both="WHERE = 'new'", python__only="WHERE = 'new'")
    functions.update_function_configuration(FunctionName="layered", Layers=[changed])
    assert invoke(url, "layered")["body"] == ["new", "new"]
    assert [listed["LayerName"] for listed in functions.list_layers()["Layers"]] == ["first", "second"]
    assert functions.get_layer_version(LayerName="first", VersionNumber=2)["LayerVersionArn"] == changed


def test_a_layer_can_come_from_s3_and_its_archive_is_checked(url: str) -> None:
    s3, functions = client(url, "s3"), client(url, "lambda")
    s3.create_bucket(Bucket="layers")
    s3.put_object(
        Bucket="layers", Key="one", Body=zip_modules(python__both="WHERE = 's3'", python__only="WHERE = 's3'")
    )
    location = {"S3Bucket": "layers", "S3Key": "one"}
    layer_arn = functions.publish_layer_version(LayerName="kept", Content=location)["LayerVersionArn"]
    create_function(url, "from-a-bucket", RETURNS_WHERE, Layers=[layer_arn])
    assert invoke(url, "from-a-bucket")["body"] == ["s3", "s3"]
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        functions.publish_layer_version(LayerName="broken", Content={"ZipFile": b"no archive"})
    with pytest.raises(ClientError, match="does not exist"):
        create_function(url, "never", RETURNS_WHERE, Layers=[arn("lambda", "layer:nobodys:1")])


def write(path: Path, value: int) -> None:
    path.write_text(f"def handler(event, context):\n    return {value}\n")


def test_a_hot_reload_folder_runs_its_current_code(url: str, tmp_path: Path) -> None:
    create_function(url, "any", "def handler(e, c): pass")  # this creates the role, too
    write(tmp_path / "module.py", 1)
    code = {"S3Bucket": "hot-reload", "S3Key": str(tmp_path)}
    functions = client(url, "lambda")
    functions.create_function(
        FunctionName="reloaded", Role=ROLE, Code=code, Runtime="python3.13", Handler="module.handler"
    )
    assert invoke(url, "reloaded")["body"] == 1
    write(tmp_path / "module.py", 2)
    assert invoke(url, "reloaded")["body"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["module.py"]
    functions.update_function_code(
        FunctionName="reloaded", ZipFile=zip_modules(module="def handler(e, c): return 'zip'")
    )
    assert invoke(url, "reloaded")["body"] == "zip"
    with pytest.raises(ClientError, match="is not a folder of this machine"):
        functions.update_function_code(FunctionName="reloaded", S3Bucket="hot-reload", S3Key="not/whole")


def test_an_event_whose_retries_are_exhausted_goes_to_the_dead_letter_queue(url: str) -> None:
    address = create_queue(url, "dead")
    create_function(
        url,
        "dying",
        "def handler(e, c):\n    raise ValueError('no')",
        DeadLetterConfig={"TargetArn": arn("sqs", "dead")},
    )
    functions = client(url, "lambda")
    config = functions.get_function_configuration(FunctionName="dying")["DeadLetterConfig"]
    assert config == {"TargetArn": arn("sqs", "dead")}
    functions.put_function_event_invoke_config(FunctionName="dying", MaximumRetryAttempts=0)
    invoke(url, "dying", {"a": 1}, InvocationType="Event")
    received = QueueReader(url, address)
    until(received.count, 1)
    assert received.bodies() == [{"a": 1}]
    attributes = received.messages[0]["MessageAttributes"]
    assert json.loads(attributes["ErrorMessage"]["StringValue"])["errorType"] == "ValueError"
    assert attributes["RequestID"]["StringValue"]
    functions.update_function_configuration(FunctionName="dying", DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in functions.get_function_configuration(FunctionName="dying")
    with pytest.raises(ClientError, match="sends dead letters to queues of SQS only"):
        functions.update_function_configuration(
            FunctionName="dying", DeadLetterConfig={"TargetArn": arn("sns", "topic")}
        )


def test_the_visibility_timeout_of_a_queue_must_not_be_less_than_the_functions_timeout(url: str) -> None:
    create_queue(url, "hasty", VisibilityTimeout="10")
    create_function(url, "slow", "def handler(e, c): pass", Timeout=20)
    mapping: dict[str, Any] = {"FunctionName": "slow", "EventSourceArn": arn("sqs", "hasty")}
    message = "Queue visibility timeout: 10 seconds is less than Function timeout: 20 seconds"
    with pytest.raises(ClientError, match=message):
        client(url, "lambda").create_event_source_mapping(**mapping)


def test_layers_and_dead_letter_queues_survive_a_restart(tmp_path: Path) -> None:
    with daemon_process(tmp_path) as (_, url):
        layer_arn = layer(url, "kept", python__both="WHERE = 1", python__only="WHERE = 1")
        create_function(
            url, "kept", RETURNS_WHERE, Layers=[layer_arn], DeadLetterConfig={"TargetArn": arn("sqs", "dead")}
        )
    with daemon_process(tmp_path) as (_, url):
        assert invoke(url, "kept")["body"] == [1, 1]
        config = client(url, "lambda").get_function_configuration(FunctionName="kept")
        assert config["DeadLetterConfig"] == {"TargetArn": arn("sqs", "dead")}
