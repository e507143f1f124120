"""What is wrong with a signature is said in AWS's words, and in those of S3 where they differ."""

from __future__ import annotations

import pytest

from pedigree.localaws.http.protocol.error_forms import error_response
from pedigree.localaws.http.sigv4 import payload, sigv2, verifier
from pedigree.localaws.http.sigv4.errors import SignatureError
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import Signature, from_header, from_query, parsed_time, written_time

TIME = "20260102T030405Z"
NOW = parsed_time(TIME)
QUARTER = 900


def request(service: str = "sqs", date: str = "20260102", **headers: str) -> RequestParts:
    value = (
        f"Credential=KEY/{date}/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    )
    given = {"host": "127.0.0.1:1", "x-amz-date": TIME, "authorization": f"AWS4-HMAC-SHA256 {value}"}
    return RequestParts("POST", "/", "", {**given, **headers})


def presigned(service: str = "s3", **parameters: str) -> RequestParts:
    given = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"KEY%2F20260102%2Fus-east-1%2F{service}%2Faws4_request",
        "X-Amz-Date": TIME,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "0" * 64,
        **{f"X-Amz-{name}": value for name, value in parameters.items()},
    }
    query = "&".join(f"{name}={value}" for name, value in given.items() if value)
    return RequestParts("GET", "/bucket/key", query, {"host": "127.0.0.1:1"})


def refusal(parts: RequestParts, now: float = NOW) -> SignatureError:
    with pytest.raises(SignatureError) as refused:
        verify(parts, now)
    return refused.value


def verify(parts: RequestParts, now: float) -> Signature:
    signature = from_query(parts) if parts.query else from_header(parts)
    verifier.check_current(parts, signature, now)
    return signature


@pytest.mark.parametrize("seconds", [-QUARTER, 0, QUARTER])
@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_a_signature_is_good_for_a_quarter_of_an_hour(service: str, seconds: float) -> None:
    assert verify(request(service), NOW + seconds).key_id == "KEY"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (
            QUARTER + 1,
            "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T031906Z - 15",
        ),
        (-QUARTER - 1, "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z"),
    ],
)
def test_a_skewed_clock_is_reported(seconds: float, words: str) -> None:
    refused = refusal(request(), NOW + seconds)
    assert (refused.code, words in refused.message) == ("SignatureDoesNotMatch", True), refused.message
    refused = refusal(request("s3"), NOW + seconds)
    assert (refused.code, refused.status) == ("RequestTimeTooSkewed", 403)


def test_s3_says_what_should_have_been_signed() -> None:
    parts = presigned()
    with pytest.raises(SignatureError) as refused:
        verifier.check_signature(parts, from_query(parts), "secret", "UNSIGNED-PAYLOAD")
    details = refused.value.details
    assert (details["AWSAccessKeyId"], details["SignatureProvided"]) == ("KEY", "0" * 64)
    assert details["StringToSign"].startswith(f"AWS4-HMAC-SHA256\n{TIME}\n20260102/us-east-1/s3/aws4_request\n")
    assert details["CanonicalRequest"].startswith("GET\n/bucket/key\n")
    assert bytes.fromhex(details["CanonicalRequestBytes"]).decode() == details["CanonicalRequest"]


def test_s3_names_what_was_not_signed_and_when_a_request_has_ended() -> None:
    unsigned = request("s3", **{"x-amz-meta-b": "", "x-amz-meta-a": ""})
    assert refusal(unsigned).details == {"HeadersNotSigned": "x-amz-meta-a, x-amz-meta-b"}
    assert refusal(presigned(), NOW + 61).details == {
        "X-Amz-Expires": "60",
        "Expires": "2026-01-02T03:05:05Z",
        "ServerTime": "2026-01-02T03:05:06Z",
    }


def test_a_hash_of_the_body_needs_no_signature() -> None:
    assert verify(request("s3", **{"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}), NOW)


def test_a_presigned_request_ends_with_its_lifetime() -> None:
    assert verify(presigned(), NOW + 60).expires == 60
    assert refusal(presigned(), NOW + 61).message == "Request has expired"
    assert refusal(presigned("sts"), NOW + 61).code == "SignatureDoesNotMatch"
    assert refusal(presigned(), NOW - QUARTER - 1).message == "Request is not yet valid"
    assert verify(presigned(Expires="604800"), NOW + 604_800)


@pytest.mark.parametrize("lifetime", ["604801", "-1", "soon", "1e3", "", "9" * 30, "٣"])
def test_a_lifetime_is_a_week_at_most(lifetime: str) -> None:
    refused = refusal(presigned(Expires=lifetime))
    assert (refused.code, refused.status) == ("AuthorizationQueryParametersError", 400)


@pytest.mark.parametrize("name", ["Credential", "Date", "SignedHeaders", "Signature"])
def test_a_query_lacks_no_part(name: str) -> None:
    assert refusal(presigned(**{name: ""})).code == "AuthorizationQueryParametersError"


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=KEY",
            "AWS4-HMAC-SHA256 Credential=, SignedHeaders=host",
        ),
        "AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/sqs, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=KEY/today/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/sqs/aws5_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=/20260102/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
    ],
)
def test_a_malformed_header_is_refused(value: str) -> None:
    refused = refusal(request(authorization=value))
    assert (refused.code, refused.status) == ("IncompleteSignature", 400)


