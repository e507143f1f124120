"""AWS's services that the local AWS has not: which one a request is for, and in which protocol it wants its refusal.

Several services share a name in credential scopes with one that is here; they are told apart by their paths. The
tables are held against botocore's models by tests, since to load all of them takes half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pedigree.localaws.http.protocol import rest_protocol
from pedigree.localaws.http.protocol.models import MODELS, REST, model

CBOR, JSON, QUERY, REST_JSON, REST_XML = "smithy-rpc-v2-cbor", "json", "query", "rest-json", "rest-xml"
SHARED_SCOPES: Mapping[str, tuple[str, ...]] = {
    "sagemaker": (
        *("sagemaker-a2i-runtime", "sagemaker-edge", "sagemaker-featurestore-runtime"),
        *("sagemaker-inference-router-runtime", "sagemaker-metrics"),
        *("sagemakerjobruntime", "sagemakertrainingsessionruntime"),
    ),
    "lambda": ("lambda-core", "lambda-microvms", "lambda-web"),
    "iam": ("iam-toolbox",),
    "events": ("eventbridgev2",),
    "s3": ("s3control",),
}
"""Services that are not here, in botocore's words, by the name that they share with one that is."""
REST_XML_SCOPES = ("cloudfront", "route53")
_ACCOUNT_HEADER = "x-amz-account-id"  # S3's control plane has it, and S3 has not


def absent_service(
    scope: str, method: str, raw_path: str, query: rest_protocol.Query, headers: Mapping[str, str]
) -> str:
    """The service that a request is for, if it only shares its scope with one that is here; else nothing."""
    if scope not in SHARED_SCOPES or _is_own(scope, method, raw_path, query, headers):
        return ""
    is_cbor = protocol_of(scope, headers) == CBOR
    for name in SHARED_SCOPES[scope]:
        if model(name).metadata["protocol"] == CBOR:
            if is_cbor:
                return name
        elif rest_protocol.match(name, method, raw_path, query):
            return name
    return ""


def protocol_of(scope: str, headers: Mapping[str, str]) -> str:
    """The protocol that a request speaks, by its headers."""
    content_type = headers.get("content-type", "")
    if "smithy-protocol" in headers or "cbor" in content_type:
        return CBOR
    if "x-amz-target" in headers or "x-amz-json" in content_type:
        return JSON
    if "x-www-form-urlencoded" in content_type:
        return QUERY
    return REST_XML if scope in REST_XML_SCOPES or "xml" in content_type else REST_JSON


def _is_own(
    scope: str, method: str, raw_path: str, query: Mapping[str, Sequence[str]], headers: Mapping[str, str]
) -> bool:
    if scope == "s3":
        return _ACCOUNT_HEADER not in headers
    if scope == "sagemaker" and "x-amz-target" not in headers:
        return rest_protocol.match(MODELS["sagemaker-runtime"], method, raw_path, query) is not None
    if scope in REST:
        return rest_protocol.match(MODELS[scope], method, raw_path, query) is not None
    return raw_path in ("", "/")
