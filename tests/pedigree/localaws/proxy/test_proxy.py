"""Clients reach the local AWS by AWS's own host names, unpatched; all other hosts are passed on, or refused offline."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.proxy.authority import Authority
from pedigree.localaws.proxy.certificates import HostCertificates
from tests.pedigree.localaws.proxy.test_authority import now
from tests.support.local_aws import REGION, running_local_aws

ROOT = Path(__file__).parents[4]
# A look-up, or a connection that leaves this machine, ends the script that is watched.
WATCHED = """
import os, sys
os.environ.pop("AWS_ENDPOINT_URL")
def watch(event, arguments):
    host = arguments[0] if event == "socket.getaddrinfo" else arguments[1][0] if event == "socket.connect" else None
    if host is not None and str(host) not in ("127.0.0.1", "localhost") and not str(host).startswith("/"):
        print("it asked for", host, file=sys.stderr)
        os._exit(3)
sys.addaudithook(watch)
import boto3, requests
from botocore.config import Config
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("aws"), is_offline=True) as local:
        yield local


def environment(local: LocalAws) -> dict[str, str]:
    """The environment of a client that knows nothing but what `pedigree local env` says."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH", "LANG")}
    own = {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT)}
    return {**kept, **local.access.environment(), **local.key.environment, **own}


def run(local: LocalAws, code: str) -> str:
    """Run a script whose ways out are watched, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code], env=environment(local), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_services_have_regional_global_and_older_names(local: LocalAws) -> None:
    out = run(
        local,
        """
for url in ("https://sts.amazonaws.com", "https://sts.us-east-1.amazonaws.com", "https://sts-fips.us-east-1.amazonaws.com"):
    print(boto3.client("sts", endpoint_url=url).get_caller_identity()["Account"])
print(boto3.client("sagemaker").list_pipelines()["PipelineSummaries"])
print(boto3.client("sqs", endpoint_url="https://queue.amazonaws.com").list_queues().get("QueueUrls"))
url = boto3.client("sqs").create_queue(QueueName="names")["QueueUrl"]
print(url)
print(boto3.client("sqs").send_message(QueueUrl=url, MessageBody="x")["ResponseMetadata"]["HTTPStatusCode"])
""",
    )
    assert out.split("\n") == [
        *(ACCOUNT, ACCOUNT, ACCOUNT, "[]", "None"),
        *(f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/names", "200", ""),
    ]


def test_buckets_are_in_the_host_or_in_the_path(local: LocalAws) -> None:
    out = run(
        local,
        """
s3 = boto3.client("s3")
for bucket in ("in-the-host", "with.dots"):
    s3.create_bucket(Bucket=bucket)
    for style in ("virtual", "path", "auto"):
        client = boto3.client("s3", config=Config(s3={"addressing_style": style}))
        client.put_object(Bucket=bucket, Key=f"a b/ü {style}", Body=b"x" * 3_000_000)
        print(len(client.get_object(Bucket=bucket, Key=f"a b/ü {style}")["Body"].read()))
        for version in ("s3", "s3v4"):
            signed = boto3.client("s3", config=Config(s3={"addressing_style": style}, signature_version=version))
            parameters = {"Bucket": bucket, "Key": f"a b/ü {style}"}
            answer = requests.get(signed.generate_presigned_url("get_object", Params=parameters))
            print(answer.status_code, len(answer.content))
dual = boto3.client("s3", region_name="us-east-1", config=Config(s3={"use_dualstack_endpoint": True}))
print(dual.list_objects_v2(Bucket="in-the-host")["KeyCount"])
print(requests.get("https://in-the-host.s3.amazonaws.com/secret").text)
""",
    )
    lines = out.split("\n")
    assert lines[:18] == ["3000000", "200 3000000", "200 3000000"] * 6
    assert lines[18] == "3"
    assert "<Code>AccessDenied</Code>" in out.partition("\n3\n")[2]


def test_forms_go_to_the_bucket_in_the_host_or_in_the_path(local: LocalAws) -> None:
    out = run(
        local,
        """
boto3.client("s3").create_bucket(Bucket="form.dots")
boto3.client("s3").create_bucket(Bucket="forms")
for bucket in ("forms", "form.dots"):
    for style in ("virtual", "path"):
        for version in ("s3", "s3v4"):
            s3 = boto3.client("s3", config=Config(s3={"addressing_style": style}, signature_version=version))
            form = s3.generate_presigned_post(bucket, "a/${filename}", Fields={"success_action_status": "201"},
                                              Conditions=[{"success_action_status": "201"}])
            answer = requests.post(form["url"], form["fields"], files={"file": ("ü " + style, b"x" * 3_000_000)})
            print(answer.status_code, answer.headers["Location"])
print(boto3.client("s3").list_objects_v2(Bucket="forms")["Contents"][0]["Size"])
""",
    )
    lines = out.split("\n")
    assert set(lines[:4]) == {
        "201 https://forms.s3.amazonaws.com/a%2F%C3%BC%20virtual",
        "201 https://s3.amazonaws.com/forms/a%2F%C3%BC%20path",
    }
    assert (len([line for line in lines if line.startswith("201 https://")]), lines[8]) == (8, "3000000")


def test_a_changed_presigned_request_is_refused(local: LocalAws) -> None:
    out = run(
        local,
        """
s3 = boto3.client("s3")
s3.create_bucket(Bucket="signed-for-one")
s3.create_bucket(Bucket="not-signed-for")
url = s3.generate_presigned_url("get_object", Params={"Bucket": "signed-for-one", "Key": "k"})
print(requests.get(url.replace("signed-for-one", "not-signed-for")).status_code)
""",
    )
    assert out == "403\n"


def test_the_sdk_asks_for_its_account_bucket_and_role(local: LocalAws) -> None:
    out = run(
        local,
        """
from sagemaker.core.helper.session_helper import Session
session = Session()
print(session.account_id(), session.default_bucket())
print([bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"] if "sagemaker" in bucket["Name"]])
""",
    )
    bucket = f"sagemaker-{REGION}-{ACCOUNT}"
    assert out.splitlines()[-2:] == [f"{ACCOUNT} {bucket}", f"['{bucket}']"]


def curl(local: LocalAws, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "--silent", "--show-error", "--max-time", "60", *arguments]
    return subprocess.run(command, env=environment(local), capture_output=True, text=True, check=False)


def test_curl_trusts_it_and_signs_for_it(local: LocalAws) -> None:
    key = f"{local.key.id}:{local.key.secret}"
    asked = (
        "--aws-sigv4",
        f"aws:amz:{REGION}:sts",
        "--user",
        key,
        "--data",
        "Action=GetCallerIdentity&Version=2011-06-15",
    )
    done = curl(local, *asked, f"https://sts.{REGION}.amazonaws.com/")
    assert f"<Account>{ACCOUNT}</Account>" in done.stdout, done.stderr
    plain = {**environment(local), "http_proxy": local.access.proxy_url}
    command = ["curl", "--silent", *asked, "http://sts.amazonaws.com/"]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
    assert f"<Account>{ACCOUNT}</Account>" in done.stdout, done.stderr


def test_offline_other_hosts_are_refused_in_one_line(local: LocalAws) -> None:
    done = curl(local, "https://pypi.org/simple/")
    assert done.returncode
    assert "403" in done.stderr
    done = curl(local, "--proxy", local.access.proxy_url, "http://pypi.org/simple/")
    assert done.stdout == "the local AWS is offline, and pypi.org is not AWS's\n"


class Greeter(BaseHTTPRequestHandler):
    """Says hello by TLS."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def test_hosts_that_are_not_awss_speak_for_themselves(tmp_path: Path, local: LocalAws) -> None:
    """Their own TLS goes through as it is: a client sees their certificate, not one of ours."""
    (tmp_path / "theirs").mkdir()
    theirs = Authority(tmp_path / "theirs", now)
    server = HTTPServer(("127.0.0.1", 0), Greeter)
    server.socket = HostCertificates(theirs, now).context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", local.proxy_port)) as connection:
            connection.sendall(f"CONNECT 127.0.0.1:{server.server_port} HTTP/1.1\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
            client = ssl.create_default_context(cadata=theirs.pem.decode())
            with client.wrap_socket(connection, server_hostname="x.amazonaws.com") as secured:
                secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert b"".join(iter(lambda: secured.recv(1000), b"")).endswith(b"hello")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_credentials_of_a_rented_machine_are_not_reached(tmp_path: Path) -> None:
    with running_local_aws(tmp_path) as local:
        answer = curl(local, "--proxy", local.access.proxy_url, "http://169.254.169.254/latest/meta-data/").stdout
    assert answer.startswith("169.254.169.254")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"CONNECT : HTTP/1.1\r\n\r\n"])
def test_nonsense_gets_a_line_and_an_end(local: LocalAws, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", local.proxy_port)) as connection:
        connection.sendall(sent)
        connection.settimeout(60)
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 403 Forbidden: ")


def test_an_endless_head_ends(local: LocalAws) -> None:
    with socket.create_connection(("127.0.0.1", local.proxy_port)) as connection:
        connection.settimeout(60)
        with pytest.raises(OSError):  # noqa: PT011  # reset or broken pipe, as the system likes
            connection.sendall(b"x" * 100_000_000)


def test_a_thousand_silent_clients_delay_no_other_client(local: LocalAws) -> None:
    silent = [socket.create_connection(("127.0.0.1", local.proxy_port)) for _ in range(1000)]
    try:
        out = run(local, "print(boto3.client('sts').get_caller_identity()['Account'])")
    finally:
        for connection in silent:
            connection.close()
    assert out == f"{ACCOUNT}\n"


def test_its_ports_and_files_are_of_this_machine_and_this_user(local: LocalAws) -> None:
    variables = local.access.environment()
    assert variables["HTTPS_PROXY"] == f"http://127.0.0.1:{local.proxy_port}"
    assert "127.0.0.1" in variables["NO_PROXY"].split(",")
    assert Path(variables["AWS_CA_BUNDLE"]).stat().st_mode & 0o077 == 0
    assert json.dumps(variables)
