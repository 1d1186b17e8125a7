"""A hundred thousand broken bodies: none raises, none is lost, and the door answers only what it may."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import simplejson

from app.admin.hooks import create_hook
from app.domain.money import dump_json
from app.recman.hook.webhook import MOST_RECORDS, Decoded, Hint, parse_hints, write_hint
from app.recman.read.translate import read_company, read_department, read_invoice, read_project
from tests.world import OURS, World

BODIES = 100_000
THROUGH_THE_DOOR = 400
SEED = 20261031
# 422: an address with a NUL in it.
ANSWERS = {202, 401, 404, 413, 422}
FOLDER = Path(__file__).parents[1] / "contract" / "recman" / "webhooks"
TYPES = ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "multipart/form-data; boundary=x"]
PATHS = [None, "invoice", "company", "project", "candidate"]
READERS: dict[str, Any] = {
    "invoice": read_invoice,
    "company": read_company,
    "project": read_project,
    "department": read_department,
}
# What parsers, databases and arithmetic stumble over.
TOKENS = [
    b"null", b"true", b"-1", b"0", b"1e999", b"1e99999999999999999999", b"NaN", b"9" * 30, b'"', b"\\", b"{", b"[",
    b"}", b"]", b",", b":", b"\x00", b"\\u0000", b"\\ud800", b"\xff", b"\xc3\x28", b"\xef\xbb\xbf", b"%00", b"&", b"=",
    b"[]", b'{"data":', b'"invoiceId":', b'"lines":[', b'"id":"5",', b"data[0][id]=7&", b" ", b"\r\n", b"[" * 50,
]  # fmt: skip


def load_bodies() -> list[bytes]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        case = simplejson.loads(path.read_text(encoding="utf-8"))
        found.append(bytes.fromhex(case["body_hex"]) if "body_hex" in case else case["body"].encode())
    return found


def break_bodies(count: int, *, seed: int) -> Iterator[bytes]:
    """Bodies of the contract with one to six mutations each; the same for the same seed."""
    chance = random.Random(seed)
    bodies = load_bodies()
    for _ in range(count):
        body = chance.choice(bodies)
        for _ in range(chance.randint(1, 6)):
            body = break_once(body, chance, bodies)
        yield body


def break_once(body: bytes, chance: random.Random, bodies: list[bytes]) -> bytes:
    first, second = sorted((chance.randint(0, len(body)), chance.randint(0, len(body))))
    match chance.randrange(7):
        case 0:
            return body[:first] + body[second:]
        case 1:
            return body[:first] + body[first:second] * 2 + body[second:]
        case 2:
            return body[:first] + chance.randbytes(chance.randint(1, 4)) + body[first:]
        case 3:
            return body[:first] + chance.choice(bodies)[first:]
        case 4:
            return body[:first]
        case 5:
            return bytes([*body[:first], chance.randrange(256), *body[first + 1 :]])
        case _:
            return body[:first] + chance.choice(TOKENS) + body[first:]


def assert_sound(decoded: Decoded) -> None:
    assert len(decoded.hints) <= MOST_RECORDS + 1
    assert bool(decoded.hints) != bool(decoded.note)
    assert "\x00" not in decoded.note
    for hint in decoded.hints:
        assert hint.record_id.isdecimal()
        if hint.record is not None:
            # It must go into the database and come out as a domain object or as gaps.
            assert dump_json(hint.record).encode()
            assert READERS[hint.scope](hint.record)
    for hint in decoded.hints[:3]:
        # One of several records is stored as a delivery of its own.
        assert read_again(hint) == (hint,)


def read_again(hint: Hint) -> tuple[Hint, ...]:
    body = write_hint(hint)
    return parse_hints(body, content_type="application/json", path_scope=hint.scope, headers={}).hints


def test_hundred_thousand_bodies_are_read_or_explained() -> None:
    chance = random.Random(SEED)
    hinted = 0
    for body in break_bodies(BODIES, seed=SEED):
        decoded = parse_hints(
            body, content_type=chance.choice(TYPES), path_scope=chance.choice(PATHS), headers={"x-event": "x"}
        )
        assert_sound(decoded)
        hinted += bool(decoded.hints)
    # A fuzzer that breaks everything tests only the refusals.
    assert BODIES // 20 < hinted < BODIES * 19 // 20


async def test_broken_bodies_at_the_door_are_stored_or_refused(world: World) -> None:
    """Whatever is answered 202 is in the database, byte by byte."""
    chance = random.Random(SEED)
    signed = await make_signed_hook(world)
    accepted: set[bytes] = set()
    refused: set[bytes] = set()
    statuses: set[int] = set()
    for body in break_bodies(THROUGH_THE_DOOR, seed=SEED + 1):
        hook = chance.choices([world.hook, signed, "/webhooks/recman/hook_nobody"], [8, 1, 1])[0]
        path = chance.choice(["", "/", "/invoice", "/company/", "/%00x", "/..%2f"])
        headers = {"content-type": chance.choice(TYPES), "x-signature": chance.choice(["", "zz", "00", "æ"])}
        answer = await world.http.post(f"{OURS}{hook}{path}", content=body, headers=encode(headers))
        statuses.add(answer.status_code)
        (accepted if answer.status_code == 202 else refused).add(body)
    big = await world.http.post(f"{OURS}{world.hook}", content=b"[" * 2_000_000)
    assert statuses | {big.status_code} == ANSWERS
    stored = await load_stored(world)
    assert accepted <= stored
    assert not refused & (stored - accepted)


def encode(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


async def make_signed_hook(world: World) -> str:
    async with world.resources.sessions.begin() as session:
        made = await create_hook(
            session,
            world.resources.vault,
            tenant_id=world.tenant_id,
            name="signed",
            verification={"kind": "hmac", "header": "X-Signature", "algorithm": "sha256", "encoding": "hex"},
            secrets=("canary-secret",),
        )
    return f"/webhooks/recman/{made.address}"


async def load_stored(world: World) -> set[bytes]:
    """Every stored body; the parts of a delivery about several records are among them."""
    async with world.resources.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT body FROM event WHERE body IS NOT NULL")
        return {row.body for row in rows}
