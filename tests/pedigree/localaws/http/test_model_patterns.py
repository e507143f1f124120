"""The patterns of AWS's models mean here what they mean to AWS, and are tried in no time."""

from __future__ import annotations

import time

import pytest

from pedigree.localaws.http.protocol.model_patterns import compiled, fits
from pedigree.localaws.http.protocol.models import model
from tests.support.malformed.wire import SERVICES

_WORD = r"[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*"


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_a_model_can_be_read(service: str) -> None:
    shapes = model(service)._service_description["shapes"].values()
    for pattern in {shape["pattern"] for shape in shapes if "pattern" in shape}:
        compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "is_fitting"),
    [
        (r"\p{ASCII}*", "ab c", True),
        (r"\p{ASCII}*", "é", False),
        (r"\A\S[\p{Print}]*\z", "a b", True),
        (r"\A\S[\p{Print}]*\z", " a", False),
        (r"[\w-_]*", "a-b_c", True),
        (f"^{_WORD}$", "\ta b\t", True),
        (f"^{_WORD}$", "\t\t", False),
        (f"^{_WORD}$", "", False),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "é /1", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "!", False),
    ],
)
def test_a_pattern_means_what_java_reads(pattern: str, text: str, is_fitting: bool) -> None:
    assert fits(pattern, text) is is_fitting


@pytest.mark.parametrize("text", ["a" * 255 + "é\x00", " " * 511 + "\x00", "a " * 200 + "\x00"])
@pytest.mark.parametrize("pattern", [f"^{_WORD}$", r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}"])
def test_a_text_that_almost_fits_is_refused_at_once(pattern: str, text: str) -> None:
    begun = time.process_time()
    assert not fits(pattern, text)
    assert time.process_time() - begun < 1
