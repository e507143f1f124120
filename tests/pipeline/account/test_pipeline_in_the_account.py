"""The pipeline in an account: created once, updated where its meaning differs, and the same after any failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from pedigree.account.account import Account
from pedigree.account.errors import NameTakenError, UnfinishedError
from pedigree.account.plan import plan
from pedigree.language.definition import read
from pipeline.account.managed_pipeline import INLINE_BYTES, ManagedPipeline, managed_pipeline
from pipeline.settings.parameters import declare
from pipeline.settings.tree import Settings
from steps.site import OWNER
from tests.support.accounts import RecordedClients, account, apply_resources, client, reasons
from tests.support.definitions import CODE, configure
from tests.support.fakes.aws import ACCOUNT, REGION

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
LONG = {
    "tuning.ranges": {"learning_rate": {"type": "categorical", "values": [number / 1000 for number in range(1, 31)]}}
}


pytestmark = pytest.mark.usefixtures("empty_account")


@cache
def made(epochs: int = 50) -> ManagedPipeline:
    return managed_pipeline(configure({"site.account": ACCOUNT, "training.epochs": epochs}), CODE)


def resource(values: Mapping[str, Any]) -> ManagedPipeline:
    return managed_pipeline(configure({"site.account": ACCOUNT, **values}), CODE)


def large() -> ManagedPipeline:
    small = made()
    return ManagedPipeline(small.settings, {**small.document, "Metadata": {"note": "ä" * (INLINE_BYTES // 2)}})


def there() -> dict[str, Any]:
    sagemaker = client("sagemaker")
    found = sagemaker.describe_pipeline(PipelineName="dog-breeds")
    arn = found["PipelineArn"]
    assert [pipeline["PipelineName"] for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]] == ["dog-breeds"]
    members = ("PipelineName", "PipelineDefinition", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
    return {**{key: found[key] for key in members}, "Tags": sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def make_bucket() -> None:
    client("s3").create_bucket(Bucket=BUCKET)


def test_it_is_made_as_settings_have_it() -> None:
    steps = len(list(read(made().document).all_steps()))
    assert reasons(apply_resources([made()], account())) == [f"{steps} steps, {len(declare(Settings()))} parameters"]
    found = there()
    assert json.loads(found["PipelineDefinition"]) == made().document
    assert found["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/pedigree-pipeline"
    assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 5}
    assert {tag["Key"] for tag in found["Tags"]} == {"project", OWNER}


def test_a_second_look_reads_only() -> None:
    apply_resources([made()], account())
    watched = RecordedClients()
    assert not plan([made()], account(watched))
    assert watched.writing() == []
    assert [name for _, name, _ in watched.calls] == ["describe_pipeline", "list_tags"]


def test_a_definition_that_is_written_otherwise_is_the_same() -> None:
    apply_resources([made()], account())
    written = json.dumps(made().document, indent=2, sort_keys=True)
    client("sagemaker").update_pipeline(PipelineName="dog-breeds", PipelineDefinition=written)
    assert not plan([made()], account())


def test_differences_are_shown_and_mended() -> None:
    apply_resources([made()], account())
    lines = reasons(apply_resources([resource({"training.epochs": 3, "pipeline.parallel_steps": 2})], account()))
    assert lines[:2] == [
        'ParallelismConfiguration is {"MaxParallelExecutionSteps": 5}, not {"MaxParallelExecutionSteps": 2}',
        "parameter Epochs: default 50 → 3",
    ]
    assert "Tune loses its cached results: Epochs has another default" in lines
    assert there()["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/other"}, "RoleArn is "),
        ({"PipelineDescription": "mine"}, "PipelineDescription is mine, not From a folder"),
        ({"PipelineDefinition": "no JSON"}, "the definition that is there cannot be read: not JSON"),
        ({"PipelineDefinition": '{"Steps": []}'}, "step PrepareData added: Processing"),
    ],
)
def test_manual_changes_are_mended(drift: dict[str, Any], expected: str) -> None:
    apply_resources([made()], account())
    before = there()
    client("sagemaker").update_pipeline(PipelineName="dog-breeds", **drift)
    lines = reasons(apply_resources([made()], account()))
    assert any(line.startswith(expected) for line in lines), lines
    assert there() == before


def test_tags_alone_leave_the_pipeline_as_it_is() -> None:
    apply_resources([made()], account())
    sagemaker = client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="dog-breeds")["PipelineArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["project"])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "theirs", "Value": "kept"}])
    watched = RecordedClients()
    assert reasons(apply_resources([made()], account(watched))) == ["tag project is missing"]
    assert watched.writing() == ["sagemaker add_tags"]
    assert {tag["Key"] for tag in there()["Tags"]} == {"project", OWNER, "theirs"}


def test_a_large_definition_goes_by_way_of_the_bucket() -> None:
    make_bucket()
    watched = RecordedClients()
    apply_resources([large()], account(watched))
    assert watched.writing() == ["s3 put_object", "sagemaker create_pipeline"]
    assert json.loads(there()["PipelineDefinition"]) == large().document
    keys = [object_["Key"] for object_ in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert [key.rpartition("/")[0] for key in keys] == ["pedigree/definitions"]
    again = RecordedClients()
    assert not plan([large()], account(again))
    assert again.writing() == []


def test_a_definition_just_within_the_limit_stays_in_the_request() -> None:
    assert len(json.dumps(resource(LONG).document).encode()) < INLINE_BYTES
    watched = RecordedClients()
    apply_resources([resource(LONG)], account(watched))
    assert watched.writing() == ["sagemaker create_pipeline"]


def test_a_pipeline_that_was_not_made_from_here_is_left_alone() -> None:
    sagemaker = client("sagemaker")
    theirs = {
        "PipelineName": "dog-breeds",
        "PipelineDefinition": '{"Steps": []}',
        "RoleArn": made().settings.site.role("pipeline"),
    }
    arn = sagemaker.create_pipeline(**theirs, ClientRequestToken="x" * 32)["PipelineArn"]
    with pytest.raises(
        NameTakenError, match=r"was not made for this pipeline; choose another pipeline\.name in settings, or tag it"
    ):
        plan([made()], account())
    sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": OWNER, "Value": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/cats"}]
    )
    with pytest.raises(NameTakenError, match=r"belongs to .*cats"):
        plan([made()], account())


def test_a_pipeline_that_another_user_made_meanwhile_is_read_again() -> None:
    def quicker(_service: str, operation: str, _arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        if operation == "create_pipeline":
            apply_resources([made(3)], account())
        return call()

    apply_resources([made()], account(RecordedClients(around=quicker)))
    assert json.loads(there()["PipelineDefinition"]) == made().document


def test_a_pipeline_that_is_going_is_waited_for_by_the_user() -> None:
    class Deleting:
        def describe_pipeline(self, **_: Any) -> dict[str, Any]:
            return {"PipelineStatus": "Deleting"}

    going = Account(ACCOUNT, REGION, lambda service: Deleting())
    with pytest.raises(UnfinishedError, match="run it again in a minute"):
        plan([made()], going)
