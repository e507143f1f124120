"""The switch takes namespaces from a process and from all that it starts, and changes nothing else about its user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pedigree.localaws.containers.machine import this_machine
from pedigree.localaws.containers.namespaces import probe
from tests.support.cli import ROOT
from tests.support.namespaces import VARIABLE, switch_off

SCRIPT = """
import os, subprocess, sys
from tests.support.namespaces import switch_off
switch_off(os.environ)
inner = '''
from pedigree.localaws.containers import machine, namespaces
print(namespaces.probe(machine.this_machine()).has_containers)
'''
print(os.getuid(), subprocess.run([sys.executable, "-c", inner], capture_output=True, text=True, check=True).stdout)
"""


def test_a_process_has_no_namespaces_after_it_and_neither_have_its_children() -> None:
    command, environment = [sys.executable, "-c", SCRIPT], {**os.environ, VARIABLE: "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{os.getuid()} False"


@pytest.mark.parametrize("value", ["", "0"])
def test_without_it_nothing_changes(value: str) -> None:
    before = probe(this_machine())
    switch_off({VARIABLE: value})
    assert probe(this_machine()) == before


def test_an_unclear_value_is_refused() -> None:
    with pytest.raises(ValueError, match=f"{VARIABLE}=yes is unclear"):
        switch_off({VARIABLE: "yes"})
