"""Clients that nobody has changed reach the local AWS by `pedigree local exec -- COMMAND`, and nothing else.

They run in a network that has only loopback, which counts each look-up and each connection that would have left it.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client_programs import ClientPrograms, installed
from tests.support.watched_machine import WatchedMachine, watched_machine

ACCOUNT = "123456789012"
# Larger than what a client sends in one piece.
LARGE = 20_000_000
ENDPOINT, PROXY = "by the endpoint", "by the proxy"
WITHOUT_ENDPOINT = ("env", "-u", "AWS_ENDPOINT_URL")
CLIS = [("aws_1", ENDPOINT), ("aws_1", PROXY)]
# AWS's distribution of the AWS CLI v2 is for this machine only. Without an endpoint, it looks up the name of S3's host
# when it copies a file, though it goes by the proxy then.
if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
    CLIS += [("aws_2", ENDPOINT)]


@pytest.fixture(scope="module")
def programs() -> Iterator[ClientPrograms]:
    """They are large, so they go when their tests have ended."""
    with tempfile.TemporaryDirectory() as folder:
        yield installed(Path(folder, "programs"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedMachine]:
    with watched_machine(tmp_path_factory.mktemp("machine")) as started:
        yield started


@pytest.mark.parametrize(
    "way_out",
    [
        "import socket; socket.getaddrinfo('sts.us-east-1.amazonaws.com', 443)",
        "import socket; socket.create_connection(('192.0.2.1', 443))",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "import socket; socket.create_connection(('169.254.169.254', 80))",
        "import socket; socket.create_connection(('2001:db8::1', 443))",
    ],
)
def test_what_would_leave_the_machine_is_seen(machine: WatchedMachine, way_out: str) -> None:
    with pytest.raises(AssertionError):
        machine.pedigree("local", "exec", "--", sys.executable, "-c", way_out)
    before = machine.network.attempts()
    with pytest.raises(AssertionError, match="asked for something outside"):
        machine.run("sh", "-c", f'{sys.executable} -c "{way_out}" 2>&1 || true')
    assert machine.network.attempts() > before


@pytest.mark.parametrize(("cli", "way"), CLIS)
def test_the_aws_cli(machine: WatchedMachine, programs: ClientPrograms, cli: str, way: str) -> None:
    """Version 1 asks for the queue's old host name whatever its endpoint is; without an endpoint, all come by AWS's."""
    aws = str(getattr(programs, cli))
    prefix = WITHOUT_ENDPOINT if way == PROXY else ()

    def run(*arguments: str) -> str:
        return machine.run(*prefix, aws, *arguments)

    assert json.loads(run("sts", "get-caller-identity"))["Account"] == ACCOUNT
    bucket = f"{cli}-{way}".replace(" ", "-").replace("_", "-")
    url = json.loads(run("sqs", "create-queue", "--queue-name", bucket))["QueueUrl"]
    assert url in json.loads(run("sqs", "list-queues"))["QueueUrls"]
    run("sqs", "send-message", "--queue-url", url, "--message-body", "hello")
    received = json.loads(run("sqs", "receive-message", "--queue-url", url))["Messages"]
    assert [message["Body"] for message in received] == ["hello"]
    assert json.loads(run("sagemaker", "list-pipelines"))["PipelineSummaries"] == []
    _check_objects(machine, aws, prefix, bucket)


def _check_objects(machine: WatchedMachine, aws: str, prefix: tuple[str, ...], bucket: str) -> None:
    content = os.urandom(LARGE)
    (machine.folder / "large").write_bytes(content)
    (machine.folder / "small").write_text("hello")
    machine.run(*prefix, aws, "s3", "mb", f"s3://{bucket}")
    for name in ("large", "small"):
        machine.run(*prefix, aws, "s3", "cp", name, f"s3://{bucket}/a b/{name}")
    assert f" {LARGE} large\n" in machine.run(*prefix, aws, "s3", "ls", f"s3://{bucket}/a b/")
    machine.run(*prefix, aws, "s3", "cp", f"s3://{bucket}/a b/large", "back")
    assert (machine.folder / "back").read_bytes() == content
    fetch = f"curl --silent --show-error \"$('{aws}' s3 presign 's3://{bucket}/a b/small')\""
    assert machine.run(*prefix, "sh", "-c", fetch) == "hello"


S3FS = f"""
import s3fs
files = s3fs.S3FileSystem()
files.mkdir("s3fs-bucket")
with files.open("s3fs-bucket/a/large", "wb", block_size=5 << 20) as file:
    file.write(bytes({LARGE}))
print(files.ls("s3fs-bucket/a"), files.info("s3fs-bucket/a/large")["size"])
with files.open("s3fs-bucket/a/large") as file:
    print(file.read() == bytes({LARGE}))
files.rm("s3fs-bucket", recursive=True)
print(files.exists("s3fs-bucket/a/large"))
"""


@pytest.mark.parametrize("prefix", [(), WITHOUT_ENDPOINT], ids=[ENDPOINT, PROXY])
def test_s3fs(machine: WatchedMachine, programs: ClientPrograms, prefix: tuple[str, ...]) -> None:
    printed = machine.run(*prefix, programs.python, "-c", S3FS)
    assert printed == f"['s3fs-bucket/a/large'] {LARGE}\nTrue\nFalse\n"


NODE = """
const { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand } = require("@aws-sdk/client-s3");
const { SQSClient, CreateQueueCommand, SendMessageCommand, ReceiveMessageCommand } = require("@aws-sdk/client-sqs");
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

async function main() {
  console.log((await new STSClient({}).send(new GetCallerIdentityCommand({}))).Account);
  const s3 = new S3Client({}), Bucket = "node-bucket", Key = "a b/ü";
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello" }));
  const command = new GetObjectCommand({ Bucket, Key });
  console.log(await (await s3.send(command)).Body.transformToString());
  console.log(await (await fetch(await getSignedUrl(s3, command))).text());
  const { url, fields } = await createPresignedPost(s3, { Bucket, Key: "form/${filename}" });
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  form.append("file", new Blob(["from a form"]), "a.txt");
  console.log((await fetch(url, { method: "POST", body: form })).status);
  const posted = await s3.send(new GetObjectCommand({ Bucket, Key: "form/a.txt" }));
  console.log(await posted.Body.transformToString());
  const sqs = new SQSClient({}), QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: "node" }))).QueueUrl;
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
  console.log((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages[0].Body);
}

main();
"""


def test_nodes_sdk(machine: WatchedMachine, programs: ClientPrograms) -> None:
    script = programs.folder / "script.cjs"
    script.write_text(NODE, encoding="utf-8")
    printed = machine.run(programs.node, str(script))
    assert printed.splitlines() == [ACCOUNT, "hello", "hello", "204", "from a form", "hello"]
