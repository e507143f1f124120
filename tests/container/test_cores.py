"""The cores that a script uses: of its container, of its share of a machine, and for decoding."""

from __future__ import annotations

import os

import pytest

import cores


def test_a_process_has_the_cores_that_it_is_restricted_to() -> None:
    assert 1 <= cores.available({}) <= (os.cpu_count() or 1)


def test_a_host_of_the_local_aws_has_its_share() -> None:
    assert cores.available({"SM_LOCAL_CORES": "3"}) == 3


@pytest.mark.parametrize(
    ("available", "processes", "is_on_gpu", "expected"),
    [
        (1, 1, False, 0),
        (2, 1, False, 1),
        (2, 2, False, 0),
        (8, 1, False, 4),
        (8, 2, False, 2),
        (1, 1, True, 1),
        (8, 1, True, 8),
        (8, 4, True, 2),
        (2, 4, True, 1),
    ],
)
def test_decoding_has_all_cores_beside_a_gpu_and_half_beside_training(
    available: int, processes: int, is_on_gpu: bool, expected: int
) -> None:
    assert cores.for_decoding(available, processes, is_on_gpu) == expected
