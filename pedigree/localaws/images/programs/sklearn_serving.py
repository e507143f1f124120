"""The defaults of AWS's scikit-learn image: arrays in, the model's predictions out.

As there, a model's own code has to load it: nothing is guessed of a pickle's name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_formats import NPY, accepted, decoded, plain_type


def model_fn(folder: str) -> Any:
    """Refuse: only the model's own code knows what it saved."""
    raise NotImplementedError(
        f"Please provide a model_fn implementation: the model archive in {folder} has no code/inference.py with one"
    )


def input_fn(body: bytes, content_type: str) -> Any:
    """Convert a request to an array of numbers, or of what an NPY file says."""
    array = decoded(body, content_type)
    return array if plain_type(content_type) == NPY else array.astype(np.float32)


def predict_fn(data: Any, model: Any) -> Any:
    """Predict."""
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Write the answer in the first accepted type that is supported."""
    return accepted(prediction, accept)
