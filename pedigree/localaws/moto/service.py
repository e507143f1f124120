"""One of moto's services, behind the interface that the chain of handlers and the providers call."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.moto.supported import is_supported


@dataclass(frozen=True)
class MotoService:
    """A service by its name in credential scopes."""

    name: str
    backends: MotoBackends

    def supports(self, operation: str) -> bool:
        """Whether moto can do an operation."""
        return is_supported(self.name, operation)

    def __call__(self, exchange: Exchange) -> Response:
        """moto's answer."""
        return self.backends.answer(exchange)
