"""Lambda's operations with code: fetches it from S3, which moto cannot reach here, and checks every archive."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.kernel.interfaces import ObjectReader
from pedigree.localaws.services.lambda_ import code_cache, hot_reload

_SOURCES = ("S3Bucket", "ZipFile", "ImageUri")
_IN_S3 = ("S3Bucket", "S3Key", "S3ObjectVersion")
_MISSING = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: The specified {} does not exist."


@dataclass(frozen=True)
class CodeOperations:
    """Forwards code to moto as an archive, wherever it comes from."""

    _objects: ObjectReader
    _moto: Service

    def create_function(self, exchange: Exchange) -> Response:
        """Create a function with an archive of its code."""
        return self._forward_with_archive(exchange, "Code")

    def publish_layer_version(self, exchange: Exchange) -> Response:
        """Create a layer version; its name is in the path, and not in the body."""
        return self._forward_with_archive(exchange, "Content", in_path="LayerName")

    def update_function_code(self, exchange: Exchange) -> Response:
        """Replace a function's code, whose members stand in the body itself."""
        members = {name: value for name, value in exchange.members.items() if name != "FunctionName"}
        return self._forward(exchange, self._with_archive(members))

    def _forward_with_archive(self, exchange: Exchange, member: str, in_path: str = "") -> Response:
        members = {name: value for name, value in exchange.members.items() if name != in_path}
        return self._forward(exchange, {**members, member: self._with_archive(members[member])})

    def _forward(self, exchange: Exchange, members: Mapping[str, Any]) -> Response:
        exchange.body = json.dumps(members).encode()
        return self._moto(exchange)

    def _with_archive(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """Return a code source with its archive in it; an image stays as it is."""
        if not any(name in source for name in _SOURCES):
            raise ServiceError("InvalidParameterValueException", "Please provide a source for function code.")
        if source.get("S3Bucket") == hot_reload.BUCKET:
            content = hot_reload.archive_path(str(source.get("S3Key", "")))
        elif "S3Bucket" in source:
            content = self._fetch(f"s3://{source['S3Bucket']}/{source.get('S3Key', '')}")
        elif "ZipFile" in source:
            content = _decode(source["ZipFile"])
        else:
            return dict(source)
        code_cache.check_archive(content)
        others = {name: value for name, value in source.items() if name not in _IN_S3}
        return {**others, "ZipFile": base64.b64encode(content).decode()}

    def _fetch(self, uri: str) -> bytes:
        try:
            return self._objects.read(uri)
        except (KeyError, ServiceError):
            raise ServiceError("InvalidParameterValueException", _MISSING.format("NoSuchKey", "key")) from None


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ServiceError("InvalidParameterValueException", code_cache.UNREADABLE) from None
