"""The parameters of a new execution are checked against the pipeline in the account; all errors are reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError, InvalidInputError
from pedigree.account.start import StartRequest, checked, start
from pedigree.language.definition import read
from tests.support.fakes.executions import DEFINITION, PIPELINE, Executions
from tests.support.fakes.served_services import account_with

PARAMETERS = read(DEFINITION).parameters


def problems(*given: str) -> list[str]:
    with pytest.raises(InvalidInputError) as raised:
        checked(given, PARAMETERS)
    return [str(mistake) for mistake in raised.value.mistakes]


def test_values_reach_the_service_as_text() -> None:
    given = (
        "Epochs=10",
        "AccuracyThreshold=1e-2",
        "Machine=ml.m5.xlarge",
        "Thorough=true",
        "InputDataUrl=https://x/?a=b",
    )
    fake = Executions()
    apply_change(
        start(account_with({"sagemaker": fake}), PIPELINE, StartRequest(given)), account_with({"sagemaker": fake})
    )
    assert {parameter["Name"]: parameter["Value"] for parameter in fake.started[0]["PipelineParameters"]} == {
        "Epochs": "10",
        "AccuracyThreshold": "1e-2",
        "Machine": "ml.m5.xlarge",
        "Thorough": "true",
        "InputDataUrl": "https://x/?a=b",
    }


def test_a_start_that_is_repeated_starts_one_execution() -> None:
    fake = Executions()
    change = start(account_with({"sagemaker": fake}), PIPELINE, StartRequest((), "mine", "to see"))
    first, second = (apply_change(change, account_with({"sagemaker": fake}))["started"] for _ in range(2))
    assert first == second
    assert [execution["PipelineExecutionDisplayName"] for execution in fake.started] == ["mine"]


def test_its_name_says_that_it_was_started_by_hand_and_when() -> None:
    assert start(account_with({"sagemaker": Executions()}), PIPELINE, StartRequest(())).name == "manual-20270115-080000"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Epoch=10", "Epoch is not a parameter of the pipeline; did you mean Epochs?"),
        ("Epochs", "Epochs is not a value of a parameter; write Name=value"),
        ("Epochs=ten", 'Epochs = "ten" cannot be; give a whole number'),
        ("Epochs=1.5", 'Epochs = "1.5" cannot be; give a whole number'),
        ("Epochs=", 'Epochs = "" cannot be; give a whole number'),
        ("Epochs=١٠", 'Epochs = "١٠" cannot be; give a whole number'),
        ("AccuracyThreshold=nan", 'AccuracyThreshold = "nan" cannot be; give a number'),
        ("Thorough=yes", 'Thorough = "yes" cannot be; give true or false'),
        ("Machine=ml.m5.larg", 'Machine = "ml.m5.larg" is not one of the choices; did you mean ml.m5.large?'),
        ("Machine=0", 'Machine = "0" is not one of the choices; write ml.m5.large or ml.m5.xlarge'),
        (
            f"InputDataUrl={'x' * 1025}",
            "InputDataUrl has 1025 characters, and an execution takes 1024; make it shorter",
        ),
    ],
)
def test_a_wrong_value_is_reported_with_what_is_right(given: str, message: str) -> None:
    assert problems(given) == [message]


def test_all_errors_are_reported_at_once() -> None:
    assert problems("Epochs=1", "Epochs=2", "Nothing=", "Thorough=maybe") == [
        "Epochs is given 2 times; give it once",
        "Nothing is not a parameter of the pipeline; "
        "there are InputDataUrl, Epochs, AccuracyThreshold, Machine, Thorough",
        'Thorough = "maybe" cannot be; give true or false',
    ]


def test_a_parameter_without_a_default_is_required() -> None:
    needed = read({"Parameters": [{"Name": "Needed", "Type": "String"}], "Steps": []}).parameters
    with pytest.raises(InvalidInputError, match="Needed has no default; give it one: Needed=…"):
        checked([], needed)
    assert checked(["Needed="], needed) == {"Needed": ""}


def test_no_more_values_than_the_service_takes() -> None:
    many = {"Version": "", "Steps": [], "Parameters": [{"Name": f"P{n}", "Type": "Integer"} for n in range(201)]}
    with pytest.raises(InvalidInputError, match="201 values are given, and an execution takes 200"):
        checked([f"P{n}=1" for n in range(201)], read(many).parameters)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_taken_as_python_writes_it(number: float) -> None:
    assert checked([f"AccuracyThreshold={number!r}"], PARAMETERS) == {"AccuracyThreshold": repr(number)}


@pytest.mark.parametrize("name", ["-x", "a b", "a_b", "x" * 83, "ä"])
def test_a_name_that_the_service_would_refuse(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be; write letters"):
        start(account_with({"sagemaker": Executions()}), PIPELINE, StartRequest((), name))


def test_no_pipeline_says_which_verb_makes_it() -> None:
    with pytest.raises(AbsentError, match="has no pipeline cats in us-east-1; create it there, or name another"):
        start(account_with({"sagemaker": Executions()}), "cats", StartRequest(()))
