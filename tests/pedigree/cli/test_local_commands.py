"""`pedigree local`: one daemon for a folder, found again, ended cleanly, and nothing lost when it is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pedigree.account.account import Account
from pedigree.account.apply import apply_change
from pedigree.account.start import StartRequest, start
from pedigree.clock import SystemClock
from pedigree.localaws import process
from pedigree.localaws.kernel.access_key import WELL_KNOWN, AccessKey
from pedigree.localaws.process import Daemon
from pipeline.commands import run
from pipeline.commands.context import ProjectContext
from tests.support import local_aws
from tests.support.accounts import settings
from tests.support.images import images_file
from tests.support.lambda_functions import TRUST
from tests.support.pipelines import ROLE, definition, processing_step
from tests.support.processes import enable_interrupts, running_processes
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]


def pedigree(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from pedigree.cli.main import main; main()", "local", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    process.down(tmp_path / "state")


def up(folder: Path) -> None:
    result = pedigree("up", "--folder", str(folder))
    assert result.returncode == 0, result.stderr


def running(folder: Path) -> Daemon:
    found = process.find(folder)
    assert found is not None
    return found


def client(folder: Path, service: str) -> Any:
    return local_aws.client(running(folder).url, service, running(folder).key)


def test_up_prints_what_a_shell_needs_and_a_second_up_finds_the_first(folder: Path) -> None:
    first = pedigree("up", "--folder", str(folder))
    assert first.returncode == 0
    assert f"export AWS_ENDPOINT_URL={running(folder).url}\n" in first.stdout
    assert pedigree("up", "--folder", str(folder)).stdout == first.stdout


def test_a_shell_can_have_the_session_of_a_role_as_a_notebook_has(folder: Path) -> None:
    up(folder)
    iam = client(folder, "iam")
    by_sagemaker = TRUST.replace("lambda", "sagemaker")
    iam.create_role(RoleName="notebook", Path="/service-role/", AssumeRolePolicyDocument=by_sagemaker)
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=TRUST)
    printed = pedigree("env", "--folder", str(folder), "--as-role", "notebook").stdout
    exported = dict(re.findall(r"export (\w+)='?([^'\n]*)", printed))
    key, secret, token = (exported[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=running(folder).url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/notebook/SageMaker")
    script = "import boto3; print(boto3.client('sts', endpoint_url='https://sts.amazonaws.com').get_caller_identity()['Arn'])"
    done = pedigree("exec", "--folder", str(folder), "--as-role", "notebook", "--", sys.executable, "-c", script)
    assert done.stdout.endswith(":assumed-role/notebook/SageMaker\n"), done.stderr
    unknown = pedigree("env", "--folder", str(folder), "--as-role", "nobody")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == "pedigree: the local AWS has no role nobody; name one that it has: notebook, other\n"
    denied = pedigree("env", "--folder", str(folder), "--as-role", "other")
    assert denied.returncode == 2
    assert "root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam:" in denied.stderr


def test_a_command_runs_with_the_local_aws_and_its_exit_code_is_kept(folder: Path) -> None:
    refused = pedigree("exec", "--folder", str(folder), "--", "true")
    assert (refused.returncode, "start it with: `pedigree local up`" in refused.stderr) == (2, True)
    up(folder)
    done = pedigree(
        "exec", "--folder", str(folder), "--", "sh", "-c", 'echo "$AWS_ENDPOINT_URL $1"; exit 7', "sh", "--help"
    )
    assert (done.returncode, done.stdout) == (7, f"{running(folder).url} --help\n")
    absent = pedigree("exec", "--folder", str(folder), "--", "no-such-program")
    assert absent.returncode == 2
    assert (
        absent.stderr == "pedigree: no-such-program cannot be run: No such file or directory; name a program after --\n"
    )


def test_the_proxy_keeps_its_port_and_says_what_it_refuses(folder: Path) -> None:
    up(folder)
    port = running(folder).proxy_port
    pedigree("down", "--folder", str(folder))
    pedigree("up", "--folder", str(folder), "--offline")
    assert running(folder).proxy_port == port
    said = pedigree("status", "--folder", str(folder)).stdout
    assert f"AWS's host names: by the proxy http://127.0.0.1:{port}; all other hosts are refused" in said


def keys(folder: Path) -> tuple[str, str]:
    key = running(folder).key
    return key.id, key.secret


def test_each_folder_has_keys_of_its_own_until_it_is_reset(folder: Path, tmp_path: Path) -> None:
    printed = pedigree("up", "--folder", str(folder)).stdout
    first = keys(folder)
    assert f"export AWS_ACCESS_KEY_ID={first[0]}\nexport AWS_SECRET_ACCESS_KEY={first[1]}\n" in printed
    process.down(folder)
    up(folder)
    assert keys(folder) == first
    pedigree("reset", "--folder", str(folder), "--yes")
    up(folder)
    assert set(keys(folder)).isdisjoint(first)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        local_aws.client(running(folder).url, "sts", AccessKey(*first)).get_caller_identity()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        local_aws.client(running(folder).url, "sts", WELL_KNOWN).get_caller_identity()


def test_the_well_known_keys_are_accepted_on_request_and_status_says_so(folder: Path) -> None:
    up(folder)
    own, first = running(folder).key, running(folder).pid
    printed = pedigree("up", "--well-known-keys", "--folder", str(folder)).stdout
    assert running(folder).pid != first
    assert "export AWS_ACCESS_KEY_ID=local\nexport AWS_SECRET_ACCESS_KEY=local\n" in printed
    for key in (own, WELL_KNOWN):
        assert local_aws.client(running(folder).url, "sts", key).get_caller_identity()["Arn"].endswith(":root")
    assert "every user of this machine may do everything" in pedigree("status", "--folder", str(folder)).stdout
    process.down(folder)
    up(folder)
    assert running(folder).key == own
    assert "every user" not in pedigree("status", "--folder", str(folder)).stdout


def test_status_says_why_jobs_have_no_containers(folder: Path) -> None:
    up(folder)
    has_containers = not running(folder).why_no_containers
    assert ("no containers" in pedigree("status", "--folder", str(folder)).stdout) != has_containers
    pedigree("up", "--no-namespaces", "--folder", str(folder))
    assert running(folder).why_no_containers
    assert "jobs have no containers: " in pedigree("status", "--folder", str(folder)).stdout


def test_an_engine_runs_images_once_it_is_asked_for_and_status_says_so(folder: Path) -> None:
    up(folder)
    assert "images are run by" not in pedigree("status", "--folder", str(folder)).stdout
    pedigree("up", "--engine", "auto", "--folder", str(folder))
    assert "images are run by: auto\n" in pedigree("status", "--folder", str(folder)).stdout
    second = running(folder).pid
    up(folder)
    assert running(folder).pid == second
    refused = pedigree("up", "--engine", "lxc", "--folder", str(folder))
    assert refused.returncode == 2
    assert "lxc is no engine; give --engine one of none, auto, docker, podman, nerdctl, finch" in refused.stderr


def test_a_folder_to_mount_must_exist_and_joins_those_of_a_running_one(folder: Path, tmp_path: Path) -> None:
    refused = pedigree("up", "--mount", str(tmp_path / "absent"), "--folder", str(folder))
    assert (refused.returncode, "is no folder" in refused.stderr) == (2, True)
    up(folder)
    first = running(folder).pid
    pedigree("up", "--mount", str(tmp_path), "--folder", str(folder))
    assert running(folder).mounts == [str(tmp_path.resolve())]
    second = running(folder).pid
    pedigree("up", "--folder", str(folder))
    assert first != second == running(folder).pid


def open_to_others(folder: Path) -> list[Path]:
    """What another user of this machine may read, write or enter."""
    return [path for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]


def test_no_other_user_reads_its_folder(folder: Path) -> None:
    up(folder)
    client(folder, "iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    client(folder, "s3").create_bucket(Bucket="bucket")
    client(folder, "s3").put_object(Bucket="bucket", Key="a", Body=b"content")
    assert open_to_others(folder) == []


def test_a_folder_that_was_open_to_others_is_closed(folder: Path) -> None:
    up(folder)
    process.down(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    up(folder)
    assert open_to_others(folder) == []


def test_the_daemon_does_not_inherit_the_keys_of_an_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of a real account")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    up(folder)
    assert b"\0AWS_" not in Path(f"/proc/{running(folder).pid}/environ").read_bytes()
    command = Path(f"/proc/{running(folder).pid}/cmdline").read_bytes()
    assert running(folder).key.secret.encode() not in command


def test_without_iam_a_key_is_needed_all_the_same(folder: Path) -> None:
    assert pedigree("up", "--no-iam", "--folder", str(folder)).returncode == 0
    assert client(folder, "sagemaker").list_models()["Models"] == []
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        local_aws.client(running(folder).url, "sagemaker", AccessKey("anybody", "anybody")).list_models()


def test_status_and_down_say_how_it_is(folder: Path) -> None:
    assert pedigree("status", "--folder", str(folder)).returncode == 1
    pedigree("up", "--folder", str(folder))
    result = pedigree("status", "--folder", str(folder))
    assert (result.returncode, running(folder).url in result.stdout) == (0, True)
    assert pedigree("down", "--folder", str(folder)).stdout == "ended\n"
    assert pedigree("down", "--folder", str(folder)).stdout == "it was not running\n"
    assert "listening on" in pedigree("logs", "--folder", str(folder)).stdout


def test_reset_asks_and_forgets(folder: Path) -> None:
    pedigree("up", "--folder", str(folder))
    refused = pedigree("reset", "--folder", str(folder))
    assert (refused.returncode, "add --yes" in refused.stderr) == (2, True)
    assert pedigree("reset", "--folder", str(folder), "--yes").returncode == 0
    assert not folder.exists()


def test_reset_leaves_a_folder_that_is_none_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    refused = pedigree("reset", "--folder", str(tmp_path), "--yes")
    assert (refused.returncode, "is no folder of a local AWS" in refused.stderr) == (2, True)
    assert (tmp_path / "precious.txt").exists()


def test_nothing_acknowledged_is_lost_when_it_is_killed(folder: Path) -> None:
    up(folder)
    client(folder, "iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=TRUST)
    client(folder, "s3").create_bucket(Bucket="bucket")
    client(folder, "s3").put_object(Bucket="bucket", Key="a", Body=b"content")
    client(folder, "sagemaker").create_model_package_group(ModelPackageGroupName="dogs")
    killed = running(folder)
    os.kill(killed.pid, signal.SIGKILL)
    until(lambda: process.is_running(folder), expected=False)
    up(folder)
    assert (running(folder).pid != killed.pid, running(folder).url) == (True, killed.url)
    assert [role["RoleName"] for role in client(folder, "iam").list_roles()["Roles"]] == ["pipeline"]
    assert client(folder, "s3").get_object(Bucket="bucket", Key="a")["Body"].read() == b"content"
    groups = client(folder, "sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == ["dogs"]


def test_several_who_start_it_at_once_have_one(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: pedigree("up", "--folder", str(folder)), range(4)))
    assert {(result.returncode, result.stdout) for result in results} == {(0, results[0].stdout)}, results


def test_what_a_killed_one_has_left_is_ended_with_it(folder: Path, tmp_path: Path) -> None:
    images = str(images_file(tmp_path))
    pedigree("up", "--no-iam", "--mount", str(tmp_path), "--images", images, "--folder", str(folder))
    started = tmp_path / "started"
    client(folder, "sagemaker").create_processing_job(
        ProcessingJobName="job",
        RoleArn="arn:aws:iam::123456789012:role/job",
        AppSpecification={
            "ImageUri": "image",
            "ContainerEntrypoint": ["/bin/sh", "-c", f"echo > {started}; exec sleep 1000"],
        },
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    until(lambda: started.exists() and started.read_text().endswith("\n"), expected=True)
    os.kill(running(folder).pid, signal.SIGKILL)
    until(lambda: process.is_running(folder), expected=False)
    assert pedigree("down", "--folder", str(folder)).stdout == "it was not running\n"
    until(lambda: running_processes(folder), expected=[])


def test_a_port_that_is_taken_is_reported(folder: Path, tmp_path: Path) -> None:
    up(folder)
    other = pedigree("up", "--folder", str(tmp_path / "other"), "--port", str(running(folder).port))
    assert (other.returncode, "Address already in use" in other.stderr) == (2, True)


def test_every_call_is_in_the_log_on_request(folder: Path) -> None:
    up(folder)
    client(folder, "sagemaker").list_pipelines()
    assert "ListPipelines" not in process.log_path(folder).read_text()
    assert pedigree("up", "--folder", str(folder), "--verbose").returncode == 0
    client(folder, "sagemaker").list_pipelines()
    until(lambda: "sagemaker ListPipelines: 200 in" in process.log_path(folder).read_text(), True)


def test_a_daemon_that_could_run_no_jobs_is_started_anew_once_it_can(folder: Path, tmp_path: Path) -> None:
    container = tmp_path / "container"

    def again(*arguments: str) -> Daemon:
        result = pedigree("up", "--folder", str(folder), "--container", str(container), *arguments)
        assert result.returncode == 0, result.stderr
        return running(folder)

    first = again()
    container.mkdir()
    second = again()
    assert (first.has_container, second.has_container) == (False, True)
    assert second.pid != first.pid
    assert again().pid == second.pid
    assert not again("--no-iam").enforces_iam


def commands(folder: Path) -> list[str]:
    """The processes of a folder, by their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has just ended
        found += [words] if "-m pedigree.localaws" in words and str(folder) in words else []
    return found


