"""The gate before the services' HTTP: who asks, what, and whether it may be."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from xml.sax.saxutils import escape

from werkzeug import Response

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.http.protocol import parser as reading
from pedigree.localaws.iam import objects
from pedigree.localaws.iam.actions import TABLES
from pedigree.localaws.iam.callers import Caller
from pedigree.localaws.iam.authorizer import Gate
from pedigree.localaws.iam.refusals import response

_STS = "https://sts.amazonaws.com/doc/2011-06-15/"


class Door:
    """Services that are only asked what their callers may ask."""

    def __init__(self, gate: Gate, inside: Application) -> None:
        self._gate = gate
        self._inside = inside

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The service's answer, or a refusal."""
        try:
            answer = self._decided(environ)
        except ServiceError as error:
            answer = response(reading.service_of(environ), error, environ.get("PATH_INFO", "/"))
            if environ["REQUEST_METHOD"] == "HEAD":
                answer.set_data(b"")
        return (answer or self._inside)(environ, start_response)

    def _decided(self, environ: Environ) -> Response | None:
        """None for what may go on; an answer where the gate itself has it."""
        caller = self._asking(environ)
        service = environ["localaws.service"]
        if service != "sts" and (caller.is_root or not self._gate.is_enforced):
            return None
        if service == "s3":
            self._gate.check(caller, objects.requests(environ), environ["localaws.region"])
            return None
        call = reading.read(environ) if service in TABLES else None
        if call is None:
            self._gate.check(caller, (reading.unknown(environ),), environ["localaws.region"])
        elif service == "sts" and call.operation == "GetCallerIdentity":
            return _identity(caller)
        else:
            self._gate.check_call(caller, call)
        return None

    def _asking(self, environ: Environ) -> Caller:
        try:
            return self._gate.people.asking(environ["localaws.key"], environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
        except ServiceError:
            if self._gate.is_enforced:
                raise
            return self._gate.people.root


def _identity(caller: Caller) -> Response:
    account = caller.arn.split(":")[4]
    told = {"Arn": caller.arn, "UserId": caller.user_id, "Account": account}
    result = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
    about = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    body = f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult>{about}"
    return Response(
        f'<GetCallerIdentityResponse xmlns="{_STS}">{body}</GetCallerIdentityResponse>', content_type="text/xml"
    )
