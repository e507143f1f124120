"""Callback steps wait for an answer to their token, also when their execution changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from tests.support.local_sagemaker import TOKEN, LocalSageMaker, training, waiting


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def test_a_callback_waits_for_the_holder_of_its_token(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(waiting())
    assert [sagemaker.go(arn), sagemaker.go(arn)] == ["Executing", "Executing"]
    (message,) = sagemaker.messages
    assert (message["arguments"], message["status"], len(message["token"])) == ({"a": "b"}, "Executing", 10)
    answer = {
        "CallbackToken": message["token"],
        "OutputParameters": [{"Name": "outcome", "Value": "in-service"}],
        **TOKEN,
    }
    sagemaker.service.answer("SendPipelineExecutionStepSuccess", answer)
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.service.answer("SendPipelineExecutionStepSuccess", answer) == {"PipelineExecutionArn": arn}
    with pytest.raises(ServiceError, match="was answered already"):
        sagemaker.service.answer("SendPipelineExecutionStepSuccess", {**answer, "ClientRequestToken": "u" * 32})


def test_a_callback_may_be_answered_with_a_failure(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(waiting())
    sagemaker.go(arn)
    failure = {"CallbackToken": sagemaker.messages[0]["token"], "FailureReason": "rolled back", **TOKEN}
    sagemaker.service.answer("SendPipelineExecutionStepFailure", failure)
    assert sagemaker.go(arn) == "Failed"
    assert sagemaker.steps(arn)["Wait"]["FailureReason"] == "rolled back"


def test_stopping_waits_for_a_callback_and_says_so_in_its_queue(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(waiting(), training("Train"))
    sagemaker.go(arn)
    sagemaker.service.answer("StopPipelineExecution", {"PipelineExecutionArn": arn, **TOKEN})
    assert sagemaker.go(arn) == "Stopping"
    assert sagemaker.statuses(arn) == {"Wait": "Stopping", "Train": "Stopped"}
    assert [message["status"] for message in sagemaker.messages] == ["Executing", "Stopping"]
    sagemaker.service.answer(
        "SendPipelineExecutionStepFailure", {"CallbackToken": sagemaker.messages[0]["token"], **TOKEN}
    )
    assert sagemaker.go(arn) == "Failed"
