"""Functions that really run, invoked by unmodified boto3: responses, errors, limits, logs, and no orphan process."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.lambda_functions import ROLE, create_function, invoke, log_lines, zip_module
from tests.support.local_aws import client, daemon_process, running_local_aws
from tests.support.processes import PROCESS_NAMES, is_alive
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as started:
        yield started


def test_a_handler_gets_its_event_context_and_variables(local: LocalAws) -> None:
    code = """
    import os
    def handler(event, context):
        return {
            "event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "name": context.function_name, "version": context.function_version, "memory": context.memory_limit_in_mb,
            "left": context.get_remaining_time_in_millis(), "group": context.log_group_name,
            "stream": context.log_stream_name, "variables": dict(os.environ),
        }
    """
    arn = create_function(
        local.url, "context", code, Environment={"Variables": {"OWN": "value", "AWS_REGION": "elsewhere"}}
    )
    answer = invoke(local.url, "context", {"a": [1, "ä"]})
    body = answer["body"]
    assert body["event"] == {"a": [1, "ä"]}
    assert body["id"] == answer["ResponseMetadata"]["RequestId"]
    assert (body["arn"], body["name"], body["version"], body["memory"]) == (arn, "context", "$LATEST", "256")
    assert 15_000 < body["left"] <= 20_000
    assert body["group"] == "/aws/lambda/context"
    assert "/[$LATEST]" in body["stream"]
    assert answer["ExecutedVersion"] == "$LATEST"
    variables = body["variables"]
    assert variables["OWN"] == "value"
    assert variables["AWS_REGION"] == "us-east-1"
    assert variables["AWS_ENDPOINT_URL"] == local.url
    assert not {"HOME", "USER", "PYTHONPATH", "PYTEST_CURRENT_TEST"} & set(variables)


def test_a_function_calls_the_local_aws_as_its_role(local: LocalAws) -> None:
    code = """
    import boto3
    def handler(event, context):
        return boto3.client("sts").get_caller_identity()["Arn"]
    """
    create_function(local.url, "identity", code)
    assert invoke(local.url, "identity")["body"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/function/")


def test_a_warm_environment_is_reused_and_concurrent_invocations_get_their_own(local: LocalAws) -> None:
    code = """
    import time, uuid
    NAME = str(uuid.uuid4())
    def handler(event, context):
        time.sleep(event.get("seconds", 0))
        return NAME
    """
    create_function(local.url, "warm", code)
    first = invoke(local.url, "warm")["body"]
    assert [invoke(local.url, "warm")["body"] for _ in range(3)] == [first] * 3
    with ThreadPoolExecutor(3) as pool:
        names = list(pool.map(lambda _: invoke(local.url, "warm", {"seconds": 1.0})["body"], range(3)))
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("def handler(e, c): raise ValueError('no')", "ValueError", "no"),
        ("def handler(e, c): return {1, 2}", "Runtime.MarshalError", "Unable to marshal response"),
        ("import nowhere", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("def other(e, c): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'module'"),
        ("def handler(", "Runtime.UserCodeSyntaxError", "Syntax error in module 'module'"),
        ("raise KeyError('early')", "KeyError", "early"),
        ("def handler(e, c): exit(3)", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: killed"),
        ("def handler(e, c): return 'x' * 7_000_000", "Function.ResponseSizeTooLarge", "exceeded maximum allowed"),
    ],
)
def test_a_failure_has_the_error_that_lambda_gives(local: LocalAws, code: str, error: str, message: str) -> None:
    name = f"fails-{abs(hash(code))}"
    create_function(local.url, name, code)
    answer = invoke(local.url, name)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["body"]["errorType"] == error
    assert message in answer["body"]["errorMessage"]


def test_a_stack_trace_has_only_frames_of_the_function(local: LocalAws) -> None:
    create_function(local.url, "stack", "def handler(event, context):\n    raise ValueError('no')\n")
    trace = invoke(local.url, "stack")["body"]["stackTrace"]
    assert len(trace) == 1
    assert "module.py" in trace[0]


def test_a_timeout_kills_the_process_and_its_children(local: LocalAws) -> None:
    code = f"""{PROCESS_NAMES}
