"""What is wrong with a container engine."""

from __future__ import annotations

from pedigree.localaws.kernel.errors import LocalAwsError


class EngineError(LocalAwsError):
    """An engine that is not here, does not answer, or cannot do what it is asked for."""
