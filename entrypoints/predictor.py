"""A trained network on its device: inference.py serves exactly what evaluate.py scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

import model_folder
import tensors
from errors import ModelError
from networks import Classifier


@dataclass(frozen=True)
class Predictor:
    """A network on its device, and the description of its outputs."""

    network: Classifier
    description: model_folder.ModelDescription
    device: torch.device

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns the logits of a batch of pixels, on the CPU."""
        with torch.inference_mode():
            batch = tensors.normalized(pixels.to(self.device), self.description.mean, self.description.std)
            answer: torch.Tensor = self.network(batch).float().cpu()
        if not bool(torch.isfinite(answer).all()):
            raise ModelError("the model answers with nan or inf: its training diverged", "train with a lower rate")
        return answer


def load(folder: Path) -> Predictor:
    """Loads the predictor of a model directory, on the GPU if there is one."""
    network, description = model_folder.read(folder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Predictor(network.to(device), description, device)
