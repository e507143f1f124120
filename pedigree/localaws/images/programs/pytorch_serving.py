"""The toolkit's defaults for functions that a model's code lacks: arrays in, a torch module, arrays out.

The model server loads this file in the container's environment, so it imports nothing of this package; torch is
imported when it is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from array_formats import NPY, accepted, decoded, plain_type

_TORCHSCRIPT = "model.pt"
_SUFFIXES = (".pt", ".pth")


def model_fn(folder: str) -> Any:
    """Load a model that was saved as TorchScript: model.pt, or the archive's only .pt or .pth."""
    path = _torchscript(Path(folder))
    import torch

    try:
        return torch.jit.load(str(path), map_location=torch.device("cpu"))
    except RuntimeError as error:
        raise ValueError(f"{path.name} is not TorchScript; load it with a model_fn in code/inference.py") from error


def _torchscript(folder: Path) -> Path:
    """The file with the model, as the toolkit finds it."""
    if (folder / _TORCHSCRIPT).is_file():
        return folder / _TORCHSCRIPT
    found = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        words = f"there is no {_TORCHSCRIPT}, and not one .pt or .pth but {names}"
        raise FileNotFoundError(f"{words}; load the model with a model_fn in code/inference.py")
    return found[0]


def input_fn(body: bytes, content_type: str) -> Any:
    """Convert a request to a tensor."""
    import torch

    array = decoded(body, content_type)
    return torch.from_numpy(array) if plain_type(content_type) == NPY else torch.FloatTensor(array)


def predict_fn(data: Any, model: Any) -> Any:
    """Call the model."""
    import torch

    with torch.no_grad():
        model.eval()
        return model(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Write the answer in the first accepted type that is supported."""
    if hasattr(prediction, "detach"):
        prediction = prediction.detach().cpu().numpy()
    return accepted(prediction, accept)
