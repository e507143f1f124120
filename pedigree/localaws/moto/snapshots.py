"""moto's memory as bytes, and back: what makes records outlive the process.

A lock has no state worth keeping, and a dictionary of weak references is a view of what is kept elsewhere: both are
made anew. A function without a name, which a default dictionary calls, is kept as its code; so what was taken is for
the same version of Python, and for no other.
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
    weakref.WeakValueDictionary: weakref.WeakValueDictionary,
}
VERSION = f"{sys.implementation.cache_tag}"


class _Pickler(pickle.Pickler):
    """Knows what moto's backends hold."""

    def reducer_override(self, value: Any) -> Any:
        make = _ANEW.get(type(value))
        if make is not None:
            return make, ()
        if isinstance(value, types.FunctionType) and "<locals>" in value.__qualname__ and not value.__closure__:
            return _function, (marshal.dumps(value.__code__), value.__module__)
        return NotImplemented


def _function(code: bytes, module: str) -> types.FunctionType:
    return types.FunctionType(marshal.loads(code), vars(importlib.import_module(module)))  # noqa: S302  # our own file


def taken(backends: Mapping[str, Any]) -> bytes:
    """All that a service's backends hold, by account."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(dict(backends))
    return buffer.getvalue()


def restored(content: bytes) -> dict[str, Any]:
    """What was taken. Only ever read from the state folder, which is as trusted as the code beside it."""
    held: dict[str, Any] = pickle.loads(content)  # noqa: S301  # our own file
    return held
