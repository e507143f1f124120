"""The operations of Lambda that bring code: what lies in S3 is fetched, since S3 is not moto's, and all is checked."""

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
    """Hands code to moto as an archive, whether it came as one or lies in S3."""

    _objects: ObjectReader
    _moto: Service

    def create_function(self, exchange: Exchange) -> Response:
        """Make a function with its code."""
        return self._with_archive_in(exchange, "Code")

    def publish_layer_version(self, exchange: Exchange) -> Response:
        """Make a layer with its files; its name is in the path."""
        return self._with_archive_in(exchange, "Content", in_path="LayerName")

    def update_function_code(self, exchange: Exchange) -> Response:
        """Give a function other code, which the request itself is; the function's name is in the path."""
        members = {name: value for name, value in exchange.members.items() if name != "FunctionName"}
        return self._handed_on(exchange, self._archived(members))

    def _with_archive_in(self, exchange: Exchange, member: str, in_path: str = "") -> Response:
        members = {name: value for name, value in exchange.members.items() if name != in_path}
        return self._handed_on(exchange, {**members, member: self._archived(members[member])})

    def _handed_on(self, exchange: Exchange, members: Mapping[str, Any]) -> Response:
        exchange.body = json.dumps(members).encode()
        return self._moto(exchange)

    def _archived(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """The same with the archive in it, if it is one of files."""
        if not any(name in source for name in _SOURCES):
            raise ServiceError("InvalidParameterValueException", "Please provide a source for function code.")
        if source.get("S3Bucket") == hot_reload.BUCKET:
            content = hot_reload.archive_path(str(source.get("S3Key", "")))
        elif "S3Bucket" in source:
            content = self._fetched(f"s3://{source['S3Bucket']}/{source.get('S3Key', '')}")
        elif "ZipFile" in source:
            content = _decoded(source["ZipFile"])
        else:
            return dict(source)
        code_cache.check_archive(content)
        others = {name: value for name, value in source.items() if name not in _IN_S3}
        return {**others, "ZipFile": base64.b64encode(content).decode()}

    def _fetched(self, uri: str) -> bytes:
        try:
            return self._objects.read(uri)
        except (KeyError, ServiceError):
            raise ServiceError("InvalidParameterValueException", _MISSING.format("NoSuchKey", "key")) from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ServiceError("InvalidParameterValueException", code_cache.UNREADABLE) from None
