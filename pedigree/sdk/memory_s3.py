"""S3 in memory: keeps what a script uploads while it defines a pipeline, and gives it back."""

from __future__ import annotations

from botocore.awsrequest import AWSResponse

from pedigree.sdk.wire_answers import answer, xml_answer
from pedigree.sdk.wire_request import WireRequest

_ETAG = '"offline"'


class MemoryS3:
    """Every bucket exists; a bucket has the objects that were put."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        """Contents by bucket/key."""
        self._parts: dict[tuple[str, int], bytes] = {}

    def answer(self, request: WireRequest) -> AWSResponse:
        bucket, key = request.place
        if not key:
            return self._of_bucket(request, bucket)
        name = f"{bucket}/{key}"
        if request.method == "PUT":
            return self._put(request, name)
        if request.method == "POST":
            return self._multipart(request, name)
        if request.method == "DELETE":
            self.objects.pop(name, None)
            return answer(request.sent, status=204)
        return self._get(request, name)

    def _of_bucket(self, request: WireRequest, bucket: str) -> AWSResponse:
        if not bucket:
            return xml_answer(request.sent, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")
        if request.method != "GET":
            return answer(request.sent)
        prefix = f"{bucket}/{request.query.get('prefix', '')}"
        listed = "".join(
            f"<Contents><Key>{name.partition('/')[2]}</Key><Size>{len(content)}</Size><ETag>{_ETAG}</ETag></Contents>"
            for name, content in self.objects.items()
            if name.startswith(prefix)
        )
        return xml_answer(request.sent, f"<ListBucketResult><Name>{bucket}</Name>{listed}</ListBucketResult>")

    def _put(self, request: WireRequest, name: str) -> AWSResponse:
        if "partNumber" in request.query:
            self._parts[name, int(request.query["partNumber"])] = request.body
        elif "X-Amz-Copy-Source" in request.sent.headers:
            return xml_answer(request.sent, f"<CopyObjectResult><ETag>{_ETAG}</ETag></CopyObjectResult>")
        else:
            self.objects[name] = request.body
        return answer(request.sent, headers={"ETag": _ETAG})

    def _multipart(self, request: WireRequest, name: str) -> AWSResponse:
        if "uploads" in request.query:
            result = "<UploadId>1</UploadId>"
            return xml_answer(request.sent, f"<InitiateMultipartUploadResult>{result}</InitiateMultipartUploadResult>")
        numbers = sorted(number for part, number in self._parts if part == name)
        self.objects[name] = b"".join(self._parts.pop((name, number)) for number in numbers)
        result = f"<ETag>{_ETAG}</ETag>"
        return xml_answer(request.sent, f"<CompleteMultipartUploadResult>{result}</CompleteMultipartUploadResult>")

    def _get(self, request: WireRequest, name: str) -> AWSResponse:
        content = self.objects.get(name)
        if content is None:
            cause = f"pedigree runs the script without an account, and s3://{name} was not put by it"
            return xml_answer(request.sent, f"<Error><Code>NoSuchKey</Code><Message>{cause}</Message></Error>", 404)
        size = {"ETag": _ETAG, "Content-Length": str(len(content))}
        return answer(request.sent, b"" if request.method == "HEAD" else content, 200, size)
