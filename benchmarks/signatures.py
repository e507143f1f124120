"""What the verifying of a signature adds to a call: from the request as it came, to the decision that it is signed.

python -m benchmarks.signatures [ROUNDS]
"""

from __future__ import annotations

import hashlib
import sys
import time
from statistics import median

from pedigree.localaws.http.sigv4 import payload, verifier
from pedigree.localaws.http.sigv4.errors import S3
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import from_header
from tests.support.local_aws import KEY
from tests.support.malformed import wire

MOST_MILLISECONDS = 0.2
_PORT = 4566
REQUESTS = {
    "sqs": wire.HttpRequest(headers={"X-Amz-Target": "AmazonSQS.ListQueues"}, body=b"{}"),
    "sagemaker-runtime": wire.HttpRequest(target="/endpoints/dogs/invocations", body=b"x" * 1000),
    S3: wire.HttpRequest("PUT", "/bucket/a/long/key%20of/an/object.tar.gz?partNumber=1&uploadId=abc", body=b"x" * 1000),
}


def verify(parts: RequestParts, service: str, body: bytes) -> None:
    """What a chain's handlers do with a request that is signed."""
    signature = from_header(parts)
    verifier.check_current(parts, signature, time.time())
    is_object = service == S3
    digest = payload.declared_hash(parts, signature) if is_object else hashlib.sha256(body).hexdigest()
    verifier.check_signature(parts, signature, KEY.secret, digest)


def main() -> int:
    """Measures and prints."""
    rounds, worst = int(sys.argv[1]) if len(sys.argv) > 1 else 5000, 0.0
    for service, unsigned in REQUESTS.items():
        request = wire.sign(unsigned, service, _PORT)
        path, _, query = request.target.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers |= {"host": f"127.0.0.1:{_PORT}", "content-type": "application/json", "user-agent": "Boto3/1.43"}
        taken = []
        for _ in range(rounds):
            started = time.perf_counter()
            verify(RequestParts(request.method, path, query, headers), service, request.body)
            taken.append(1000 * (time.perf_counter() - started))
        worst = max(worst, median(taken))
        print(f"{service:20} {median(taken):.4f} ms")
    return 1 if worst > MOST_MILLISECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
