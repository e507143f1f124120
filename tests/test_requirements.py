"""The lists of exact versions are made from what the distributions declare, each without the lists below it."""

from __future__ import annotations

import re

from requirements.renew import HERE, LISTS, blocks, rendered, required, without
from set_up import ENVIRONMENTS, packages
from tests.support.client_programs import CLIENTS, SDK_2

COMPILED = r"""numpy==2.2.6 \
    --hash=sha256:bb \
    --hash=sha256:aa
tomli==2.5.0 ; python_version < '3.11' \
    --hash=sha256:cc
"""


def test_a_compiled_list_is_read_and_written_with_its_hashes_in_order() -> None:
    found = blocks(COMPILED)
    assert found == {
        "numpy==2.2.6": ["sha256:bb", "sha256:aa"],
        "tomli==2.5.0 ; python_version < '3.11'": ["sha256:cc"],
    }
    assert blocks(rendered(found)) == {**found, "numpy==2.2.6": ["sha256:aa", "sha256:bb"]}


def test_a_list_leaves_out_what_the_lists_below_it_have() -> None:
    assert list(without(blocks(COMPILED), ["numpy==2.2.6"])) == ["tomli==2.5.0 ; python_version < '3.11'"]


def test_every_list_that_is_installed_is_made() -> None:
    installed = {name for environment in ENVIRONMENTS.values() for name in (*environment.lists, environment.tests)}
    assert installed | {CLIENTS, SDK_2} == {f"{name}.txt" for name in LISTS} - {"pip.txt"} | {"torch.txt"}


def test_the_lists_have_everything_that_is_declared() -> None:
    for name, made in LISTS.items():
        lists = [(HERE / f"{part}.txt").read_text(encoding="utf-8") for part in (name, *made.below)]
        pinned = {_normal(package) for text in lists for package in packages(text)}
        declared = {_normal(re.split(r"[\[<>=; ]", line)[0]) for line in required(name) if line and line[0] != "#"}
        assert not declared - pinned, name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
