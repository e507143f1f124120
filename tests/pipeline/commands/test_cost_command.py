"""`pedigree cost` on the command line: without an account, with one, and after AWS gave its prices."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner, Result

from pedigree.account.errors import UnreachableError
from pedigree.cli.errors import UsageError
from pedigree.cli.main import app
from tests.support.fakes.aws import aws
from tests.support.price_lists import instance_price

NO_ACCOUNT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>me</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and no way to any account."""
    monkeypatch.chdir(tmp_path)
    Path("settings.toml").write_text("[distributed]\nenabled = false\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in NO_ACCOUNT:
        monkeypatch.delenv(name, raising=False)


class Aws(BaseHTTPRequestHandler):
    """The calls of a refresh: the caller's identity, and the price of one machine."""

    authorizations: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.authorizations.append(self.headers["Authorization"])
        is_price = "X-Amz-Target" in self.headers
        found = [instance_price("ml.m5.large", "Hosting", "Host", "0.5")] if '"ml.m5.large"' in body else []
        answer = json.dumps({"FormatVersion": "aws_v1", "PriceList": found}) if is_price else _IDENTITY
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if is_price else "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Aws) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield
        server.shutdown()


def pedigree(*arguments: str) -> Result:
    return CliRunner().invoke(app(), ["cost", *arguments], catch_exceptions=False)


def test_it_needs_no_account_and_says_what_it_assumes() -> None:
    result = pedigree()
    assert result.exit_code == 0
    assert (
        "hours are assumed, because past executions cannot be read: there are no AWS credentials here" in result.stderr
    )
    assert "0.25 h each (assumed)" in result.stdout


def test_with_assumed_hours_no_account_is_read() -> None:
    result = pedigree("--assumed")
    assert result.stderr == ""
    assert "endpoint dog-breeds" in result.stdout


def test_hours_can_be_given() -> None:
    result = pedigree("--assumed", "--hours", "Tune=2", "--hours", "Evaluate=0.5", "--json")
    hours = {step["job"]["step"]: step["hours"]["each"] for step in json.loads(result.stdout)["steps"]}
    assert hours == {"PrepareData": 0.25, "Tune": 2.0, "TrainBest": 0.5, "Evaluate": 0.5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Tune=2,5", "cannot be; write it like --hours PrepareData=1.5"),
        ("Tune", "cannot be; write it like"),
        ("Tune=-1", "cannot be; write it like"),
        ("Tun=1", r"Tun is not a step that runs machines; did you mean Tune\?"),
        ("TrainDistributed=1", "is not a step that runs machines"),
    ],
)
def test_impossible_hours_are_reported(given: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pedigree("--assumed", "--hours", given)


def test_prices_cannot_be_refreshed_without_an_account() -> None:
    with pytest.raises(UnreachableError, match="no AWS credentials"):
        pedigree("--refresh")


@pytest.mark.usefixtures("_aws")
def test_refreshed_prices_are_kept_for_the_next_time() -> None:
    first = pedigree("--assumed", "--refresh", "--region", "eu-central-1")
    assert "prices are kept in" in first.stderr
    assert "1 to 3 × ml.m5.large, day and night  365.00 to 1,095.00" in first.stdout
    assert any("/us-east-1/pricing/" in authorization for authorization in Aws.authorizations), (
        "the Pricing API is asked where it is"
    )
    assert pedigree("--assumed", "--region", "eu-central-1").stdout == first.stdout
    assert "83.95 to 251.85" in pedigree("--assumed").stdout


def test_broken_cached_prices_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "pedigree" / "prices-us-east-1.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"date":')
    with pytest.raises(
        UsageError, match=r"prices-us-east-1\.json: this is no table of prices .*; remove it, or ask anew with"
    ):
        pedigree("--assumed")


def test_an_account_without_executions_leaves_hours_assumed() -> None:
    with aws():
        result = pedigree()
    assert result.exit_code == 0
    assert "(assumed)" in result.stdout
