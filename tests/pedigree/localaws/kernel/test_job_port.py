"""Jobs that start together find their own processes, although they share the ports of one machine."""

from __future__ import annotations

import socket

from pedigree.localaws.kernel.job_port import job_port


def test_a_job_has_the_same_free_port_each_time() -> None:
    port = job_port("train")
    assert job_port("train") == port
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", port))


def test_jobs_of_other_names_have_other_ports() -> None:
    ports = {job_port(f"train-{number}") for number in range(20)}
    assert len(ports) > 15


def test_a_port_on_which_somebody_listens_is_left_out() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", job_port("train")))
        listening.listen()
        assert job_port("train") != listening.getsockname()[1]
