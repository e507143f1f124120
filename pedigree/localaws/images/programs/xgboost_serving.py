"""The functions of AWS's XGBoost image for models without code, and for what a model's code lacks.

The model server loads this file in the container's environment. SAGEMAKER_PROGRAM says that the model has code: then
a request becomes a DMatrix, its prediction an array. Without code the built-in algorithm answers.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_SHIMS = str(Path(__file__).with_name("shims"))
if _SHIMS not in sys.path:
    sys.path.append(_SHIMS)

ANY = "*/*"
# What a request without a type is, and its answer. Without code these are the built-in algorithm's.
DEFAULT_CONTENT_TYPE, DEFAULT_ACCEPT = (
    ("application/json", "application/json") if os.environ.get("SAGEMAKER_PROGRAM") else ("text/libsvm", ANY)
)
_NO_MODEL_FN = (
    "Please provide a model_fn implementation.\n"
    "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
)


def model_fn(folder: str) -> Any:
    """Load the models of the built-in algorithm; a model with code loads itself."""
    from sagemaker_xgboost_container.algorithm_mode.serve_utils import Models

    if _has_code():
        raise NotImplementedError(_NO_MODEL_FN)
    return Models.read(Path(folder))


def input_fn(body: bytes, content_type: str) -> Any:
    """Convert a request to a DMatrix."""
    from sagemaker_xgboost_container import encoder
    from sagemaker_xgboost_container.algorithm_mode import serve_utils

    return encoder.decode(body, content_type) if _has_code() else serve_utils.parsed(body, content_type)


def predict_fn(data: Any, model: Any) -> Any:
    """Call the model, the built-in algorithm's or a script's."""
    from sagemaker_xgboost_container.algorithm_mode.serve_utils import Models

    return model.predict(data) if isinstance(model, Models) else model.predict(data, validate_features=False)


def output_fn(prediction: Any, accept: str) -> Any:
    """Write the answer, with its content type."""
    from sagemaker_containers.beta.framework import encoders, env
    from sagemaker_xgboost_container.algorithm_mode import serve_utils

    if isinstance(prediction, serve_utils.Predictions):
        return serve_utils.answer(prediction, accept)
    kind = env.ServingEnv().default_accept if accept in ("", ANY) else accept
    return encoders.encode(prediction, kind), kind


def _has_code() -> bool:
    return bool(os.environ.get("SAGEMAKER_PROGRAM"))
