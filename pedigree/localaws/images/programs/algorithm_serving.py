"""The functions of a model of SageMaker's built-in algorithms, which has no code of its own.

The model server loads this file in the container's environment; SAGEMAKER_ALGORITHM says which algorithm it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_SHIMS = str(Path(__file__).with_name("shims"))
if _SHIMS not in sys.path:
    sys.path.append(_SHIMS)


def model_fn(folder: str) -> Any:
    """Load the model."""
    from sagemaker_algorithms.serving import ServedModel

    return ServedModel.read(Path(folder))


def input_fn(body: bytes, content_type: str) -> Any:
    """Read the features of a request."""
    from sagemaker_algorithms.serving import parsed

    return parsed(body, content_type)


def predict_fn(data: Any, model: Any) -> Any:
    """Keep both: what is predicted depends on the accepted type, which output_fn knows."""
    return model, data


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Predict, and write the answer."""
    from sagemaker_algorithms.serving import answered

    model, features = prediction
    return answered(model, features, accept)
