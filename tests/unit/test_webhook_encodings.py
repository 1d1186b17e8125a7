"""Bodies that are packed, or made of parts: read as what they hold, or refused; never stored unread."""

import gzip
import time
import zlib

import pytest

from app.api.webhooks.encodings import unpack
from app.errors import MediaError, TooLargeError
from app.recman.hook.webhook import parse_hints

BODY = b'{"event": "invoice.created", "id": 5001}'
RAW = zlib.compressobj(wbits=-15)
MOST = 10_000


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("x-gzip", gzip.compress(BODY, mtime=0)),
        (" GZIP ", gzip.compress(BODY[:9], mtime=0) + gzip.compress(BODY[9:], mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", RAW.compress(BODY) + RAW.flush()),
        ("identity", BODY),
        ("", BODY),
    ],
)
def test_packed_bodies_are_read(coding: str, packed: bytes) -> None:
    assert unpack(packed, {"content-encoding": coding}, most=MOST) == BODY


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("br", b"x"),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY, mtime=0), mtime=0)),
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY, mtime=0)[:-4]),
        ("gzip", gzip.compress(BODY, mtime=0) + b"more"),
        ("deflate", BODY),
    ],
)
def test_what_cannot_be_unpacked_is_refused(coding: str, packed: bytes) -> None:
    with pytest.raises(MediaError):
        unpack(packed, {"content-encoding": coding}, most=MOST)


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(b"0" * 5_000_000, mtime=0),
        # A hundred million in all, each part of it larger than the cap.
        gzip.compress(b"0" * 1_000_000, mtime=0) * 100,
        gzip.compress(b"0" * 5_001, mtime=0) * 2,
    ],
    ids=["one part", "a hundred parts", "two parts"],
)
def test_a_bomb_is_opened_no_further_than_its_cap(bomb: bytes) -> None:
    with pytest.raises(TooLargeError):
        unpack(bomb, {"content-encoding": "gzip"}, most=MOST)


def part(name: str, value: str, more: str = "") -> str:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    "parts",
    [
        [part("event", "invoice.created"), part("id", "5001")],
        [part("payload", BODY.decode())],
        [part("data", BODY.decode(), '; filename="a.json"\r\nContent-Type: application/json')],
        [part("event", "invoice.created"), part("data[invoiceId]", "5001"), part("note", "--c")],
    ],
)
def test_a_form_in_parts_is_read(parts: list[str]) -> None:
    body = ("".join(parts) + "--b--\r\n").encode()
    content_type = "Multipart/Form-Data; boundary=b"
    assert unpack(body, {"content-type": content_type}, most=MOST) == body
    decoded = parse_hints(body, content_type=content_type, path_scope=None, headers={})
    assert [(hint.scope, hint.record_id) for hint in decoded.hints] == [("invoice", "5001")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--b\r\n", "multipart/form-data"),
        (b"nothing", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b"),
        (b"--b" * 20_000, "multipart/form-data; boundary=b"),
        (b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n" * 500, "multipart/form-data; boundary=b"),
    ],
)
def test_a_broken_form_in_parts_asks_for_nothing(body: bytes, content_type: str) -> None:
    assert parse_hints(body, content_type=content_type, path_scope=None, headers={}).hints == ()


@pytest.mark.parametrize("kind", ["multipart/mixed; boundary=b", "multipart/related; boundary=b"])
def test_other_parts_are_refused(kind: str) -> None:
    with pytest.raises(MediaError):
        unpack(b"--b--", {"content-type": kind}, most=MOST)


def test_what_is_packed_for_the_way_is_refused() -> None:
    with pytest.raises(MediaError):
        unpack(gzip.compress(BODY, mtime=0), {"transfer-encoding": "gzip, chunked"}, most=MOST)
    assert unpack(BODY, {"transfer-encoding": "Chunked"}, most=MOST) == BODY


_NOTHING = zlib.compressobj(wbits=-15)
_EMPTY_STREAM = _NOTHING.flush()


@pytest.mark.parametrize(
    ("coding", "one"),
    [("gzip", gzip.compress(b"", mtime=0)), ("deflate", zlib.compress(b"")), ("deflate", _EMPTY_STREAM)],
)
def test_a_megabyte_of_packed_nothings_is_not_unpacked(coding: str, one: bytes) -> None:
    started = time.process_time()
    with pytest.raises(MediaError):
        unpack(one * (1_048_576 // len(one)), {"content-encoding": coding}, most=1_048_576)
    # Each one once cost a copy of all that is behind it: seven seconds, in which nobody else was answered.
    assert time.process_time() - started < 0.3


@pytest.mark.parametrize(
    "body",
    [
        part("a", "x", ";" * 900_000),
        part("a", "x", "; p=1" * 200_000),
        part("a", "x", "".join(f"; name*{number}=x" for number in range(60_000))),
        "--b\r\nContent-Type: message/rfc822\r\n\r\n" + "Content-Type: message/rfc822\r\n\r\n" * 30_000,
        "--b\r\n" + "".join(f"Content-Type: multipart/mixed; boundary=c{n}\r\n\r\n--c{n}\r\n" for n in range(5000)),
        "\r\n--b\t\t\t" * 9_000,
    ],
)
def test_a_form_whose_parts_are_all_head_keeps_nobody_waiting(body: str) -> None:
    started = time.process_time()
    found = parse_hints(body.encode(), content_type="multipart/form-data; boundary=b", path_scope=None, headers={})
    assert not found.hints
    assert time.process_time() - started < 1
