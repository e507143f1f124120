"""A trained network where it answers: what inference.py serves is what evaluate.py has scored."""

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
    """A network on its device, with what its answers mean."""

    network: Classifier
    model: model_folder.Model
    device: torch.device

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """The logits of a batch of pixels, on the CPU."""
        with torch.inference_mode():
            batch = tensors.normalized(pixels.to(self.device), self.model.mean, self.model.std)
            answer: torch.Tensor = self.network(batch).float().cpu()
        if not bool(torch.isfinite(answer).all()):
            raise ModelError("the model answers with nan or inf: its training diverged; train with a lower rate")
        return answer


def load(folder: Path) -> Predictor:
    """The predictor of a model directory, on the GPU where there is one."""
    network, model = model_folder.read(folder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Predictor(network.to(device), model, device)
