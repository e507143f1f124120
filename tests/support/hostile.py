"""Requests that nobody with good intentions sends, in any number: malformed, enormous, broken off, signed or not."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from tests.support.local_aws import KEY
from tests.support.malformed import wire

Attack: TypeAlias = Callable[[int, random.Random], None]
_PATIENCE_SECONDS = 60
_AT_ONCE = 16
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
_METRICS = {**_FORM, "Content-Encoding": "gzip"}


def send_hostile_requests(port: int, count: int, seed: int = 1) -> None:
    """Send so many requests of all kinds, several at once."""
    chosen = random.Random(seed)

    def attack(number: int) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # the daemon may hang up on any of them
            ATTACKS[number % len(ATTACKS)](port, random.Random(chosen.random() + number))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(attack, range(count)))


def _raw(port: int, content: bytes, *, is_answer_read: bool = True) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        connection.sendall(content)
        if is_answer_read:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass


def _head(port: int, first: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items() if name.lower() != "host"]
    return "\r\n".join((first, f"Host: 127.0.0.1:{port}", *lines, "", "")).encode("latin-1", "replace")


def _send(port: int, method: str, target: str, service: str, body: bytes, headers: Mapping[str, str]) -> None:
    wire.send(port, wire.sign(wire.HttpRequest(method, target, headers, body), service, port))


def _nonsense(port: int, chosen: random.Random) -> None:
    _raw(port, chosen.randbytes(chosen.randrange(1, 5000)))


def _half_a_head(port: int, chosen: random.Random) -> None:
    whole = _head(port, "PUT /bucket/a HTTP/1.1", {"Content-Length": "10", **wire.signed("s3")})
    _raw(port, whole[: chosen.randrange(len(whole))], is_answer_read=False)


def _large_head(port: int, chosen: random.Random) -> None:
    _raw(port, _head(port, "GET / HTTP/1.1", {f"X-{number}": "a" * 900 for number in range(chosen.randrange(20, 100))}))


def _unsigned_body(port: int, chosen: random.Random) -> None:
    head = _head(port, "POST /_local/health HTTP/1.1", {"Content-Length": str(1 << 30)})
    _raw(port, head + bytes(chosen.randrange(2 << 20)))


def _false_signature(port: int, chosen: random.Random) -> None:
    headers = {"Content-Length": str(1 << 20), **wire.signed("s3", KEY.id)}
    _raw(port, _head(port, f"PUT /bucket/{chosen.random()} HTTP/1.1", headers) + bytes(1 << 20))


def _unknown_service(port: int, chosen: random.Random) -> None:
    _send(port, "POST", "/", f"service{chosen.randrange(10**9)}", b"{}", {})


def _unknown_operation(port: int, chosen: random.Random) -> None:
    _send(port, "POST", "/", "sqs", b"{}", {**_JSON, "X-Amz-Target": f"AmazonSQS.{chosen.random()}"})


def _wrong_digest(port: int, chosen: random.Random) -> None:
    body = bytes(chosen.randrange(600 << 10))
    _send(port, "PUT", f"/bucket/{chosen.randrange(9)}", "s3", body, {"x-amz-checksum-crc32": "AAAAAA=="})


def _broken_off(port: int, chosen: random.Random) -> None:
    headers = wire.sign(wire.HttpRequest("PUT", "/bucket/a"), "s3", port).headers
    head = _head(port, "PUT /bucket/a HTTP/1.1", {"Content-Length": str(1 << 30), **headers})
    _raw(port, head + bytes(chosen.randrange(1 << 20)), is_answer_read=False)


def _malformed_chunks(port: int, chosen: random.Random) -> None:
    headers = {"Transfer-Encoding": "chunked", **wire.sign(wire.HttpRequest("POST"), "sqs", port).headers}
    _raw(port, _head(port, "POST / HTTP/1.1", headers) + b"%x\r\n" % chosen.randrange(1 << 40) + bytes(1 << 16))


def _missing_key(port: int, chosen: random.Random) -> None:
    _send(port, "GET", f"/bucket/{chosen.randbytes(400).hex()}", "s3", b"", {})


def _malformed_bucket(port: int, chosen: random.Random) -> None:
    _send(port, "PUT", chosen.choice(("/..", "/A", "/a..b", "/x%0a", f"/{chosen.random()}")), "s3", b"", {})


def _many_lists(port: int, chosen: random.Random) -> None:
    _send(port, "POST", "/", "sagemaker", b'{"a":[' + b"[]," * chosen.randrange(400_000) + b"0]}", _JSON)


def _deep_lists(port: int, chosen: random.Random) -> None:
    _send(port, "POST", "/", "sagemaker", b'{"a":' + b"[" * chosen.randrange(500_000), _JSON)


def _many_fields(port: int, chosen: random.Random) -> None:
    body = b"Action=ListRoles&Version=2010-05-08" + b"&a=" * chosen.randrange(400_000)
    _send(port, "POST", "/", "iam", body, _FORM)


def _many_elements(port: int, chosen: random.Random) -> None:
    body = b"<Delete>" + b"<a/>" * chosen.randrange(400_000) + b"</Delete>"
    _send(port, "POST", "/bucket?delete", "s3", body, {})


def _endless_form(port: int, chosen: random.Random) -> None:
    _raw(port, _form_head(port, 1 << 30) + b'Content-Disposition: form-data; name="key"\r\n\r\n' + bytes(1 << 20))


def _nonsense_form(port: int, chosen: random.Random) -> None:
    content = chosen.randbytes(chosen.randrange(1 << 16)).replace(b"\0", b"\r\n--b\r\n")
    _raw(port, _form_head(port, len(content)) + content)


def _unsigned_form(port: int, chosen: random.Random) -> None:
    field = b'Content-Disposition: form-data; name="%s"\r\n\r\nAKIANOBODY\r\n--b\r\n'
    fields = b"".join(field % name for name in (b"key", b"policy", b"AWSAccessKeyId", b"signature"))
    file = b'Content-Disposition: form-data; name="file"\r\n\r\n' + bytes(chosen.randrange(2 << 20))
    _raw(port, _form_head(port, 1 << 30) + fields + file)


def _form_head(port: int, length: int) -> bytes:
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(length)}
    return _head(port, "POST /bucket HTTP/1.1", headers) + b"--b\r\n"


def _packed_zeros(port: int, chosen: random.Random) -> None:
    _send(port, "POST", "/", "monitoring", gzip.compress(bytes(chosen.randrange(64 << 20)), 1), _METRICS)


ATTACKS: Sequence[Attack] = (
    *(_nonsense, _half_a_head, _large_head, _unsigned_body, _false_signature, _unknown_service, _unknown_operation),
    *(_wrong_digest, _broken_off, _malformed_chunks, _missing_key, _malformed_bucket, _many_lists, _deep_lists),
    *(_many_fields, _many_elements, _packed_zeros, _endless_form, _nonsense_form, _unsigned_form),
)
