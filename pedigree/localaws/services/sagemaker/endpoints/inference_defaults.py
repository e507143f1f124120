"""The toolkit's defaults for functions that a model's code lacks: arrays in, a torch module, arrays out.

The model server loads this file in the container's environment, so it imports nothing of this package; torch is
imported when it is needed.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
_TYPES = (JSON, CSV, NPY)
_TORCHSCRIPT = "model.pt"
_SUFFIXES = (".pt", ".pth")


class UnsupportedTypeError(ValueError):
    """A content type that only the model's own code could read or write."""

    status_code = 415

    def __init__(self, content_type: str, function: str) -> None:
        own = f"the model's code has no {function} of its own for it"
        super().__init__(f"{content_type} is not one of {', '.join(_TYPES)}, and {own}")


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
    return torch.from_numpy(array) if _plain(content_type) == NPY else torch.FloatTensor(array)


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
    for accepted in accept.split(","):
        kind = JSON if _plain(accepted) in ("*/*", "application/*", "") else _plain(accepted)
        if kind in _TYPES:
            return encoded(prediction, kind), kind
    raise UnsupportedTypeError(accept, "output_fn")


def decoded(body: bytes, content_type: str) -> Any:
    """An array of JSON, CSV or NPY."""
    kind = _plain(content_type)
    if kind == JSON:
        return np.array(json.loads(body))
    if kind == CSV:
        return np.genfromtxt(io.StringIO(body.decode()), delimiter=",")
    if kind == NPY:
        return np.load(io.BytesIO(body), allow_pickle=False)
    raise UnsupportedTypeError(content_type, "input_fn")


def encoded(prediction: Any, kind: str) -> bytes:
    """A prediction as JSON, CSV or NPY."""
    if kind == JSON:
        return json.dumps(prediction, default=_listed).encode()
    buffer = io.BytesIO()
    if kind == CSV:
        np.savetxt(buffer, np.atleast_1d(np.asarray(prediction)), delimiter=",", fmt="%s")
    else:
        np.save(buffer, np.asarray(prediction), allow_pickle=False)
    return buffer.getvalue()


def _listed(value: Any) -> Any:
    """Convert what JSON cannot represent: arrays, their numbers, and tensors."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _plain(content_type: str) -> str:
    """A type without its parameters."""
    return content_type.partition(";")[0].strip().lower()
