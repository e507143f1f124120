"""SageMaker's control plane as the chain of a request's handlers asks it: one operation a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import serializer
from pedigree.localaws.services.sagemaker.control.service import Service


@dataclass(frozen=True)
class ControlPlane:
    """Jobs, endpoints, pipelines and all that is made, described and ended by name."""

    service: Service
    _content_type: ClassVar[str] = serializer.content_type("sagemaker")

    def supports(self, operation: str) -> bool:
        """Whether an operation has a handler."""
        return operation in self.service.handlers

    def __call__(self, exchange: Exchange) -> Response:
        """What an operation answers."""
        members = self.service.perform(exchange.operation, dict(exchange.members))
        return serializer.json_response(members, content_type=self._content_type)