def test_an_interruption_of_its_start_leaves_none(folder: Path) -> None:
    code = "import sys; from pathlib import Path; from pedigree.localaws import process; process.up(Path(sys.argv[1]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stderr=subprocess.DEVNULL, preexec_fn=enable_interrupts
    ) as starting:
        until(lambda: bool(commands(folder)), expected=True)
        starting.send_signal(signal.SIGINT)
        assert starting.wait(300) != 0
    assert (commands(folder), process.is_running(folder)) == ([], False)


def test_nothing_of_it_is_left_after_its_end(folder: Path) -> None:
    up(folder)
    assert process.down(folder)
    assert commands(folder) == []


def test_its_end_is_seen_at_once_although_its_parent_has_not_waited_for_it(folder: Path) -> None:
    """As when `make run` has started it and goes on."""
    begin = "import sys, pathlib; from pedigree.localaws import process; process.up(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", f"{begin}; print(flush=True); sys.stdin.read()", str(folder)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    with parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        ended = pedigree("down", "--folder", str(folder))
        assert parent.poll() is None
    assert (ended.returncode, ended.stdout) == (0, "ended\n")


def test_one_that_is_just_starting_is_ended_too(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-m", "pedigree.localaws", "--folder", str(folder)], cwd=ROOT) as daemon:
        until(lambda: process.is_running(folder), expected=True)
        assert process.down(folder)
        assert daemon.wait(300) == 0


def test_what_an_interrupted_run_has_begun_has_ended_when_it_says_so(folder: Path, tmp_path: Path) -> None:
    images = str(images_file(tmp_path))
    pedigree("up", "--no-iam", "--mount", str(tmp_path), "--images", images, "--folder", str(folder))
    own, started = settings(), tmp_path / "started"
    name = own.pipeline.name
    script = f"trap 'sleep 0.5; exit 1' TERM; echo > {started}; while :; do sleep 0.1; done"
    slow = processing_step("Slow", "/bin/sh", "-c", script)
    client(folder, "sagemaker").create_pipeline(PipelineName=name, PipelineDefinition=definition(slow), RoleArn=ROLE)
    account = Account("123456789012", "us-east-1", lambda service: client(folder, service), "me", SystemClock())
    change = start(account, name, StartRequest((), "", "a run"))
    arn = apply_change(change, account)["started"]["PipelineExecutionArn"]
    until(lambda: started.exists() and started.read_text().endswith("\n"), expected=True)
    run.end(run.RunState(context=ProjectContext(account, name, own), starting=change), folder)
    assert not running_processes(folder)
    description = client(folder, "sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    assert description["PipelineExecutionStatus"] == "Stopped"
    assert process.is_running(folder)
