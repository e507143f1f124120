"""The models in an archive, each in folders with numbers for its versions, which answer documents of JSON."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tensorflow_serving_container.request_formats import ServingRequestError

_SIGNATURE = "serving_default"
_BAD_REQUEST, _NOT_FOUND = 400, 404
_BYTES = "_bytes"


@dataclass(frozen=True)
class SavedModels:
    """The models by their names and versions; a request without a name is for the default one."""

    versions: Mapping[str, Mapping[int, Any]]
    default: str

    @classmethod
    def load(cls, folder: Path, default: str = "") -> SavedModels:
        """Load the newest version of each model in a folder."""
        found: dict[str, dict[int, Path]] = {}
        for path in sorted(folder.rglob("saved_model.pb")):
            if path.parent.name.isdecimal():
                found.setdefault(path.parents[1].name, {})[int(path.parent.name)] = path.parent
        if not found:
            raise ValueError(
                f"no SavedModel bundles found! {folder} needs a folder with a number, and saved_model.pb in that"
            )
        loaded = {name: {max(paths): tf.saved_model.load(str(paths[max(paths)]))} for name, paths in found.items()}
        return cls(loaded, default or next(iter(found)))

    def answer(self, name: str, version: str, text: str) -> bytes:
        """The answer to a document, as TensorFlow Serving's REST API gives it."""
        versions = self.versions.get(name, {})
        model = versions.get(int(version) if version else max(versions, default=0))
        if model is None:
            wanted = f"Specific({name}, {version})" if version else f"Latest({name})"
            raise ServingRequestError(_NOT_FOUND, f"Servable not found for request: {wanted}")
        try:
            document = json.loads(text)
            answer = _predicted(model.signatures[document.get("signature_name", _SIGNATURE)], document)
        except ServingRequestError:
            raise
        except KeyError as error:
            raise ServingRequestError(_BAD_REQUEST, f"Serving signature name or input not found: {error}") from error
        except (ValueError, TypeError, AttributeError, tf.errors.OpError) as error:
            raise ServingRequestError(_BAD_REQUEST, f"Failed to process element: {error}") from error
        return json.dumps(answer, indent=4).encode()


def _predicted(signature: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """In rows, each with all of its inputs, or in columns, each input with all of its rows."""
    specs = signature.structured_input_signature[1]
    if "instances" in document:
        rows = document["instances"]
        if not isinstance(rows, list) or not rows:
            raise ServingRequestError(
                _BAD_REQUEST, "Request data missing or invalid: 'instances' must be a list of rows"
            )
        is_named = isinstance(rows[0], dict) and "b64" not in rows[0]
        columns = {name: [row[name] for row in rows] for name in rows[0]} if is_named else {_only(specs): rows}
        outputs = _called(signature, specs, columns)
        if len(outputs) == 1:
            return {"predictions": next(iter(outputs.values()))}
        return {"predictions": [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]}
    if "inputs" not in document:
        raise ServingRequestError(_BAD_REQUEST, "Missing 'inputs' or 'instances' key")
    given = document["inputs"]
    outputs = _called(signature, specs, given if isinstance(given, dict) else {_only(specs): given})
    return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}


def _only(specs: Mapping[str, Any]) -> str:
    if len(specs) != 1:
        raise ServingRequestError(
            _BAD_REQUEST, f"instances is a plain list, but expecting list of objects: {sorted(specs)}"
        )
    return next(iter(specs))


def _called(signature: Any, specs: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    if missing := sorted(specs.keys() ^ columns.keys()):
        raise ServingRequestError(_BAD_REQUEST, f"inputs of the signature are {sorted(specs)}; these differ: {missing}")
    tensors = {name: tf.constant(_decoded(columns[name]), dtype=spec.dtype) for name, spec in specs.items()}
    return {name: _plain(name, tensor.numpy()) for name, tensor in sorted(signature(**tensors).items())}


def _decoded(value: Any) -> Any:
    """Bytes that are written as {"b64": …} as themselves."""
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except binascii.Error as error:
            raise ServingRequestError(_BAD_REQUEST, f"a value has b64 that cannot be decoded: {error}") from error
    return value


def _plain(name: str, values: Any) -> Any:
    """The numbers of an array with their own digits, and not those of a wider type."""
    if values.dtype == object:
        flat: list[Any] = [_text(name, value) for value in values.ravel()]
    elif np.issubdtype(values.dtype, np.floating):
        flat = [float(str(value)) for value in values.ravel()]
    else:
        flat = values.ravel().tolist()
    shaped = np.empty(len(flat), dtype=object)
    shaped[:] = flat
    return shaped.reshape(values.shape).tolist()


def _text(name: str, value: bytes) -> Any:
    return {"b64": base64.b64encode(value).decode()} if name.endswith(_BYTES) else value.decode(errors="replace")
