"""A script gives the definition of its pipeline, in whatever shape it is written, and nothing leaves the machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pedigree.sdk.errors import ScriptError
from pedigree.sdk.loading import load, script_call
from pedigree.sdk.script_pipeline import ScriptPipeline
from tests.support.scripts import FAIL_STEP, write_script

ROLE = "arn:aws:iam::111122223333:role/Owner"


def loaded(path: Path, choice: str = "", *arguments: str) -> ScriptPipeline:
    call = script_call(f"{path}:{choice}" if choice else str(path), arguments)
    assert call is not None
    return load(call)


def refusal(path: Path, choice: str = "", *arguments: str) -> str:
    with pytest.raises(ScriptError) as caught:
        loaded(path, choice, *arguments)
    return str(caught.value)


@pytest.mark.parametrize("target", ["pipeline.json", "-", "pipeline", "py"])
def test_what_is_no_script_is_left_to_others(target: str) -> None:
    assert script_call(target) is None


def test_a_pipeline_at_the_top_of_a_script_is_compiled(tmp_path: Path) -> None:
    pipeline = loaded(write_script(tmp_path, "pipeline = Pipeline('mine', [STEP])"))
    assert pipeline.name == "mine"
    assert json.loads(pipeline.definition)["Steps"] == [FAIL_STEP]


def test_a_script_that_creates_and_starts_its_pipeline_creates_nothing_and_its_values_are_kept(tmp_path: Path) -> None:
    code = f"""
    def main():
        pipeline = Pipeline("mine", [STEP])
        pipeline.upsert(role_arn="{ROLE}")
        arn = pipeline.start(parameters={{"Epochs": 3}})
        import boto3
        while True:  # until it ends
            boto3.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    if __name__ == "__main__":
        main()
    """
    pipeline = loaded(write_script(tmp_path, code))
    assert (pipeline.name, pipeline.role, dict(pipeline.parameters)) == ("mine", ROLE, {"Epochs": "3"})


def test_a_script_without_the_sdk_is_read_from_its_calls(tmp_path: Path) -> None:
    code = f"""
    import boto3, json
    client = boto3.Session(profile_name="of-nobody", region_name="eu-west-1").client("sagemaker")
    text = json.dumps({{"Version": "2020-12-01", "Steps": [{FAIL_STEP!r}]}})
    boto3.client("s3").put_object(Bucket="any", Key="large.json", Body=text.encode())
    client.create_pipeline(
        PipelineName="large", PipelineDefinitionS3Location={{"Bucket": "any", "ObjectKey": "large.json"}},
        RoleArn="{ROLE}", ClientRequestToken="t" * 32,
    )
    assert client.describe_pipeline(PipelineName="large")["RoleArn"] == "{ROLE}"
    """
    pipeline = loaded(write_script(tmp_path, code, uses_sdk=False))
    assert json.loads(pipeline.definition)["Steps"] == [FAIL_STEP]


def test_the_function_of_aws_templates_is_called_with_what_is_known(tmp_path: Path) -> None:
    code = """
    def get_pipeline(region, base_prefix, role=None, default_bucket=None, pipeline_name="Abalone"):
        assert role.endswith("AmazonSageMaker-ExecutionRole") and default_bucket
        return Pipeline(pipeline_name, [{**STEP, "Arguments": {"ErrorMessage": region}}])
    """
    pipeline = loaded(write_script(tmp_path, code))
    assert (pipeline.name, "us-east-1" in pipeline.definition) == ("Abalone", True)


def test_a_function_is_chosen_by_its_name_and_what_stands_below_main_is_left_out(tmp_path: Path) -> None:
    code = """
    def of_yesterday():
        return Pipeline("old", [STEP])
    def of_today():
        return Pipeline("new", [STEP])
    if __name__ == "__main__":
        raise SystemExit(3)
    """
    assert loaded(write_script(tmp_path, code), "of_yesterday").name == "old"


@pytest.mark.parametrize("choice", ["second", "b"])
def test_one_of_several_is_chosen_by_its_own_name_or_the_scripts(tmp_path: Path, choice: str) -> None:
    path = write_script(tmp_path, "a, b = Pipeline('first', [STEP]), Pipeline('second', [STEP])")
    assert loaded(path, choice).name == "second"


def test_a_script_has_its_arguments_and_its_neighbours(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "pipelines"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "names.py").write_text("PREFIX = 'my'")
    code = """
    import sys
    from .names import PREFIX
    import names
    from pipelines.names import PREFIX as again
    assert PREFIX == again == names.PREFIX
    Pipeline(f"{PREFIX}-{sys.argv[1]}", [STEP])
    """
    write_script(folder, code)
    assert loaded(folder / "pipeline.py", "", "first").name == "my-first"


def test_identity_roles_buckets_and_uploads_are_there_and_everything_else_is_absent(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * (9 << 20))
    code = """
    import boto3
    sts, iam, s3, ssm = (boto3.client(name) for name in ("sts", "iam", "s3", "ssm"))
    assert ":assumed-role/" in sts.get_caller_identity()["Arn"]
    assert iam.get_role(RoleName="Mine")["Role"]["Arn"].endswith(":role/Mine")
    s3.create_bucket(Bucket="any")
    s3.upload_file("large.bin", "any", "large.bin")  # in parts
    assert s3.list_objects_v2(Bucket="any", Prefix="la")["Contents"][0]["Size"] == 9 << 20
    assert s3.get_object(Bucket="any", Key="large.bin")["Body"].read(2) == b"xx"
    assert boto3.client("sagemaker").list_tags(ResourceArn="arn:aws:sagemaker:us-east-1:1:model/x")["Tags"] == []
    try:
        ssm.get_parameter(Name="mine")
    except ssm.exceptions.ClientError as error:
        Pipeline(error.response["Error"]["Code"], [STEP])
    """
    path = write_script(tmp_path, code)
    code_here = path.read_text().replace('"large.bin", "any"', f'{str(tmp_path / "large.bin")!r}, "any"')
    path.write_text(code_here)
    assert loaded(path).name == "ResourceNotFoundException"


def test_a_script_prints_where_it_disturbs_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded(write_script(tmp_path, "print('hello'); Pipeline('mine', [STEP])"))
    assert capfd.readouterr() == ("", "")


MISTAKES = {
    "x = 1": "pipeline.py defines no pipeline; make a sagemaker Pipeline in it, or name a function: SCRIPT:NAME",
    "a, b = Pipeline('a'), Pipeline('b')": "pipeline.py defines 2 pipelines: a, b; choose one: .*pipeline.py:a$",
    "import os\nos.environ['BUCKET']": r"pipeline.py:5: KeyError: 'BUCKET'; set it before: BUCKET=…",
    "import sagemaker.mlops": r"No module named 'sagemaker.mlops'; install it .* -m pip install 'sagemaker>=3'$",
    "import sagemaker.estimator": r"-m pip install 'sagemaker<3'$",
    "import of_nobody": "pipeline.py:4: ModuleNotFoundError: No module named 'of_nobody'; install it where ",
    "def get_pipeline(config): ...": r"get_pipeline\(\) of .*pipeline.py needs config, and pedigree cannot know",
    "def get_pipeline(): return 1": r"get_pipeline\(\) of .*pipeline.py returns int, no Pipeline; return it",
    "import sys\nsys.exit('no region')": "ended itself with exit code 1: no region; give its arguments after --",
    "x = (": r"pipeline.py:4: SyntaxError: '\(' was never closed",
    "import urllib.request\nurllib.request.urlopen('https://example.com')": (
        "pipeline.py:5: pedigree runs a script without network, and it asks for example.com; fetch it before"
    ),
    "import boto3\nboto3.client('ssm').get_parameter(Name='x')": ".py:5: .*GetParameter finds nothing; the script runs",
    "import os\nos._exit(4)": "ended its process with 4",
}  # fmt: skip


@pytest.mark.parametrize("code", MISTAKES, ids=lambda code: code.partition("\n")[0])
def test_a_script_that_gives_no_pipeline_is_one_line_with_the_users_own_place(tmp_path: Path, code: str) -> None:
    written = refusal(write_script(tmp_path, f"\n{code}"))
    assert re.search(MISTAKES[code], written), written
    assert "\n" not in written


def test_an_unknown_name_is_answered_with_the_closest(tmp_path: Path) -> None:
    path = write_script(tmp_path, "def nightly(): return Pipeline('a')\nPipeline('weekly')")
    assert "has no pipeline and no function nightli; did you mean nightly?" in refusal(path, "nightli")


def test_the_question_whether_a_file_is_a_script_imports_no_http_client() -> None:
    code = "import sys; import pedigree.sdk.loading; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "is no file; name a Python script" in refusal(tmp_path / "gone.py")
