"""InvokeEndpoint as one signed request, out of botocore's own parts and without its client.

A client reads the descriptions of all services before its first call: most of the time that a function takes to come
up, and a third of its memory. One call, always the same, needs none of it: botocore's signer and its connections do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

SERVICE = "sagemaker"
JSON_TYPE = "application/json"
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 50.0
_SUFFIX = "amazonaws.com"
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


class Credentials(NamedTuple):
    """Who asks, in the words of the signer."""

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True)
class Runtime:
    """SageMaker's runtime, as the environment of a function says where it is and who asks."""

    environment: Mapping[str, str]
    connections: URLLib3Session = field(
        default_factory=lambda: URLLib3Session(timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
    )

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        """The endpoint's answer; botocore's exceptions say why there is none."""
        headers = {"Accept": JSON_TYPE, "Content-Type": content_type, "User-Agent": "pedigree"}
        url = f"{self.address}/endpoints/{quote(endpoint, safe='')}/invocations"
        request = AWSRequest("POST", url, headers, body)
        SigV4Auth(self._credentials(), SERVICE, self.environment["AWS_REGION"]).add_auth(request)
        answer = self.connections.send(request.prepare())
        if answer.status_code >= 300:
            raise _failure(answer.status_code, answer.headers, answer.content)
        return bytes(answer.content)

    @property
    def address(self) -> str:
        """Where the runtime is: where AWS's variables say, or else in the region."""
        named = self.environment.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or self.environment.get("AWS_ENDPOINT_URL")
        region = self.environment["AWS_REGION"]
        suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), _SUFFIX)
        return (named or f"https://runtime.sagemaker.{region}.{suffix}").rstrip("/")

    def _credentials(self) -> Credentials:
        access_key, secret_key = self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
        return Credentials(access_key, secret_key, self.environment.get("AWS_SESSION_TOKEN"))


def _failure(status: int, headers: Mapping[str, str], content: bytes) -> ClientError:
    """What the service says went wrong, as botocore's clients would raise it."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    told = document if isinstance(document, dict) else {}
    name = str(headers.get("x-amzn-errortype") or told.get("__type") or told.get("code") or status)
    error = {
        "Code": name.partition(":")[0].rpartition("#")[2],
        "Message": str(told.get("message") or told.get("Message") or ""),
    }
    return ClientError({"Error": error, "OriginalStatusCode": told.get("OriginalStatusCode")}, "InvokeEndpoint")
