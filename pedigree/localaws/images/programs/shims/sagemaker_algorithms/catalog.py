"""The algorithms, by the names of their images."""

from __future__ import annotations

import importlib
import os

from sagemaker_algorithms.algorithm import Algorithm

NAME = "SAGEMAKER_ALGORITHM"
"""The variable of an image that says which algorithm it is."""


def chosen() -> Algorithm:
    """The algorithm of this image; only its own part of scikit-learn is imported."""
    module = importlib.import_module(f"sagemaker_algorithms.{os.environ[NAME].replace('-', '_')}")
    algorithm: Algorithm = module.ALGORITHM
    return algorithm
