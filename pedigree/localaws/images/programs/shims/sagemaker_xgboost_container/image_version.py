"""Which version of AWS's image is stood in for: older ones pickle their models and answer differently."""

from __future__ import annotations

import os
import re

VARIABLE = "SAGEMAKER_XGBOOST_VERSION"
NEWEST = (3, 0)
# The first image that saves models as the library does, and that answers CSV by lines.
SAVED_MODELS = LINES_OF_CSV = (1, 3)
# The first image without the hyperparameter silent.
NO_SILENT = (1, 2)


def image_version() -> tuple[int, int]:
    """The version in the environment, `1.7-1` for example; the newest image's if there is none."""
    found = re.match(r"(\d+)\.(\d+)", os.environ.get(VARIABLE, ""))
    return (int(found[1]), int(found[2])) if found else NEWEST
