"""Every refusal of AWS, at every verb, is one line with cause and remedy, exit code 2, and changes nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pedigree.cli.main import main
from tests.support.cli import aws_environment
from tests.support.fakes.refusing_server import Refusal, RefusingServer, refusing_server
from tests.support.fakes.served_services import ACCOUNT, CALLER

# Each verb with what it needs, so that it would do something.
VERBS: Mapping[str, tuple[str, ...]] = {
    "upsert": ("upsert", "--yes"),
    "upsert, dry": ("upsert", "--dry-run"),
    "destroy": ("destroy", "--yes", "--data"),
    "destroy, dry": ("destroy", "--dry-run"),
    "start": ("start", "Epochs=3"),
    "status": ("status", "--once"),
    "status of one": ("status", "abc", "--once"),
    "stop": ("stop",),
    "retry": ("retry",),
    "executions": ("executions",),
    "predict": ("predict", "--url", "https://example.com/dog.jpg"),
    "approve": ("approve", "3"),
    "versions": ("approve",),
    "rollback": ("rollback", "--yes"),
    "endpoint-status": ("endpoint-status",),
    "ec2-train": ("ec2-train", "--yes", "--data", "s3://images/dogs.zip"),
    "schedule show": ("schedule", "show"),
    "schedule make": ("schedule", "make", "--yes"),
    "schedule pause": ("schedule", "pause"),
    "schedule resume": ("schedule", "resume"),
    "schedule remove": ("schedule", "remove", "--yes"),
    "cost": ("cost", "--refresh"),
}


WHAT = f"User: {CALLER} is not authorized to perform: x:Y on resource: arn:aws:x:us-east-1:{ACCOUNT}:y/z"
NOBODY = Refusal("AccessDenied", "Access Denied", 403)
# A user without the right to read a bucket cannot know its owner.
A_BUCKET = r"bucket \S+ belongs to another account, or \S+ may not s3:ListBucket on it; .* or allow it"


@dataclass(frozen=True)
class Case:
    """How it is refused, what the line says, what else is given, and what is different about the environment."""

    says: str
    no: Refusal = NOBODY
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


CASES: Mapping[str, Case] = {
    "no credentials": Case(
        r"there are no AWS credentials here; log in with aws sso login or aws configure",
        environment={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
    ),
    "half of the credentials": Case(
        r"the AWS credentials are incomplete.*; .+", environment={"AWS_SECRET_ACCESS_KEY": ""}
    ),
    "credentials that have ended": Case(
        r"the AWS credentials have expired; log in anew",
        Refusal("ExpiredToken", "The security token included in the request is expired", 403, of="sts"),
    ),
    "credentials that nobody knows": Case(
        r"AWS does not know the credentials there: .*; check which profile is in use",
        Refusal("InvalidClientTokenId", "The security token included in the request is invalid.", 403, of="sts"),
    ),
    "a region that is not enabled": Case(
        r"AWS does not know the credentials there: .* that the account has the region of settings enabled",
        Refusal("UnrecognizedClientException", "The security token included in the request is invalid.", 403, of="sts"),
        ("--region", "af-south-1"),
    ),
    "a region that there is not": Case(
        r'--region: site\.region = "us-esat-1" is no region of AWS; did you mean us-\w+-1\?',
        options=("--region", "us-esat-1"),
    ),
    "another account": Case(
        rf"the AWS credentials are for account {ACCOUNT}, not for 000000000000; choose the right profile",
        options=("--account", "000000000000"),
    ),
    "no such profile": Case(r"The config profile \(work\) could not be found; see aws", options=("--profile", "work")),
    "a permission that is missing": Case(
        rf"{CALLER} may not x:Y on arn:\S+; allow it in the policy of that user or role|{A_BUCKET}",
        Refusal("AccessDenied", f"{WHAT} because no identity-based policy allows the x:Y action", 403),
    ),
    "a permission that is missing, in few words": Case(
        rf"{CALLER} may not [a-z0-9-]+:[A-Z]\w+( on \S+)?; allow it in the policy of that user or role|{A_BUCKET}"
    ),
    "an organisation's no": Case(
        rf"{CALLER} may not x:Y on arn:\S+: a service control policy forbids it; ask its owner|{A_BUCKET}",
        Refusal("AccessDenied", f"{WHAT} with an explicit deny in a service control policy", 403),
    ),
    "a quota of nothing": Case(
        r"[a-z0-9-]+:\w+: a quota is used up: You may have 0 of them; ask for more under Service Quotas"
        r"|s3:ListBucket: .*",
        Refusal("ResourceLimitExceeded", "You may have 0 of them"),
    ),
}  # fmt: skip


@pytest.fixture
def called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[RefusingServer, Case, str], tuple[object, list[str]]]:
    """How a verb ends, and what it says."""

    def call(aws: RefusingServer, case: Case, verb: str) -> tuple[object, list[str]]:
        for name, value in aws_environment(aws.address, XDG_CACHE_HOME=str(tmp_path), **case.environment).items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(sys, "argv", ["pedigree", *VERBS[verb], *case.options])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        assert out == ""
        return stopped.value.code, [
            line for line in err.splitlines() if not line.startswith((f"Account {ACCOUNT}, region ", "Settings: "))
        ]

    return call


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", CASES)
def test_it_is_one_line(
    name: str, verb: str, called: Callable[[RefusingServer, Case, str], tuple[object, list[str]]]
) -> None:
    case = CASES[name]
    with refusing_server(case.no) as aws:
        code, lines = called(aws, case, verb)
    assert (code, len(lines)) == (2, 1), lines
    assert re.match(rf"pedigree: ({case.says})", lines[0]), lines[0]
