"""The last net before a service: no answer is anything but the service's own, whatever came in.

A request that cannot be read is refused in the service's form. A bug in here is told as AWS tells its own, and the log
has all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from werkzeug.exceptions import HTTPException

from pedigree.localaws.http.body import IncompleteError, whole
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.s3_errors import ObjectsError
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.http.protocol import parser as reading
from pedigree.localaws.iam.refusals import response

_LOG = logging.getLogger(__name__)


class Net:
    """A service that answers whatever it is asked."""

    def __init__(self, inside: Application) -> None:
        self._inside = inside

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The service's answer, or why there is none."""
        try:
            with whole(environ, environ["localaws.service"]):
                return self._inside(environ, start_response)
        except (ServiceError, ObjectsError) as error:
            refusal = ServiceError(error.code, error.message, error.status)
        except HTTPException as error:
            refusal = ServiceError("InvalidRequest", f"The request cannot be read: {error.description}")
        except TimeoutError:
            refusal = IncompleteError("did not come in time", "RequestTimeout", 400)
        except Exception:  # noqa: BLE001  # told here, and logged
            asked = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO')} {environ.get('HTTP_X_AMZ_TARGET', '')}"
            _LOG.exception("%s of %s", asked, environ["localaws.service"])
            refusal = ServiceError("InternalFailure", "The local AWS failed; its log says more", 500)
        return _refused(environ, refusal)(environ, start_response)


def _refused(environ: Environ, error: ServiceError) -> Application:
    answer = response(reading.service_of(environ), error, environ.get("PATH_INFO", "/"))
    if error.code in ("IncompleteBody", "RequestTimeout"):
        answer.headers["Connection"] = "close"
    if environ["REQUEST_METHOD"] == "HEAD":
        answer.set_data(b"")
    return answer
