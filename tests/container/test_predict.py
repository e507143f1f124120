"""The predict function and the served model agree on requests and responses."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from drawn_pictures import CLASSES, model, network, picture

import inference
import model_folder
import predict
import predictor
from predicting import image_header
from predicting.endpoint import EndpointClient


@dataclass(frozen=True)
class Served:
    """The model behind AWS's toolkit and SageMaker's runtime: a caller's error comes back as a ModelError."""

    model: predictor.Predictor

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        try:
            prediction = inference.predict_fn(inference.input_fn(body, content_type), self.model)
            return inference.output_fn(prediction, "application/json")[0].encode()
        except inference.RequestError as error:
            response: Any = {"Error": {"Code": "ModelError"}, "OriginalStatusCode": error.status_code}
            raise ClientError(response, "InvokeEndpoint") from error


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> predict.PredictFunction:
    folder = tmp_path_factory.mktemp("served")
    model_folder.write(folder, network(model()), model(), [])
    return predict.PredictFunction(
        EndpointClient("dogs", Served(inference.model_fn(str(folder)))), {}, write=lambda line: None
    )


def sent(form: str, content: bytes = b"") -> predict.PredictRequest:
    buffer = io.BytesIO()
    picture(1, 7).save(buffer, form)
    return predict.PredictRequest({"image": base64.b64encode(content or buffer.getvalue()).decode()})


@pytest.mark.parametrize("form", inference.FORMATS)
def test_every_form_that_the_model_takes_is_answered_with_its_labels(
    form: str, function: predict.PredictFunction
) -> None:
    given = predict.respond(sent(form), function)
    assert given["statusCode"] == 200
    assert given["COntent-Type-In"] == f"image/{form.lower()}"
    (logits,) = json.loads(given["body"])
    order = sorted(range(len(CLASSES)), key=lambda number: -logits[number])
    assert [prediction["class"] for prediction in given["predictions"]] == [CLASSES[number] for number in order]


def test_half_a_picture_is_the_senders_fault(function: predict.PredictFunction) -> None:
    whole = base64.b64decode(sent("PNG").event["image"])  # type: ignore[index]
    given = predict.respond(sent("PNG", whole[: len(whole) // 2]), function)
    assert given["statusCode"] == 422
    assert given["predictions"] == []


def test_both_refuse_the_same_number_of_pixels() -> None:
    assert image_header.MAX_PIXELS == inference.MAX_PIXELS
