"""InvokeEndpoint as one signed request, made from parts of botocore without its client.

A client loads the descriptions of services before its first call, which takes most of a cold start and a third of its
memory. A single, fixed operation does not need that: botocore's signer and HTTP session are enough.
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
    """Credentials with the attributes that the signer reads."""

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True)
class Runtime:
    """SageMaker's runtime API, with the endpoint and the credentials of the function's environment."""

    environment: Mapping[str, str]
    http_session: URLLib3Session = field(
        default_factory=lambda: URLLib3Session(timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
    )

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        """Returns the endpoint's response; raises botocore's exceptions."""
        headers = {"Accept": JSON_TYPE, "Content-Type": content_type, "User-Agent": "pedigree"}
        url = f"{self.address}/endpoints/{quote(endpoint, safe='')}/invocations"
        request = AWSRequest("POST", url, headers, body)
        SigV4Auth(self._credentials(), SERVICE, self.environment["AWS_REGION"]).add_auth(request)
        response = self.http_session.send(request.prepare())
        if response.status_code >= 300:
            raise _client_error(response.status_code, response.headers, response.content)
        return bytes(response.content)

    @property
    def address(self) -> str:
        """The URL of the runtime API, from AWS's variables or for the region."""
        configured = self.environment.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or self.environment.get(
            "AWS_ENDPOINT_URL"
        )
        region = self.environment["AWS_REGION"]
        suffix = next((suffix for prefix, suffix in _SUFFIXES.items() if region.startswith(prefix)), _SUFFIX)
        return (configured or f"https://runtime.sagemaker.{region}.{suffix}").rstrip("/")

    def _credentials(self) -> Credentials:
        access_key, secret_key = self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
        return Credentials(access_key, secret_key, self.environment.get("AWS_SESSION_TOKEN"))


def _client_error(status: int, headers: Mapping[str, str], content: bytes) -> ClientError:
    """Returns an error response as the exception that botocore's clients raise."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    details = document if isinstance(document, dict) else {}
    name = str(headers.get("x-amzn-errortype") or details.get("__type") or details.get("code") or status)
    error = {
        "Code": name.partition(":")[0].rpartition("#")[2],
        "Message": str(details.get("message") or details.get("Message") or ""),
    }
    return ClientError({"Error": error, "OriginalStatusCode": details.get("OriginalStatusCode")}, "InvokeEndpoint")
