"""Answers with a content type of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_containers import _content_types


class Response(tuple):  # type: ignore[type-arg]
    """What an output_fn returns to say which type its content has: a pair, as the model server takes it."""

    def __new__(
        cls,
        response: Any = None,
        accept: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        mimetype: str | None = None,
        direct_passthrough: bool = False,
    ) -> Response:
        """Take what flask's Response takes."""
        made = super().__new__(cls, ("" if response is None else response, mimetype or accept or _content_types.JSON))
        made.status_code, made.headers, made.direct_passthrough = status, dict(headers or {}), direct_passthrough
        return made

    status_code: int
    headers: dict[str, str]
    direct_passthrough: bool

    @property
    def response(self) -> Any:
        return self[0]

    @property
    def mimetype(self) -> Any:
        return self[1]

    @property
    def data(self) -> bytes:
        content = self[0]
        return content.encode() if isinstance(content, str) else bytes(content)

    def get_data(self, as_text: bool = False) -> str | bytes:
        """The content."""
        return self.data.decode() if as_text else self.data
