"""The command lines of engines, as docker documents them."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from pedigree.localaws.containers.container import Mount
from pedigree.localaws.engine import command_lines
from pedigree.localaws.engine.command_lines import NO_NETWORK, EngineContainer
from pedigree.localaws.images.errors import RecipeError
from pedigree.localaws.images.recipe import parse

HOST = EngineContainer("job-algo-1", "team/image:1", "/folder", "algo-1")


def options(line: tuple[str, ...], name: str) -> list[str]:
    """The values of an option, in order."""
    return [value for word, value in itertools.pairwise(line) if word == name]


def test_a_container_has_a_name_a_label_and_the_machine_s_network() -> None:
    assert command_lines.run("docker", HOST) == (
        *("docker", "run", "--rm", "--name", "job-algo-1", "--label", "pedigree.local-aws=/folder"),
        *("--hostname", "algo-1", "--network", "host", "team/image:1"),
    )


def test_an_entrypoint_comes_before_the_image_and_the_rest_of_the_command_behind_it() -> None:
    made = EngineContainer("n", "i:1", "/f", "h", ("-c", "echo a b"), "/bin/sh")
    assert command_lines.run("docker", made)[-5:] == ("--entrypoint", "/bin/sh", "i:1", "-c", "echo a b")


def test_folders_are_mounted_whatever_their_names_are() -> None:
    mounts = (Mount(Path('/a,"b" c'), "/opt/ml/input", is_writable=True), Mount(Path("/d"), "/e"))
    first, second = options(command_lines.run("docker", EngineContainer("n", "i", "/f", "h", mounts=mounts)), "--mount")
    assert next(csv.reader([first])) == ["type=bind", 'source=/a,"b" c', "target=/opt/ml/input"]
    assert second == "type=bind,source=/d,target=/e,readonly"


def test_values_are_not_in_the_list_of_processes_unless_the_engine_would_read_them() -> None:
    variables = {
        "AWS_SECRET_ACCESS_KEY": "secret",
        "TEXT": "a\nb",
        "HOME": "/x",
        "HTTPS_PROXY": "p",
        "DOCKER_HOST": "d",
    }
    made = EngineContainer("n", "i", "/f", "h", variables=variables)
    written = ["AWS_SECRET_ACCESS_KEY", "TEXT", "HOME=/x", "HTTPS_PROXY=p", "DOCKER_HOST=d"]
    assert options(command_lines.run("docker", made), "--env") == written
    assert command_lines.environment(made) == {"AWS_SECRET_ACCESS_KEY": "secret", "TEXT": "a\nb"}


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "XDG_RUNTIME_DIR", "CONTAINERS_CONF", "no_proxy", "GODEBUG"])
def test_a_job_cannot_change_the_engine_by_its_variables(name: str) -> None:
    assert command_lines.environment(EngineContainer("n", "i", "/f", "h", variables={name: "x"})) == {}


def test_hosts_know_each_other_by_addresses_or_by_the_names_of_a_network_of_their_own() -> None:
    addresses = {"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"}
    together = command_lines.run("docker", EngineContainer("n", "i", "/f", "algo-1", addresses=addresses))
    assert options(together, "--add-host") == ["algo-1:127.0.0.1", "algo-2:127.0.0.2"]
    alone = EngineContainer("n", "i", "/f", "algo-1", addresses=addresses, network=NO_NETWORK)
    assert options(command_lines.run("docker", alone), "--network") == ["none"]
    apart = command_lines.run("docker", EngineContainer("n", "i", "/f", "algo-2", addresses=addresses, network="job"))
    assert (options(apart, "--network-alias"), options(apart, "--add-host")) == (["algo-2"], [])


def test_podman_removes_at_once_as_docker_does() -> None:
    assert command_lines.remove("docker", ["a", "b"]) == ("docker", "rm", "--force", "a", "b")
    assert command_lines.remove("/usr/bin/podman", ["a"]) == ("/usr/bin/podman", "rm", "--force", "--time", "0", "a")


def test_the_owner_of_files_is_changed_in_a_container_without_a_network() -> None:
    line = command_lines.change_owner("docker", "i:1", Path("/job"), (1000, 100))
    assert line[-4:] == ("i:1", "-R", "1000:100", "/mnt")
    assert options(line, "--network") == ["none"]


def test_a_recipe_names_an_engine_that_is_known() -> None:
    [recipe] = parse('[[recipe]]\nname = "x"\nimages = ["x"]\nengine = "podman"', "images.toml")
    assert recipe.engine == "podman"
    with pytest.raises(RecipeError, match="engine is none of none, auto, docker"):
        parse('[[recipe]]\nname = "x"\nimages = ["x"]\nengine = "lxc"', "images.toml")
