"""SageMaker's built-in algorithms, without a script: reads /opt/ml/input, writes /opt/ml/model/model_algo-1.

python algorithm_training.py        SAGEMAKER_BASE_DIR stands for /opt/ml, SAGEMAKER_ALGORITHM says which one it is
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Train, and return the exit code."""
    sys.path[0] = str(Path(__file__).with_name("shims"))  # where Python has put this script's own folder
    from sagemaker_algorithms import training

    return training.main()


if __name__ == "__main__":
    sys.exit(main())
