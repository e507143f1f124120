"""What is asked of the local AWS never reaches an account, whatever else is configured."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pedigree.account import connect
from pedigree.account.errors import UnreachableError
from pedigree.cli import verbs
from pedigree.localaws.daemon import LocalAws
from tests.support.cli import ROOT, aws_environment, pedigree
from tests.support.local_aws import running_local_aws

# Each verb runs in one process that notes and refuses whatever looks for, or connects to, another machine.
WATCHED = """
import io, json, socket, sys
left = []
verb = ""

def watch(event, arguments):
    if event == "socket.connect":
        host = arguments[1][0] if isinstance(arguments[1], tuple) else "127.0.0.1"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if host not in (None, "127.0.0.1", "localhost", "::1", b"127.0.0.1"):
        left.append([verb, event, str(host)])
        raise OSError(f"{verb} looks for {host}")

sys.addaudithook(watch)
from pedigree.cli import main
ended = {}
for words in json.loads(sys.stdin.read()):
    verb = " ".join(words)
    sys.argv, sys.stdin = ["pedigree", *words], io.StringIO("")
    try:
        main.main()
        ended[verb] = 0
    except SystemExit as end:
        ended[verb] = end.code or 0
print("\\n" + json.dumps({"left": left, "ended": ended}))
"""
PICTURE = "s3://nowhere/a.jpg"
WORDS: Mapping[str, tuple[str, ...]] = {
    "upsert": ("upsert --yes",),
    "start": ("start", "start --only Evaluate", "start --data s3://pictures/dogs.zip"),
    "status": ("status --once",),
    "logs": ("logs",),
    "executions": ("executions",),
    "stop": ("stop",),
    "retry": ("retry",),
    "schedule": ("schedule make --yes", "schedule show", "schedule pause", "schedule resume", "schedule remove --yes"),
    "cost": ("cost", "cost --refresh"),
    "results": ("results",),
    "predict": (f"predict --url {PICTURE}",),
    "approve": ("approve", "approve 1"),
    "rollback": ("rollback --yes",),
    "endpoint-status": ("endpoint-status",),
    "ec2-train": ("ec2-train --yes --data s3://pictures/dogs.zip", "ec2-train --dry-run"),
    "destroy": ("destroy --data --yes",),
}
WITHOUT_AN_ACCOUNT = {"check", "graph", "diff", "definition", "policies", "sample-data"}
STARTS_IT_ITSELF = {"run", "local"}
# What a user of real accounts has in their environment and in their files.
TRAPS = {
    "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    "AWS_ENDPOINT_URL_STS": "https://sts.amazonaws.com",
    "AWS_ENDPOINT_URL_PRICING": "https://api.pricing.us-east-1.amazonaws.com",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "HTTP_PROXY": "http://proxy.example:3128",
    "HTTPS_PROXY": "http://proxy.example:3128",
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("aws")) as running:
        yield running


def environment(local: LocalAws, **more: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": local.key.id, "AWS_SECRET_ACCESS_KEY": local.key.secret}
    return aws_environment(local.url, **keys, PEDIGREE_LOCAL="1", **more)


def test_no_verb_looks_for_another_machine(local: LocalAws, tmp_path: Path) -> None:
    calls = [words.split() for verb in WORDS for words in WORDS[verb]]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        input=json.dumps(calls),
        cwd=ROOT,
        env=environment(local, HOME=str(tmp_path), **TRAPS),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["left"] == []
    assert {verb for verb, code in report["ended"].items() if code not in (0, 1, 2)} == set()
    assert report["ended"]["upsert --yes"] == 0, done.stderr
    assert report["ended"]["start"] == 0, done.stderr
    assert report["ended"]["ec2-train --dry-run"] == 2


def test_every_verb_is_tried() -> None:
    assert {verb for verb, _ in verbs.all_verbs()} == {*WORDS, *WITHOUT_AN_ACCOUNT, *STARTS_IT_ITSELF}


@pytest.mark.parametrize("url", ["", "https://sts.amazonaws.com"])
def test_without_the_address_of_a_local_aws_nothing_is_asked(url: str) -> None:
    for verb in ("start", "upsert", "executions"):
        done = pedigree(url, verb, PEDIGREE_LOCAL="1")
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith("pedigree: PEDIGREE_LOCAL asks for the local AWS, and AWS_ENDP")


def test_a_profile_of_an_account_is_refused(local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", local.url)
    monkeypatch.setenv("PEDIGREE_LOCAL", "1")
    with pytest.raises(UnreachableError, match="--profile prod has credentials of an account"):
        connect.connect(profile="prod", region="us-east-1")


def test_clients_of_verbs_are_made_in_one_place() -> None:
    """boto3 is imported there, and where nothing can be reached: to import the SDK, and to read its models."""
    made = {str(path.relative_to(ROOT)) for path in _verbs_modules() if "boto3" in _imported(path)}
    assert made == {"pedigree/account/connect.py", "steps/dag.py"}


def _verbs_modules() -> Iterator[Path]:
    for folder in ("pedigree", "pipeline", "steps"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if "localaws" not in path.parts)


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