@pytest.mark.parametrize("value", ["0", "0" * 63, "0" * 65, "G" * 64, "é" * 64, "A" * 64])
def test_a_value_that_is_no_signature_matches_nothing(value: str) -> None:
    parts = request()
    header = parts.headers["authorization"].replace("0" * 64, value)
    changed = request(authorization=header)
    with pytest.raises(SignatureError, match="does not match the signature you provided"):
        verifier.check_signature(changed, from_header(changed), "secret", payload.EMPTY_HASH)


@pytest.mark.parametrize(
    "time", ["", "20260102", "2026-01-02T03:04:05Z", "20261302T030405Z", "20260102T250405Z", "٢٠٢٦٠١٠٢T030405Z"]
)
def test_a_time_that_is_none_is_refused(time: str) -> None:
    assert refusal(request(**{"x-amz-date": time})).code == "IncompleteSignature"


def test_the_date_of_http_will_do() -> None:
    headers = {name: value for name, value in request().headers.items() if name != "x-amz-date"}
    dated = {**headers, "date": "Fri, 02 Jan 2026 03:04:05 GMT"}
    assert from_header(RequestParts("POST", "/", "", dated)).time == TIME
    with pytest.raises(SignatureError, match="either a 'X-Amz-Date' or a 'Date' header"):
        from_header(RequestParts("POST", "/", "", headers))


def test_the_scope_is_of_the_day() -> None:
    assert "'20260101' != '20260102'" in refusal(request(date="20260101")).message
    assert refusal(request("s3", date="20260101")).code == "IncompleteSignature"


def test_what_matters_must_be_signed() -> None:
    assert refusal(request(**{"x-amz-target": "AmazonSQS.ListQueues"})).code == "SignatureDoesNotMatch"
    refused = refusal(request("s3", **{"x-amz-acl": "public-read"}))
    assert (refused.code, refused.details) == ("AccessDenied", {"HeadersNotSigned": "x-amz-acl"})
    assert "host must be a 'SignedHeader'" in refusal(presigned("sqs", SignedHeaders="x")).message
    assert verify(request(**{"x-amz-security-token": "token", "x-amzn-trace-id": "x"}), NOW)


@pytest.mark.parametrize("declared", ["", "0" * 63, "unsigned-payload", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"])
def test_s3_is_told_what_stands_for_the_body(declared: str) -> None:
    parts = request("s3", **({"x-amz-content-sha256": declared} if declared else {}))
    with pytest.raises(SignatureError) as refused:
        payload.declared_hash(parts, from_header(parts))
    assert refused.value.code == ("InvalidArgument" if declared else "InvalidRequest")
    assert payload.declared_hash(presigned(), from_query(presigned())) == payload.UNSIGNED


@pytest.mark.parametrize("query", ["AWSAccessKeyId=K&Expires=1", "AWSAccessKeyId=K&Signature=x&Expires=soon"])
def test_version_2_lacks_no_part(query: str) -> None:
    with pytest.raises(SignatureError) as refused:
        sigv2.from_query(RequestParts("GET", "/b/k", query, {}))
    assert refused.value.code == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        *(("s3", "SignatureDoesNotMatch", 403), ("sts", "SignatureDoesNotMatch", 403), ("ec2", "AuthFailure", 401)),
        *(("iam", "SignatureDoesNotMatch", 403), ("lambda", "InvalidSignatureException", 403)),
        *(("sagemaker", "InvalidSignatureException", 400), ("events", "InvalidSignatureException", 400)),
        *(("sagemaker-runtime", "InvalidSignatureException", 403), ("scheduler", "InvalidSignatureException", 403)),
        *(("logs", "InvalidSignatureException", 400), ("sqs", "SignatureDoesNotMatch", 403)),
    ],
)
def test_each_service_has_its_own_form_of_it(service: str, code: str, status: int) -> None:
    parts = request(service)
    with pytest.raises(SignatureError) as refused:
        verifier.check_signature(parts, from_header(parts), "secret", payload.EMPTY_HASH)
    answer = error_response(service, refused.value, "/")
    written = f"{answer.headers} {answer.get_data(as_text=True)}"
    assert (code in written, answer.status_code) == (True, status)


def test_times_are_read_as_they_are_written() -> None:
    assert written_time(NOW) == TIME
