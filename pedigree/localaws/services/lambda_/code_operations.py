"""A function's code on its way to moto: what lies in S3 is fetched, since S3 is not moto's, and all is looked at."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pedigree.localaws.http.protocol.documents import document
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.replies import read, refused
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.kernel.interfaces import ObjectReader
from pedigree.localaws.services.lambda_ import code_cache, hot_reload

_CREATE = re.compile(r"/2015-03-31/functions/?")
_LAYER = re.compile(r"/2018-10-31/layers/[^/]+/versions/?")
_UPDATE = re.compile(r"/2015-03-31/functions/[^/]+/code/?")
# Which requests bring code, by method and path, and in which of their members; an update is the code itself.
_BRINGING = (("POST", _CREATE, "Code"), ("PUT", _UPDATE, ""), ("POST", _LAYER, "Content"))
_SOURCES = ("S3Bucket", "ZipFile", "ImageUri")
_LARGEST = 96 << 20  # 70 MB of a zip, as base64
_MISSING = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: The specified {} does not exist."


class CodeUploads:
    """Requests that bring code, made ready for moto; everything else is handed on."""

    def __init__(self, objects: ObjectReader, others: Application) -> None:
        self._objects = objects
        self._others = others

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to a request."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        member = next((inside for by, at, inside in _BRINGING if method == by and at.fullmatch(path)), None)
        if member is not None:
            try:
                asked = document(read(environ, _LARGEST))
                ready = {**asked, member: self._ready(asked.get(member))} if member else self._ready(asked)
            except ServiceError as error:
                return refused(error)(environ, start_response)
            body = json.dumps(ready).encode()
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return self._others(environ, start_response)

    def _ready(self, told: Any) -> dict[str, Any]:
        """The same with the archive in it, if it is one of files."""
        if not isinstance(told, Mapping) or not any(one in told for one in _SOURCES):
            raise ServiceError("InvalidParameterValueException", "Please provide a source for function code.")
        if told.get("S3Bucket") == hot_reload.BUCKET:
            content = hot_reload.archive(str(told.get("S3Key", "")))
        elif "S3Bucket" in told:
            content = self._fetched(f"s3://{told['S3Bucket']}/{told.get('S3Key', '')}")
        elif "ZipFile" in told:
            content = _decoded(told["ZipFile"])
        else:
            return dict(told)
        code_cache.check(content)
        others = {key: value for key, value in told.items() if key not in ("S3Bucket", "S3Key", "S3ObjectVersion")}
        return {**others, "ZipFile": base64.b64encode(content).decode()}

    def _fetched(self, uri: str) -> bytes:
        try:
            return self._objects.read(uri)
        except (KeyError, ServiceError):
            raise ServiceError("InvalidParameterValueException", _MISSING.format("NoSuchKey", "key")) from None


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise ServiceError("InvalidParameterValueException", code_cache.UNREADABLE) from None
