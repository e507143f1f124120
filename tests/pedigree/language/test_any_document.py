"""A check of any document ends with findings or with one clear line."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pedigree.checks.errors import NotADefinitionError
from pedigree.checks.evidence import Evidence
from pedigree.checks.output import FORMATS
from pedigree.checks.output.report import FindingsReport
from pedigree.checks.reading import load
from pedigree.checks.run import run
from pedigree.iam import PolicyKind, parse
from tests.pedigree.checks.cases_iam import LEAST
from tests.pedigree.checks.cases_jobs import SCRIPT
from tests.pedigree.checks.small import document

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([{"Get": "Parameters.Epochs"}, {"Get": "Steps.Tune.X"}, {"Std:Join": {}}, {"Get": 1}, "s3://a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += places(inner, (*path, key))
    return found


PLACES = places(document())
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
BESIDE = Evidence(
    functions={"sagemaker-deploy": {"Timeout": "long", "Runtime": 3}},
    schedules=[
        {"Target": {"SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Epochs", "Value": 3}]}}}
    ],
    scripts={"train.py": SCRIPT, "broken.py": "def ("},
    policies={role: [parse(policy)] for role, policy in LEAST.items()},
    trusts={"job": [parse(TRUST, kind=PolicyKind.TRUST)]},
)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3), st.sampled_from(sorted(FORMATS)))
def test_anything_anywhere_is_checked(changes: list[tuple[tuple[Any, ...], Any]], form: str) -> None:
    broken = copy.deepcopy(document())
    for path, value in changes:
        put(broken, path, value)
    text = json.dumps(broken)
    try:
        found = run(load(text), BESIDE)
    except NotADefinitionError:
        return
    assert FORMATS[form](FindingsReport("a.json", text, found)) or not found


@given(st.text(max_size=40))
def test_any_text_is_refused_in_one_line(text: str) -> None:
    assert "\n" not in refusal(text)


def refusal(text: str) -> str:
    """The reason why a text is not a definition, empty if it is one."""
    try:
        run(load(text))
    except NotADefinitionError as error:
        return str(error)
    return ""


def put(place: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value there, unless another change has taken the place away."""
    for key in path[:-1]:
        if not isinstance(place, (dict, list)) or (isinstance(place, dict) and key not in place):
            return
        if isinstance(place, list) and (not isinstance(key, int) or key >= len(place)):
            return
        place = place[key]
    last = path[-1]
    if isinstance(place, dict) or (isinstance(place, list) and isinstance(last, int) and last < len(place)):
        place[last] = value