import subprocess, time
def handler(event, context):
    child = subprocess.Popen(["sleep", "600"])
    print("child", name_of(child.pid), flush=True)
    time.sleep(600)
"""
    create_function(local.url, "slow", code, Timeout=1)
    answer = invoke(local.url, "slow", LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["body"]["errorMessage"].endswith("Task timed out after 1.00 seconds")
    tail = base64.b64decode(answer["LogResult"]).decode()
    child = next(line.split()[1] for line in tail.splitlines() if line.startswith("child"))
    until(lambda: is_alive(child), False)
    assert "Status: timeout" in tail


def test_the_log_of_an_invocation_has_start_output_end_and_report(local: LocalAws) -> None:
    code = """
    import logging
    def handler(event, context):
        print("printed")
        logging.getLogger().warning("warned")
    """
    create_function(local.url, "logs", code)
    answer = invoke(local.url, "logs", LogType="Tail")
    request = answer["ResponseMetadata"]["RequestId"]
    written = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert written == log_lines(local.url, "logs")
    assert written[0] == f"START RequestId: {request} Version: $LATEST"
    assert written[1] == "printed"
    assert written[2].startswith("[WARNING]")
    assert written[2].endswith(f"\t{request}\twarned")
    assert written[3] == f"END RequestId: {request}"
    parts = dict(part.split(": ") for part in written[4].removeprefix("REPORT ").strip().split("\t"))
    assert set(parts) == {
        "RequestId", "Duration", "Billed Duration", "Memory Size", "Max Memory Used", "Init Duration",
    }  # fmt: skip
    assert 1 <= int(parts["Max Memory Used"].split()[0]) <= 256


def test_reserved_concurrency_throttles_invocations(local: LocalAws) -> None:
    create_function(local.url, "reserved", "import time\ndef handler(e, c): time.sleep(e['s'])")
    functions = client(local.url, "lambda")
    functions.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException) as raised:
        invoke(local.url, "reserved", {"s": 0})
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"]["Message"] == "Rate Exceeded."
    functions.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(4) as pool:
        outcomes = [pool.submit(invoke, local.url, "reserved", {"s": 1.5}) for _ in range(4)]
    errors = [type(outcome.exception()).__name__ for outcome in outcomes]
    assert sorted(errors) == ["NoneType", *["TooManyRequestsException"] * 3]


def test_provisioned_concurrency_keeps_environments_warm(local: LocalAws) -> None:
    create_function(
        local.url, "ready", "import os\ndef handler(e, c): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"
    )
    functions = client(local.url, "lambda")
    with pytest.raises(functions.exceptions.InvalidParameterValueException):
        functions.put_provisioned_concurrency_config(
            FunctionName="ready", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )
    version = functions.publish_version(FunctionName="ready")["Version"]
    config = {"FunctionName": "ready", "Qualifier": version}
    with pytest.raises(functions.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        functions.get_provisioned_concurrency_config(**config)
    put = functions.put_provisioned_concurrency_config(**config, ProvisionedConcurrentExecutions=2)
    assert put["RequestedProvisionedConcurrentExecutions"] == 2
    until(lambda: functions.get_provisioned_concurrency_config(**config)["Status"], "READY")
    assert invoke(local.url, "ready", Qualifier=version)["body"] == "provisioned-concurrency"
    listed = functions.list_provisioned_concurrency_configs(FunctionName="ready")["ProvisionedConcurrencyConfigs"]
    assert [entry["FunctionArn"].rpartition(":")[2] for entry in listed] == [version]
    functions.delete_provisioned_concurrency_config(**config)
    assert functions.list_provisioned_concurrency_configs(FunctionName="ready")["ProvisionedConcurrencyConfigs"] == []


def test_a_function_is_found_by_name_arn_version_and_alias(local: LocalAws) -> None:
    arn = create_function(local.url, "named", "def handler(e, c): return [c.function_version, c.invoked_function_arn]")
    functions = client(local.url, "lambda")
    functions.publish_version(FunctionName="named")
    functions.create_alias(FunctionName="named", Name="live", FunctionVersion="1")
    calls = ["named", arn, f"{arn}:$LATEST", "named:1", f"{arn}:1", "named:live", f"{ACCOUNT}:function:named"]
    versions = [invoke(local.url, name)["body"][0] for name in calls]
    assert versions == ["$LATEST", "$LATEST", "$LATEST", "1", "1", "1", "$LATEST"]
    assert invoke(local.url, "named", Qualifier="live")["body"] == ["1", f"{arn}:live"]


def test_updated_code_runs_at_once(local: LocalAws) -> None:
    create_function(local.url, "changed", "def handler(e, c): return 1")
    assert invoke(local.url, "changed")["body"] == 1
    client(local.url, "lambda").update_function_code(
        FunctionName="changed", ZipFile=zip_module("def handler(e, c): return 2")
    )
    assert invoke(local.url, "changed")["body"] == 2


def test_code_can_come_from_s3(local: LocalAws) -> None:
    s3, functions = client(local.url, "s3"), client(local.url, "lambda")
    s3.create_bucket(Bucket="code")
    for version in ("1", "2"):
        s3.put_object(Bucket="code", Key=version, Body=zip_module(f"def handler(e, c): return {version}"))
    location = {"S3Bucket": "code", "S3Key": "1"}
    create_function(local.url, "any", "def handler(e, c): pass")
    functions.create_function(
        FunctionName="from-s3", Role=ROLE, Code=location, Runtime="python3.13", Handler="module.handler"
    )
    assert invoke(local.url, "from-s3")["body"] == 1
    functions.update_function_code(FunctionName="from-s3", S3Bucket="code", S3Key="2")
    assert invoke(local.url, "from-s3")["body"] == 2
    for code in ({"S3Bucket": "code", "S3Key": "never"}, {"ZipFile": b"no archive"}):
        with pytest.raises(functions.exceptions.InvalidParameterValueException):
            functions.create_function(
                FunctionName="unmade", Role=ROLE, Code=code, Runtime="python3.13", Handler="module.handler"
            )


def test_a_lambda_step_invokes_its_function(local: LocalAws) -> None:
    function = create_function(
        local.url, "step", "def handler(event, context): return {'doubled': event['number'] * 2}"
    )
    step = {
        "Name": "Double",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": {"number": 21},
        "OutputParameters": [{"OutputName": "doubled", "OutputType": "Integer"}],
    }
    gone = {"Name": "Gone", "Type": "Lambda", "FunctionArn": f"{function}-gone", "Arguments": {}}
    sagemaker = client(local.url, "sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step, gone]})
    sagemaker.create_pipeline(PipelineName="steps", PipelineDefinition=definition, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="steps")["PipelineExecutionArn"]
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"], "Failed")
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    by_name = {step["StepName"]: step for step in steps}
    assert by_name["Double"]["Metadata"]["Lambda"]["OutputParameters"] == [{"Name": "doubled", "Value": "42.0"}]
    assert "Function not found" in by_name["Gone"]["FailureReason"]


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        ({"FunctionName": "never"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "plain", "Qualifier": "9"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "plain", "Payload": b"{"}, "InvalidRequestContentException", 400),
        ({"FunctionName": "plain", "Payload": b'"' + b"x" * 6_300_000 + b'"'}, "RequestTooLargeException", 413),
        ({"FunctionName": "plain", "Payload": b'"' + b"x" * 1_100_000 + b'"', "InvocationType": "Event"},
         "RequestTooLargeException", 413),
        ({"FunctionName": "plain:1", "Qualifier": "2"}, "InvalidParameterValueException", 400),
    ],
)  # fmt: skip
def test_malformed_invocations_are_refused(local: LocalAws, arguments: dict[str, Any], code: str, status: int) -> None:
    with contextlib.suppress(ClientError):
        create_function(local.url, "plain", "def handler(e, c): return e")
    with pytest.raises(ClientError) as raised:
        client(local.url, "lambda").invoke(**arguments)
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_dry_run_invokes_nothing(local: LocalAws) -> None:
    create_function(local.url, "dry", "def handler(e, c): print('called')")
    assert invoke(local.url, "dry", InvocationType="DryRun")["StatusCode"] == 204
    assert log_lines(local.url, "dry") == []


def test_an_asynchronous_invocation_is_retried_and_then_reported_to_its_destination(local: LocalAws) -> None:
    sqs = client(local.url, "sqs")
    queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
    create_function(
        local.url, "promised", "def handler(e, c):\n    print('call', c.aws_request_id)\n    raise ValueError('no')"
    )
    client(local.url, "lambda").put_function_event_invoke_config(
        FunctionName="promised",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:failures"}},
    )
    assert invoke(local.url, "promised", {"a": 1}, InvocationType="Event")["StatusCode"] == 202
    received: list[dict[str, Any]] = []

    def records() -> int:
        received.extend(sqs.receive_message(QueueUrl=queue).get("Messages", []))
        return len(received)

    until(records, 1)
    record = json.loads(received[0]["Body"])
    assert record["requestPayload"] == {"a": 1}
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    calls = [line for line in log_lines(local.url, "promised") if line.startswith("call")]
    assert len(calls) == 2
    assert len(set(calls)) == 1  # the same request, retried


BUSY = (
    PROCESS_NAMES
    + """
