"""SageMaker's built-in XGBoost, without a script: reads /opt/ml/input, writes /opt/ml/model/xgboost-model.

python xgboost_training.py        SAGEMAKER_BASE_DIR stands for /opt/ml, SAGEMAKER_XGBOOST_VERSION for the image's tag
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Train, and return the exit code."""
    sys.path[0] = str(Path(__file__).with_name("shims"))  # where Python has put this script's own folder
    from sagemaker_xgboost_container import training

    return training.main()


if __name__ == "__main__":
    sys.exit(main())
