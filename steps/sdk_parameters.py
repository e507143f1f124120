"""The SDK's parameters, made strict: code that would silently use one as a plain value raises a TypeError.

The SDK itself refuses str(), int(), float() and +. It allows comparisons and conditions, which would always give the
same answer with any values of an execution.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sagemaker.core.workflow.parameters import Parameter, ParameterFloat, ParameterInteger, ParameterString


class _Strict(Parameter):  # type: ignore[misc]  # the SDK has no types
    """A parameter without a value of its own."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError(f"{self.name} has no value before an execution starts; pass it on, or use default_of()")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = Parameter.__hash__


class StrictString(_Strict, ParameterString):  # type: ignore[misc]
    """A text."""


class StrictInteger(_Strict, ParameterInteger):  # type: ignore[misc]
    """A whole number."""


class StrictFloat(_Strict, ParameterFloat):  # type: ignore[misc]
    """A number."""