import subprocess, time
def handler(event, context):
    child = subprocess.Popen(["sleep", "600"])
    with open(event["file"], "a") as file:
        file.write(f"{name_of()} {name_of(child.pid)}\\n")
    time.sleep(event["seconds"])
    child.kill()
"""
)


def names_in(file: Path, calls: int) -> list[str]:
    until(lambda: len(file.read_text().splitlines()) if file.exists() else 0, calls)
    return file.read_text().split()


def test_a_stopped_daemon_leaves_no_process(tmp_path: Path) -> None:
    file = tmp_path / "local" / "outside" / "processes"
    with daemon_process(tmp_path / "local") as (process, url):
        create_function(url, "busy", BUSY)
        invoke(url, "busy", {"file": str(file), "seconds": 600}, InvocationType="Event")
        running = names_in(file, 1)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE_SECONDS)
        until(lambda: [name for name in running if is_alive(name)], [])


def test_a_killed_daemon_leaves_no_process_and_the_next_one_repeats_its_asynchronous_invocation(tmp_path: Path) -> None:
    file = tmp_path / "local" / "outside" / "processes"
    with daemon_process(tmp_path / "local") as (process, url):
        create_function(url, "busy", BUSY, Timeout=60)
        invoke(url, "busy", {"file": str(file), "seconds": 40}, InvocationType="Event")
        running = names_in(file, 1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: [name for name in running if is_alive(name)], [])
    with daemon_process(tmp_path / "local"):
        again = names_in(file, 2)
        assert [is_alive(name) for name in again[2:]] == [True, True]


def test_a_warm_invocation_adds_less_than_five_milliseconds(local: LocalAws) -> None:
    """Compare with a request that does nothing; the fastest of fifty, so that a busy machine does not matter."""
    create_function(local.url, "quick", "def handler(e, c): return 1")
    functions = client(local.url, "lambda")

    def fastest(call: Callable[[], Any]) -> float:
        durations = []
        for _ in range(50):
            start = time.perf_counter()
            call()
            durations.append(time.perf_counter() - start)
        return min(durations)

    def call() -> None:
        functions.invoke(FunctionName="quick", Payload=b"{}")["Payload"].read()

    call()
    added = fastest(call) - fastest(lambda: functions.invoke(FunctionName="quick", InvocationType="DryRun"))
    assert added < 0.005
