"""The operation of STS that moto answers for one caller only: who a caller is, which authentication has found out."""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class StsOperations:
    """Answers for callers; all else is moto's."""

    def get_caller_identity(self, exchange: Exchange) -> Response:
        """Say whose keys the request was signed with."""
        caller = exchange.caller
        if caller is None:
            raise LookupError("the caller was not looked up")
        members = {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.arn.split(":")[4]}
        result = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in members.items())
        metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        body = f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult>{metadata}"
        document = f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}">{body}</GetCallerIdentityResponse>'
        return Response(document, content_type="text/xml")
