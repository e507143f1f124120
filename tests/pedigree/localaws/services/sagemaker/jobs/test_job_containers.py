"""A job has a machine of its own: its real paths, its hosts' names, and nothing of this machine's users or daemon."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.support.job_runner import LocalJobs, channel
from tests.support.loopback import free_port
from tests.support.scripts_of_jobs import HOSTS, INSTALL

PLACES = ("/opt/ml/model", "/opt/ml/output", "/opt/ml/code", "/tmp", "/root", "/opt/new", "/var/tmp", "/dev/shm")


def lines(local: LocalJobs) -> list[str]:
    return [line for _, line in local.logs.lines]


def test_what_a_job_writes_stays_in_its_container(local: LocalJobs, tmp_path: Path) -> None:
    name = f"written-by-{tmp_path.name}"
    local.train(f"for folder in {' '.join(PLACES)}; do mkdir -p $folder; echo x > $folder/{name} || exit 1; done")
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert not [place for place in (*PLACES, str(Path.home())) if (Path(place) / name).exists()]


def test_system_folders_cannot_be_changed(local: LocalJobs, tmp_path: Path) -> None:
    name = f"written-by-{tmp_path.name}"
    local.train(f"echo x > /etc/{name}; echo x > /usr/{name}; echo end")
    assert local.ended()["TrainingJobStatus"] == "Completed"
    assert [line for line in lines(local) if "Read-only" in line] == lines(local)[:2]
    assert not any(Path(place, name).exists() for place in ("/etc", "/usr"))


def test_a_job_sees_nothing_of_the_daemon_of_other_jobs_and_of_the_user(local: LocalJobs) -> None:
    state = local.world.folder
    (state / "access-key.json").write_text("secret")
    other = state / "jobs" / "other" / "host-1" / "opt" / "ml"
    other.mkdir(parents=True)
    (other / "theirs").write_text("secret")
    secrets = (state / "access-key.json", other / "theirs", state / "state.sqlite", Path(__file__))
    assert all(path.exists() for path in secrets)
    local.run_script(
        f"for path in {' '.join(map(str, secrets))}; do cat $path && echo read; done; ls -A /home; echo end"
    )
    local.ended()
    assert [line.rpartition(": ")[2] for line in lines(local)] == ["No such file or directory"] * 4 + ["end"]


def test_a_home_is_the_jobs_own(local: LocalJobs) -> None:
    local.train("echo $HOME; ls -d ~; find ~ -maxdepth 1 -type f; cd ~ && echo x > .netrc && cat .netrc")
    local.ended()
    assert lines(local) == ["/root", "/root", "x"]


def test_a_channel_can_make_itself_executable_as_the_drivers_of_the_sdk_do(local: LocalJobs) -> None:
    local.put("drivers/sm_train.sh", "echo driven")
    driver = "/opt/ml/input/data/drivers/sm_train.sh"
    local.train(
        f"chmod +x {driver} && sh {driver} && touch $(dirname {driver})/new", InputDataConfig=[channel("drivers")]
    )
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert lines(local) == ["driven"]


def test_what_a_job_does_to_its_channels_leaves_the_objects_as_they_are(local: LocalJobs) -> None:
    local.put("train/a", "the same")
    script = "cd /opt/ml/input/data/train; rm a; echo harm > a; echo end"
    local.train(script, InputDataConfig=[channel("train")])
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert local.texts("train/") == {"train/a": "the same"}


@pytest.mark.parametrize("isolated", [False, True])
def test_hosts_talk_to_each_other_by_their_names(local: LocalJobs, isolated: bool) -> None:
    script = HOSTS.replace("PORT", str(free_port()))
    local.run_script(script, sys.executable, hosts=2, EnableNetworkIsolation=isolated)
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert lines(local) == ["heard algo-2"]


@pytest.mark.parametrize(("isolated", "status"), [(False, "Completed"), (True, "Failed")])
def test_network_isolation_cuts_this_machine_off(local: LocalJobs, isolated: bool, status: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]})).close()"
        local.run_script(script, sys.executable, EnableNetworkIsolation=isolated)
        assert local.ended()["TrainingJobStatus"] == status
    assert any("ConnectionRefusedError" in line for line in lines(local)) == isolated


def test_a_link_of_a_job_does_not_lead_the_daemon_out_of_its_container(local: LocalJobs) -> None:
    secret = local.world.folder / "access-key.json"
    secret.write_text("secret")
    script = f"""
    cd /opt/ml/output && ln -s {secret} failure && rm -r data && ln -s {local.world.folder} data
    echo 1 > /tmp/mine; cd /opt/ml/model && ln -s {secret} key && ln -s /tmp/mine mine && ln -s ../../..{secret} up
    ln -s loop loop; exit $STATUS
    """
    output = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
    local.run_script(script, OutputDataConfig=output, Environment={"STATUS": "0"})
    assert local.ended()["TrainingJobStatus"] == "Completed"
    assert local.texts("out") == {"out/job/output/model/mine": "1\n"}


def test_a_failure_that_is_a_link_says_nothing(local: LocalJobs) -> None:
    secret = local.world.folder / "access-key.json"
    secret.write_text("secret")
    local.train(f"ln -s {secret} /opt/ml/output/failure; exit 3")
    assert local.ended()["FailureReason"] == "AlgorithmError: , exit code: 3"


def test_what_a_job_installs_is_not_there_for_the_next_one(local: LocalJobs) -> None:
    for _ in range(2):
        local.run_script(INSTALL, sys.executable)
        assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
        local.service.answer("DeleteTrainingJob", {"TrainingJobName": "job"})
    assert lines(local) == ["installed", "installed"]


UNPACK = """
import subprocess, tarfile
with tarfile.open("/tmp/theirs.tar", "w") as archive:
    member = tarfile.TarInfo("file")
    member.uid = member.gid = 501
    archive.addfile(member)
subprocess.run(["tar", "-xf", "/tmp/theirs.tar", "-C", "/opt/ml/model"], check=True)
"""


def test_an_archive_of_another_users_files_is_unpacked(local: LocalJobs) -> None:
    local.run_script(UNPACK, sys.executable)
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)


def test_a_job_has_no_folder_left(local: LocalJobs) -> None:
    local.train(f"touch {sys.prefix}/new && rm {sys.prefix}/new")
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    local.runner.wait_for_cleanup("job")
    assert list((local.world.folder / "jobs").iterdir()) == []
