"""What containers see of a machine is read from its folders, and which folders a Python needs from its links."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.localaws.containers.machine import interpreter, this_machine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("usr/bin", "etc/ssl/private", "home/ann", "opt/tool", "dev", "run"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    return tmp_path


def test_only_folders_of_the_system_are_shown(root: Path) -> None:
    machine = this_machine(root=root)
    assert (machine.folders, machine.links) == ((f"{root}/etc", f"{root}/usr"), {f"{root}/bin": "usr/bin"})
    assert machine.shows(root / "usr" / "bin" / "env")
    assert not any(machine.shows(root / name) for name in ("home/ann", "opt/tool", "run"))


def test_the_folder_of_libraries_has_links_to_what_the_system_has(root: Path) -> None:
    (root / "usr" / "lib" / "x86_64").mkdir(parents=True)
    (root / "usr" / "lib" / "ld.so").touch()
    (root / "lib").symlink_to("usr/lib")
    machine = this_machine(root=root)
    names = ("ld.so", "x86_64")
    assert machine.links == {f"{root}/bin": "usr/bin", **{f"{root}/lib/{x}": f"{root}/usr/lib/{x}" for x in names}}
    assert machine.shows(root / "lib" / "x86_64" / "libc.so")


def test_what_others_may_not_read_in_etc_is_private(root: Path) -> None:
    for name, mode in (("shadow", 0o640), ("passwd", 0o644)):
        (root / "etc" / name).touch()
        (root / "etc" / name).chmod(mode)
    (root / "etc" / "ssl" / "private").chmod(0o710)
    machine = this_machine((root / "usr" / "state", root / "home" / "ann"), root)
    assert machine.private == (f"{root}/etc/shadow", f"{root}/etc/ssl/private", f"{root}/usr/state")
    assert not machine.shows(root / "usr" / "state" / "key")


def test_name_servers_are_found_behind_a_link(root: Path) -> None:
    (root / "run" / "stub").write_text("nameserver 127.0.0.53")
    (root / "etc" / "resolv.conf").symlink_to("../run/stub")
    assert this_machine(root=root).resolver == f"{root}/run/stub"


def test_a_python_needs_every_folder_on_the_way_to_its_base(tmp_path: Path) -> None:
    base, between, environment = (tmp_path / name for name in ("base", "between", "environment"))
    for folder in (base, between, environment):
        (folder / "bin").mkdir(parents=True)
    (base / "bin" / "python3").touch()
    (between / "bin" / "python").symlink_to(base / "bin" / "python3")
    (environment / "bin" / "python").symlink_to(between / "bin" / "python")
    assert interpreter(environment) == (environment, between, base)
