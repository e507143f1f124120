"""Turns moto's state into bytes and back, so that it outlives the process.

Locks have no state and are made anew. A dictionary of weak references is saved with what it holds. A function without
a name, which a default dictionary calls, is saved as its code; so a snapshot is for the same version of Python only.
"""

from __future__ import annotations

import importlib
import io
import marshal
import pickle
import sys
import threading
import types
import weakref
from collections.abc import Callable, Mapping
from typing import Any

_ANEW: Mapping[type, Callable[[], Any]] = {
    type(threading.RLock()): threading.RLock,
    type(threading.Lock()): threading.Lock,
    threading.Condition: threading.Condition,
    threading.Event: threading.Event,
}
VERSION = f"{sys.implementation.cache_tag}"


class _Pickler(pickle.Pickler):
    """Pickles what moto's backends hold and pickle alone does not take."""

    def reducer_override(self, value: Any) -> Any:
        make = _ANEW.get(type(value))
        if make is not None:
            return make, ()
        if isinstance(value, weakref.WeakValueDictionary):
            return weakref.WeakValueDictionary, (), None, None, iter(list(value.items()))
        if isinstance(value, types.FunctionType) and "<locals>" in value.__qualname__ and not value.__closure__:
            return _function, (marshal.dumps(value.__code__), value.__module__)
        return NotImplemented


def _function(code: bytes, module: str) -> types.FunctionType:
    return types.FunctionType(marshal.loads(code), vars(importlib.import_module(module)))  # noqa: S302  # our own file


def taken(backends: Mapping[str, Any]) -> bytes:
    """A service's backends by account, as bytes."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(dict(backends))
    return buffer.getvalue()


def restored(content: bytes) -> dict[str, Any]:
    """The backends in a snapshot. It comes from the state folder, which is as trusted as the code beside it."""
    backends: dict[str, Any] = pickle.loads(content)  # noqa: S301  # our own file
    return backends
