"""Verbs on executions need no project: --pipeline names any pipeline of the account that boto3 finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.cli.account import connect_account
from pedigree.cli.errors import UsageError
from pedigree.cli.options import PipelineOptions
from tests.support.fakes.aws import ACCOUNT

pytestmark = pytest.mark.usefixtures("empty_account", "far_from_any_project")


@pytest.fixture
def far_from_any_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_named_pipeline_is_looked_for_where_boto3_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    context = connect_account(PipelineOptions(pipeline="any"))
    assert (context.pipeline, context.account.id, context.account.region) == ("any", ACCOUNT, "eu-north-1")


def test_options_name_another_region() -> None:
    assert connect_account(PipelineOptions(pipeline="any", region="eu-west-1")).account.region == "eu-west-1"


def test_settings_beside_a_named_pipeline_are_a_mistake() -> None:
    with pytest.raises(UsageError, match="--pipeline names a pipeline, and so does --settings; leave one of them out"):
        connect_account(PipelineOptions("a.toml", pipeline="any"))
