"""Jobs have containers whoever runs the daemon: root, or a user of the machine without any rights."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.kernel.client_access import BUNDLE
from tests.support.client_jobs import USERS, ClientJobs, RunningDaemon, running_daemon
from tests.support.loopback import free_port
from tests.support.scripts_of_jobs import HOSTS, INSTALL


@pytest.fixture(scope="module", params=list(USERS))
def running(request: pytest.FixtureRequest) -> Iterator[RunningDaemon]:
    with running_daemon(USERS[request.param]) as running:
        yield running


@pytest.fixture
def jobs(running: RunningDaemon) -> ClientJobs:
    return running.jobs


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for a job of the test."""
    return f"job-{abs(hash(request.node.nodeid))}"


def test_a_training_job_reads_and_writes_its_folders(jobs: ClientJobs, name: str) -> None:
    script = "import os; open('/opt/ml/model/weights', 'w').write('1'); print(os.getuid(), os.environ['HOME'])"
    output = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
    jobs.train(name, script, OutputDataConfig=output)
    assert jobs.completed(name) == ["0 /root"]
    assert jobs.get(f"out/{name}/output/model/weights") == b"1"


def test_a_processing_job_reads_and_writes_its_folders(jobs: ClientJobs, name: str) -> None:
    jobs.put(f"{name}/in/words", b"some words")
    script = """
from pathlib import Path
folder = Path("/opt/ml/processing")
(folder / "out" / "upper").write_text((folder / "in" / "words").read_text().upper())
"""
    jobs.process(name, script, f"{name}/in/", f"{name}/out/")
    jobs.completed(name, "Processing")
    assert jobs.get(f"{name}/out/upper") == b"SOME WORDS"


@pytest.mark.parametrize("isolated", [False, True])
def test_hosts_talk_to_each_other_by_their_names(jobs: ClientJobs, name: str, isolated: bool) -> None:
    jobs.train(name, HOSTS.replace("PORT", str(free_port())), hosts=2, EnableNetworkIsolation=isolated)
    assert jobs.completed(name) == ["heard algo-2"]


@pytest.mark.parametrize("isolated", [False, True])
def test_network_isolation_cuts_this_machine_off(jobs: ClientJobs, name: str, isolated: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]})).close()"
        jobs.train(name, script, EnableNetworkIsolation=isolated)
        assert jobs.status(name) == ("Failed" if isolated else "Completed")
    assert any("ConnectionRefusedError" in line for line in jobs.lines(name)) == isolated


WRITE = """
import os
for folder in ("/opt/ml", "/opt/ml/model", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"], "/etc", "/usr"):
    try:
        with open(f"{folder}/NAME", "w") as file:
            file.write("x")
    except OSError as error:
        print(folder, error.strerror)
"""


def test_what_a_job_writes_leaves_the_machine_untouched(running: RunningDaemon, name: str) -> None:
    running.jobs.train(name, WRITE.replace("NAME", name))
    assert running.jobs.completed(name) == ["/etc Read-only file system", "/usr Read-only file system"]
    machine = ("/opt/ml", "/opt/ml/model", "/tmp", "/var/tmp", "/dev/shm", "/root", "/etc", "/usr", running.user.home)
    assert not [folder for folder in machine if Path(folder, name).exists()]


WAIT = """
import pathlib, socket
for folder in ("/opt/ml", "/opt/ml/model", "/tmp", "/root", "/dev/shm"):
    pathlib.Path(folder, "of-another-job").write_text("secret")
socket.create_connection(("127.0.0.1", PORT)).recv(1)
"""
SEARCH = """
import os
for folder, folders, files in os.walk("/"):
    folders[:] = [] if folder in ("/proc", "/sys") else folders
    found = {"of-another-job", "of-the-home", "state.sqlite", "access-key.json"} & {*folders, *files}
    if found:
        print(folder, found)
others = {int(name) for name in os.listdir("/proc") if name.isdecimal()} - {1, os.getpid()}
print("searched; processes of others:", len(others))
"""


def test_a_job_finds_nothing_of_the_state_of_another_job_and_of_the_home(running: RunningDaemon, name: str) -> None:
    jobs = running.jobs
    secret = running.user.home / "of-the-home"
    secret.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        jobs.train(f"{name}-other", WAIT.replace("PORT", port))
        connection, _ = server.accept()
        with connection:
            assert next(running.folder.glob("jobs/*/*/opt/ml/of-another-job")).exists()
            jobs.train(name, SEARCH)
            assert jobs.completed(name) == ["searched; processes of others: 0"]
    jobs.completed(f"{name}-other")


def test_of_the_files_of_the_daemon_and_of_its_user_a_job_has_the_certificates_alone(
    running: RunningDaemon, name: str
) -> None:
    secret = running.user.home / "of-the-home"
    secret.write_text("secret")
    files = [secret, Path(__file__), *running.folder.iterdir()]
    assert all(path.exists() for path in files)
    script = f"import os; print(*(path for path in {list(map(str, files))} if os.path.exists(path)))"
    running.jobs.train(name, script)
    assert running.jobs.completed(name) == [str(running.folder / BUNDLE)]


def test_what_a_job_installs_is_not_there_for_the_next_one(jobs: ClientJobs, name: str) -> None:
    for number in (1, 2):
        jobs.train(f"{name}-{number}", INSTALL)
        assert jobs.completed(f"{name}-{number}") == ["installed"]
