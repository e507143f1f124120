"""Serving of models of the built-in algorithm: requests, predictions of one or more models, answers."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from sagemaker_containers import _content_types
from sagemaker_containers.beta.framework import encoders
from sagemaker_xgboost_container import encoder
from sagemaker_xgboost_container.algorithm_mode.selectable_inference import as_csv, selected
from sagemaker_xgboost_container.constants import sm_env_constants
from sagemaker_xgboost_container.constants.xgb_constants import BINARY_HINGE, MULTI_SOFTMAX
from sagemaker_xgboost_container.data_utils import CSV, LIBSVM, RECORDIO_PROTOBUF, get_content_type
from sagemaker_xgboost_container.image_version import LINES_OF_CSV, image_version
from sagemaker_xgboost_container.model_files import read_model

JSON_LINES = "application/jsonlines"
SUPPORTED_ACCEPTS = [_content_types.JSON, JSON_LINES, "application/x-recordio-protobuf", _content_types.CSV]
NO_CONTENT, BAD_REQUEST, NOT_ACCEPTABLE, UNSUPPORTED_MEDIA_TYPE, FAILED = 204, 400, 406, 415, 500


class InferenceError(Exception):
    """An answer that is an error, with its status."""

    def __init__(self, status_code: int, message: str = "") -> None:
        super().__init__(message)
        self.status_code = status_code


@dataclass(frozen=True)
class Predictions:
    """What the models predict, and what they were trained for."""

    values: Any
    objective: str
    num_class: int


@dataclass(frozen=True)
class Models:
    """The models of a folder, which answer together."""

    boosters: tuple[Any, ...]
    objective: str
    num_class: int

    @classmethod
    def read(cls, folder: Path) -> Models:
        """All files of the folder are models; only the first one counts if the ensemble is turned off."""
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        if not paths:
            raise FileNotFoundError(f"there is no model in {folder}; the archive needs a file xgboost-model")
        if os.environ.get(sm_env_constants.SAGEMAKER_INFERENCE_ENSEMBLE, "true") != "true":
            paths = paths[:1]
        boosters = tuple(read_model(path) for path in paths)
        for booster in boosters:
            booster.set_param("nthread", 1)
        learner = json.loads(boosters[0].save_config())["learner"]
        objective = learner["objective"]["name"]
        logging.info("Model objective : %s", objective)
        return cls(boosters, objective, int(learner["learner_model_param"].get("num_class") or 0))

    def predict(self, data: xgboost.DMatrix) -> Predictions:
        """The mean of the models' predictions, or the class that most of them predict."""
        try:
            values = np.stack([_predicted(booster, data) for booster in self.boosters])
        except Exception as error:
            raise InferenceError(BAD_REQUEST, f"Unable to evaluate payload provided: {error}") from error
        if len(values) == 1:
            return Predictions(values[0], self.objective, self.num_class)
        votes = self.objective in (MULTI_SOFTMAX, BINARY_HINGE)
        return Predictions(_vote(values) if votes else values.mean(axis=0), self.objective, self.num_class)


def _predicted(booster: Any, data: xgboost.DMatrix) -> Any:
    """The predictions by the rounds up to the best one, where training ended early."""
    best = booster.attr("best_iteration")
    rounds = (0, int(best) + 1) if best is not None else (0, 0)
    return booster.predict(_columns_of(booster, data), iteration_range=rounds, validate_features=False)


def _columns_of(booster: Any, data: xgboost.DMatrix) -> xgboost.DMatrix:
    """The request as the model counts its columns: libsvm that counts from one has an empty column before its first.

    A model that was trained with CSV has no such column, and AWS's own example sends it this libsvm.
    """
    if data.num_col() != booster.num_features() + 1:
        return data
    rows = data.get_data()
    return data if rows[:, 0].nnz else xgboost.DMatrix(rows[:, 1:])


def _vote(values: Any) -> Any:
    """The most frequent value of each column."""
    found = (np.unique(column, return_counts=True) for column in values.T)
    return np.array([numbers[counts.argmax()] for numbers, counts in found])


def parsed(body: bytes, content_type: str) -> xgboost.DMatrix:
    """A request as a matrix."""
    if not body:
        raise InferenceError(NO_CONTENT)
    try:
        kind = get_content_type(content_type)
    except Exception as error:
        raise InferenceError(UNSUPPORTED_MEDIA_TYPE, str(error)) from error
    decoders: dict[str, Callable[[], xgboost.DMatrix]] = {
        CSV: lambda: encoder.csv_to_dmatrix(body.strip().decode()),
        LIBSVM: lambda: encoder.libsvm_to_dmatrix(body),
        RECORDIO_PROTOBUF: lambda: encoder.recordio_protobuf_to_dmatrix(body),
    }
    if kind not in decoders:
        raise InferenceError(UNSUPPORTED_MEDIA_TYPE, f"Content-type {content_type} is not supported.")
    try:
        return decoders[kind]()
    except Exception as error:
        words = f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:"
        raise InferenceError(UNSUPPORTED_MEDIA_TYPE, f"{words}\n {type(error)}\n {error}") from error


def answer(predictions: Predictions, accept: str) -> tuple[str | bytes, str]:
    """An answer and its content type."""
    keys = os.environ.get(sm_env_constants.SAGEMAKER_INFERENCE_OUTPUT)
    if image_version() < LINES_OF_CSV and keys is None:
        separator = "\n" if _is_batch() else ","
        return separator.join(map(str, predictions.values.tolist())) + ("\n" if _is_batch() else ""), _content_types.CSV
    kind = _accepted(accept)
    if keys is not None:
        return _selected(predictions, keys.replace(" ", "").lower().split(","), kind), kind
    values = predictions.values.tolist()
    if _is_batch():
        return "".join(f"{value}\n" for value in values), kind
    if kind == _content_types.JSON:
        return json.dumps({"predictions": [{"score": value} for value in values]}), kind
    return encoders.encode(values, kind), kind


def _is_batch() -> bool:
    """Whether this is a transform job."""
    return bool(os.environ.get(sm_env_constants.SAGEMAKER_BATCH))


def _accepted(accept: str) -> str:
    plain = accept.partition(";")[0].strip()
    if plain in ("", _content_types.ANY):
        return os.environ.get(sm_env_constants.SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT, _content_types.CSV)
    if plain.lower() not in SUPPORTED_ACCEPTS:
        raise InferenceError(
            NOT_ACCEPTABLE,
            f"Accept type {plain} is not supported. Please use supported accept types: {SUPPORTED_ACCEPTS}.",
        )
    return plain.lower()


def _selected(predictions: Predictions, keys: list[str], kind: str) -> str | bytes:
    try:
        documents = selected(predictions.values, keys, predictions.objective, predictions.num_class)
    except ValueError as error:
        raise InferenceError(FAILED, str(error)) from error
    if kind == _content_types.JSON:
        return json.dumps({"predictions": documents})
    if kind == JSON_LINES:
        return encoder.json_to_jsonlines({"predictions": documents})
    if kind == _content_types.CSV:
        return as_csv(documents, keys) + ("\n" if _is_batch() else "")
    raise InferenceError(FAILED, f"Cannot encode selected predictions into accept type '{kind}'.")
