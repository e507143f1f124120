"""multipart/form-data in any pieces: fields, then a file that is passed on; all that comes before it is bounded."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata

from pedigree.localaws.http.protocol.multipart_form import MOST_BEFORE_FILE, MultipartDecoder
from pedigree.localaws.http.protocol.s3_errors import S3Error

BOUNDARY = "boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,15}", fullmatch=True).filter(lambda name: name.lower() != "file")
FIELDS = st.dictionaries(NAMES.map(str.lower), st.text(max_size=60), max_size=8)
# What may follow in a file looks like the end of one.
CONTENTS = st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"\r\n--", b"\r\n--boundar", b"--boundary", b"x", bytes(99)]), max_size=30
).map(b"".join)


def form(fields: dict[str, str], content: bytes, name: str | None = "a.txt") -> bytes:
    """A form as clients write it."""
    file = (name, content) if name is not None else content
    body, _ = encode_multipart_formdata([*fields.items(), ("file", file)], boundary=BOUNDARY)
    return body


def pieces(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


def decode(*pieces: bytes, content_type: str = TYPE) -> tuple[MultipartDecoder, bytes]:
    decoder = MultipartDecoder(content_type)
    return decoder, b"".join(content for piece in pieces for content in decoder.decode(piece))


@given(fields=FIELDS, content=CONTENTS, cuts=st.lists(st.integers(0, 10**6), max_size=20))
def test_a_form_means_the_same_in_any_pieces(fields: dict[str, str], content: bytes, cuts: list[int]) -> None:
    decoder, file = decode(*pieces(form(fields, content), cuts))
    assert (decoder.fields, decoder.file_name, file, decoder.is_complete) == (fields, "a.txt", content, True)


@given(fields=FIELDS, content=CONTENTS, end=st.integers(0, 10**6))
def test_a_form_that_breaks_off_is_not_complete(fields: dict[str, str], content: bytes, end: int) -> None:
    body = form(fields, content)
    whole = len(body) - len("--\r\n")
    decoder, file = decode(body[: end % whole])
    assert not decoder.is_complete
    assert content.startswith(file)


@given(body=st.binary(max_size=300))
def test_nonsense_is_refused_or_waited_for(body: bytes) -> None:
    try:
        decoder, file = decode(f"--{BOUNDARY}\r\n".encode() + body)
    except S3Error as error:
        assert error.code in ("MalformedPOSTRequest", "InvalidArgument")  # noqa: PT017  # an error of S3, and no other
    else:
        assert not decoder.is_complete
        assert not file


def test_names_are_in_small_letters_and_paths_are_cut_off() -> None:
    head = b'--boundary\r\nContent-Disposition: form-data; name="kEy"\r\n\r\na\r\n--boundary  \r\n'
    for path, name in (
        (b"C:\\pictures\\dog.jpg", "dog.jpg"),
        (b"/home/ann/dog.jpg", "dog.jpg"),
        ("ü.jpg".encode(), "ü.jpg"),
        (b'a "quoted\\" %22name'.replace(b' "', b' \\"'), 'a "quoted" "name'),
    ):
        part = b'content-disposition: form-data; name="File"; filename="' + path + b'"\r\nContent-Type: a/b\r\n\r\n'
        decoder, file = decode(b"a preamble\r\n" + head + part + b"content\r\n--boundary--an epilogue")
        assert (decoder.fields, decoder.file_name, file) == ({"key": "a"}, name, b"content")


def test_a_file_may_come_as_text_and_what_follows_it_counts_for_nothing() -> None:
    body = form({"key": "a"}, b"content", None).replace(b"--boundary--", b"--boundary")
    decoder, file = decode(body + b'Content-Disposition: form-data; name="key"\r\n\r\nother\r\n--boundary--\r\n')
    assert (decoder.fields, decoder.file_name, file) == ({"key": "a"}, None, b"content")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"--boundary--\r\n", "InvalidArgument"),
        (form({"key": "a"}, b"").replace(b'name="file"', b'name="other"'), "InvalidArgument"),
        (form({"key": "a"}, b"").replace(b"form-data;", b"attachment;"), "MalformedPOSTRequest"),
        (form({"key": "a"}, b"").replace(b"Content-Disposition", b"X-Other"), "MalformedPOSTRequest"),
        (form({"key": "a"}, b"").replace(b"Content-Disposition:", b"Content-Disposition"), "MalformedPOSTRequest"),
        (form({"key": "a"}, b"").replace(b"\r\na\r\n", b"\r\n\xff\r\n"), "MalformedPOSTRequest"),
        (b"--boundaryx\r\n" + form({}, b""), "MalformedPOSTRequest"),
        (form({"key": "a", "Key": "b"}, b""), "InvalidArgument"),
    ],
)
def test_what_is_no_form_for_a_file_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        decode(body)
    assert (refused.value.code, refused.value.status) == (code, 400)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", f"{TYPE}{'x' * 70}", "multipart/form-data; boundary=ü"]
)
def test_a_form_needs_a_boundary(content_type: str) -> None:
    with pytest.raises(S3Error, match="not well-formed"):
        MultipartDecoder(content_type)


@pytest.mark.parametrize("piece", [1, 100, 10**6])
def test_what_comes_before_the_file_is_bounded(piece: int) -> None:
    body = form({"key": "a" * 20_000}, b"x" * 50_000)
    decode(*pieces(body, range(0, len(body), piece)))
    too_long = form({"key": "a" * MOST_BEFORE_FILE}, b"")
    for sent in (too_long, too_long[:-60], b"x" * (MOST_BEFORE_FILE + 1), b"--boundary\r\n" + b"x" * MOST_BEFORE_FILE):
        with pytest.raises(S3Error, match="fields preceding the upload file were too large"):
            decode(*pieces(sent, range(0, len(sent), piece)))
