"""What the older images' toolkit has, by the names that scripts import; the newer one is sagemaker_training."""

from __future__ import annotations

from sagemaker_containers._env import TrainingEnv


def training_env() -> TrainingEnv:
    """What a training container is given: hosts, channels, hyperparameters, folders."""
    return TrainingEnv.read()
