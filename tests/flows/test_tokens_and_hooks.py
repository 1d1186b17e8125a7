"""Admin tokens, hooks and tenants: shown once, rotated with an overlap, refused in plain words; and the audit trail."""

import base64
import gzip
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from app.api.webhooks.known import KnownHooks
from app.platform.crypto import Vault
from tests.world import COMPANY, OURS, World, rows_of
from tests.world.processes import Ended, make_way, run_alone

BODY = '{"event": "invoice.created", "id": 5001}'


async def make(world: World, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await world.call("POST", path, body, tenant=world.tenant_id)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def send(world: World, address: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await world.http.post(address, content=BODY, headers=named)
    return answer.status_code


# --- tokens ---


async def test_token_is_shown_once_and_stored_as_sha256(world: World) -> None:
    made = await make(world, "/v1/tokens", {"name": "Kari", "role": "admin"})
    assert len(base64.urlsafe_b64decode(made["token"].removeprefix("rmu_") + "=")) == 32
    (listed,) = [row for row in await world.get("/v1/tokens") if row["id"] == made["id"]]
    assert "token" not in listed
    async with world.resources.engine.connect() as connection:
        row = await connection.execute(text("SELECT hash FROM admin_token WHERE name = 'Kari'"))
        assert row.scalar_one() == hashlib.sha256(made["token"].encode()).digest()
    assert (await world.call("GET", "/v1/keys", token=made["token"])).status_code == 200
    (used,) = [row for row in await world.get("/v1/tokens") if row["id"] == made["id"]]
    assert used["last_used_at"] is not None


async def test_revoked_and_expired_tokens_open_nothing(world: World) -> None:
    made = await make(world, "/v1/tokens", {"name": "Kari", "role": "viewer"})
    assert (await world.call("DELETE", f"/v1/tokens/{made['id']}")).status_code == 204
    assert (await world.call("GET", "/v1/keys", token=made["token"])).status_code == 401
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await make(world, "/v1/tokens", {"name": "Ola", "role": "viewer", "expires_at": until})
    assert (await world.call("GET", "/v1/keys", token=made["token"])).status_code == 200
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE admin_token SET expires_at = now() WHERE name = 'Ola'"))
    assert (await world.call("GET", "/v1/keys", token=made["token"])).status_code == 401


async def test_expiry_in_the_past_is_refused(world: World) -> None:
    order = {"name": "late", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}
    answer = await world.call("POST", "/v1/tokens", order, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "expiry_past")


async def test_rotated_token_overlaps_and_then_ends(world: World) -> None:
    old = await make(world, "/v1/tokens", {"name": "Kari", "role": "admin"})
    new = await make(world, f"/v1/tokens/{old['id']}/rotate", {"overlap_hours": 1})
    for token in (old["token"], new["token"]):
        assert (await world.call("GET", "/v1/keys", token=token)).status_code == 200
    newest = await make(world, f"/v1/tokens/{new['id']}/rotate", {"overlap_hours": 0})
    assert (await world.call("GET", "/v1/keys", token=new["token"])).status_code == 401
    assert (await world.call("GET", "/v1/keys", token=newest["token"])).status_code == 200
    # Twice would cut the hour that was promised, and make two successors.
    again = await world.call("POST", f"/v1/tokens/{old['id']}/rotate", {"overlap_hours": 0})
    assert (again.status_code, again.json()["code"], new["id"] in again.json()["cause"]) == (409, "token_rotated", True)
    assert (await world.call("GET", "/v1/keys", token=old["token"])).status_code == 200
    ended = await world.call("POST", f"/v1/tokens/{new['id']}/rotate", {})
    assert (ended.status_code, ended.json()["code"]) == (409, "token_rotated")


async def test_admin_makes_no_operator_and_no_token_for_others(world: World) -> None:
    admin = await world.office.make_token(world.tenant_id, "admin")
    answer = await world.call("POST", "/v1/tokens", {"name": "up", "role": "operator"}, token=admin)
    assert answer.status_code == 403
    made = await world.call("POST", "/v1/tokens", {"name": "own", "role": "admin"}, token=admin)
    assert made.json()["tenant_id"] == str(world.tenant_id)
    names = {row["name"] for row in rows_of(await world.call("GET", "/v1/tokens", token=admin))}
    assert "bootstrap" not in names


async def test_last_operator_token_cannot_be_revoked(world: World) -> None:
    (bootstrap,) = [row for row in await world.get("/v1/tokens") if row["role"] == "operator"]
    answer = await world.call("DELETE", f"/v1/tokens/{bootstrap['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_operator")
    # An operator's token is no tenant's.
    assert (await world.call("POST", "/v1/tokens", {"name": "second", "role": "operator"})).status_code == 201
    assert (await world.call("DELETE", f"/v1/tokens/{bootstrap['id']}")).status_code == 204


async def test_guessing_tokens_is_slowed_down_and_audited(world: World) -> None:
    for number in range(10):
        # Nobody lists this machine as a proxy: what it says of other addresses counts for nothing.
        guess = {"Authorization": "Bearer rmu_guess", "X-Forwarded-For": f"198.51.100.{number}"}
        assert (await world.http.get(f"{OURS}/v1/keys", headers=guess)).status_code == 401
    answer = await world.call("GET", "/v1/keys", token="rmu_guess")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert answer.headers["retry-after"]
    assert (
        await world.count("SELECT count(*) FROM audit WHERE action = 'token.refused' AND actor = 'address:127.0.0.1'")
        == 10
    )
    # Others behind the same address are not locked out.
    assert (await world.call("GET", "/v1/keys")).status_code == 200


# --- hooks ---


async def test_hook_address_rotates_with_an_overlap(world: World) -> None:
    made = await make(world, "/v1/hooks", {"name": "RecMan"})
    assert made["address"].startswith(f"{OURS}/webhooks/recman/hook_")
    assert made["secret"] is None
    assert await send(world, made["address"]) == 202
    order = {"what": "address", "overlap_hours": 1}
    rotated = await make(world, f"/v1/hooks/{made['id']}/rotate", order)
    assert await send(world, made["address"]) == 202
    assert await send(world, rotated["address"]) == 202
    again = await make(world, f"/v1/hooks/{made['id']}/rotate", {"what": "address", "overlap_hours": 0})
    # What was promised of the first one is kept; the second one was promised nothing.
    assert [await send(world, one["address"]) for one in (made, rotated, again)] == [202, 404, 202]
    listed = {hook["id"]: hook for hook in await world.get("/v1/hooks")}
    assert len(listed[made["id"]]["old_addresses_until"]) == 1
    ended = {"what": "address", "overlap_hours": 0, "end_older": True}
    last = await make(world, f"/v1/hooks/{made['id']}/rotate", ended)
    assert [await send(world, one["address"]) for one in (made, rotated, again, last)] == [404, 404, 404, 202]


async def test_no_more_overlaps_are_promised_than_are_kept(world: World) -> None:
    for what in ("address", "secret"):
        verification = {"kind": "header", "header": "X-S"} if what == "secret" else {"kind": "path"}
        made = await make(world, "/v1/hooks", {"name": what, "verification": verification})
        order, path = {"what": what, "overlap_hours": 1}, f"/v1/hooks/{made['id']}/rotate"
        rotated = [made, *[await make(world, path, order) for _ in range(5)]]
        refused = await world.call("POST", path, order)
        assert (refused.status_code, refused.json()["code"]) == (409, "overlaps_open")
        for one in rotated:
            secret = one["secret"] or ""
            assert await send(world, one["address"] or made["address"], X_S=secret) == 202
        await make(world, path, {**order, "end_older": True})


async def test_disabled_hook_is_not_there_until_it_is_enabled(world: World) -> None:
    made = await make(world, "/v1/hooks", {"name": "RecMan"})
    assert await send(world, made["address"]) == 202
    for enabled, status in ((False, 404), (True, 202)):
        answer = await world.call("PATCH", f"/v1/hooks/{made['id']}", {"enabled": enabled})
        assert answer.json()["enabled"] is enabled
        assert await send(world, made["address"]) == status
    listed = await world.get("/v1/hooks")
    assert all("address" not in hook and "secret" not in hook for hook in listed)


async def test_header_hook_has_two_live_secrets_while_it_rotates(world: World) -> None:
    verification = {"kind": "header", "header": "X-RecMan-Secret"}
    made = await make(world, "/v1/hooks", {"name": "header", "verification": verification})
    old = made["secret"]
    assert await send(world, made["address"], X_RecMan_Secret=old) == 202
    assert await send(world, made["address"], X_RecMan_Secret="wrong") == 401
    assert await send(world, made["address"]) == 401
    rotated = await make(world, f"/v1/hooks/{made['id']}/rotate", {"what": "secret", "overlap_hours": 1})
    assert rotated["address"] is None
    for secret in (old, rotated["secret"]):
        assert await send(world, made["address"], X_RecMan_Secret=secret) == 202
    again = await make(world, f"/v1/hooks/{made['id']}/rotate", {"what": "secret", "overlap_hours": 0})
    statuses = [
        await send(world, made["address"], X_RecMan_Secret=secret)
        for secret in (old, rotated["secret"], again["secret"])
    ]
    # What was promised of the first one is kept; the second one was promised nothing.
    assert statuses == [202, 401, 202]


@pytest.mark.parametrize(("algorithm", "encoding"), [("sha256", "hex"), ("sha512", "base64"), ("sha1", "hex")])
async def test_hmac_hook_takes_what_is_signed_with_a_timestamp(world: World, algorithm: str, encoding: str) -> None:
    verification = {
        "kind": "hmac",
        "header": "X-Sign",
        "algorithm": algorithm,
        "encoding": encoding,
        "prefix": "v=",
        "timestamp_header": "X-Time",
    }
    made = await make(world, "/v1/hooks", {"name": "hmac", "verification": verification})

    def sign(stamp: int) -> dict[str, str]:
        digest = hmac.new(made["secret"].encode(), f"{stamp}.{BODY}".encode(), algorithm).digest()
        shown = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
        return {"X_Sign": f"v={shown}", "X_Time": str(stamp)}

    now = int(datetime.now(UTC).timestamp())
    assert await send(world, made["address"], **sign(now)) == 202
    assert await send(world, made["address"], **sign(now - 400)) == 401
    assert await send(world, made["address"], **sign(now) | {"X_Time": str(now - 1)}) == 401


async def test_what_is_signed_may_be_what_is_sent_or_what_was_packed(world: World) -> None:
    verification = {"kind": "stamped", "header": "X-Sign"}
    made = await make(world, "/v1/hooks", {"name": "stamped", "verification": verification})
    packed, now = gzip.compress(BODY.encode()), int(datetime.now(UTC).timestamp())

    def sign(body: bytes, secret: str = made["secret"]) -> str:
        digest = hmac.new(secret.encode(), f"{now}.".encode() + body, "sha256").hexdigest()
        return f"t={now},v1={digest}"

    for signature, status in ((sign(packed), 202), (sign(BODY.encode()), 202), (sign(packed, "x"), 401)):
        headers = {"X-Sign": signature, "Content-Encoding": "gzip"}
        answer = await world.http.post(made["address"], content=packed, headers=headers)
        assert answer.status_code == status
        # It is no token that is missing here.
        assert "www-authenticate" not in answer.headers
    twice = [("X-Sign", sign(packed)), ("X-Sign", sign(packed)), ("Content-Encoding", "gzip")]
    assert (await world.http.post(made["address"], content=packed, headers=twice)).status_code == 401
    zipped = await world.http.post(made["address"], content=BODY, headers={"Content-Encoding": "br"})
    assert (zipped.status_code, zipped.json()["code"]) == (415, "media_unsupported")
    assert await world.count("SELECT count(*) FROM event WHERE record_id = '5001'") == 1
    unsigned = await world.http.get(f"{OURS}/v1/keys")
    assert (unsigned.status_code, unsigned.headers["www-authenticate"]) == (401, "Bearer")


async def test_standard_webhooks_are_verified_and_every_malformed_header_is_401(world: World) -> None:
    made = await make(world, "/v1/hooks", {"name": "standard", "verification": {"kind": "standard"}})
    now = datetime.now(UTC)
    signature = Webhook(made["secret"]).sign("msg_1", now, BODY)
    good = {"webhook_id": "msg_1", "webhook_timestamp": str(int(now.timestamp())), "webhook_signature": signature}
    assert await send(world, made["address"], **good) == 202
    for name, value in [
        ("webhook_signature", "v1"),
        ("webhook_signature", "v1,%%%"),
        ("webhook_signature", "v2,abc"),
        ("webhook_signature", "v1,AAAA,BBBB"),
        ("webhook_signature", ""),
        ("webhook_timestamp", "yesterday"),
        ("webhook_timestamp", "1e400"),
        ("webhook_timestamp", "nan"),
        ("webhook_timestamp", "-99999999999999"),
        ("webhook_timestamp", str(int(now.timestamp()) - 400)),
        ("webhook_id", "msg_2"),
    ]:
        assert await send(world, made["address"], **good | {name: value}) == 401, (name, value)
    for name in good:
        assert await send(world, made["address"], **{key: good[key] for key in good if key != name}) == 401


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ({"verification": {"kind": "header"}}, "header_missing"),
        ({"verification": {"kind": "hmac"}}, "header_missing"),
        ({"secret": "a" * 40}, "secret_not_needed"),
        ({"verification": {"kind": "header", "header": "X-S"}, "secret": "short"}, "secret_unusable"),
        ({"verification": {"kind": "standard"}, "secret": "whsec_not base64!!"}, "secret_unusable"),
        ({"verification": {"kind": "magic"}}, "bad_request"),
        ({"verification": {"kind": "hmac", "header": "X S"}}, "bad_request"),
    ],
)
async def test_unusable_verification_is_refused(world: World, new: dict[str, Any], code: str) -> None:
    answer = await world.call("POST", "/v1/hooks", {"name": "bad", **new}, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


# --- tenants ---


async def test_tenant_is_renamed_paused_and_given_another_recman_key(world: World) -> None:
    path = f"/v1/tenants/{world.tenant_id}"
    before = (await world.call("GET", path)).json()
    changed = (await world.call("PATCH", path, {"recman_api_key": "canary-another-key", "untried": True})).json()
    assert changed["recman_api_key"] != before["recman_api_key"]
    assert changed["recman_api_key"] == hashlib.sha256(b"canary-another-key").hexdigest()[:12]
    assert (await world.call("PATCH", path, {"recman_api_key": None})).json()["recman_reads"] == "payload"
    assert (await world.call("PATCH", path, {"name": "Nordlys to", "state": "paused"})).json()["state"] == "paused"
    await world.call("POST", "/v1/tenants", {"name": "Sydlys"})
    taken = await world.call("PATCH", path, {"name": "Sydlys"})
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    again = await world.call("POST", "/v1/tenants", {"name": "Sydlys"})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert (await world.call("PATCH", path, {"name": " "})).status_code == 422


# --- audit ---


async def test_every_change_is_audited_with_before_and_after(world: World) -> None:
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"name": "Renamed"})
    changes = await world.get("/v1/audit", limit=1000)
    assert {"tenant.create", "hook.create", "key.connect", "key.create", "key.change"} <= {
        change["action"] for change in changes
    }
    (renamed,) = await world.get("/v1/audit", subject=f"key:{world.key_id}", limit=1)
    assert renamed["actor"].endswith(":bootstrap")
    assert (renamed["before"]["name"], renamed["after"]["name"]) == ("Nordlys", "Renamed")
    assert await world.get("/v1/audit", before=changes[-1]["id"]) == []


def verify(world: World) -> Ended:
    return run_alone("audit", "verify", **make_way(world.resources.settings))


async def test_tampered_audit_row_is_found_from_the_command_line(world: World) -> None:
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"name": "Renamed"})
    good = verify(world)
    assert (good.returncode, "every one fits" in good.stdout) == (0, True)
    row = await world.count("SELECT id FROM audit WHERE action = 'key.create'")
    forged = text(
        "UPDATE audit SET after = jsonb_set(after, '{company_name}', to_jsonb(CAST(:name AS text))) WHERE id = :id"
    )
    async with world.resources.engine.begin() as connection:
        with pytest.raises(Exception, match="append-only"):
            async with connection.begin_nested():
                await connection.execute(text("UPDATE audit SET actor = 'nobody'"))
        await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
        await connection.execute(forged, {"id": row, "name": "Mine AS"})
    bad = verify(world)
    assert (bad.returncode, f"Row {row} " in bad.stderr) == (1, True)
    # The world proves its trail at the end.
    async with world.resources.engine.begin() as connection:
        await connection.execute(forged, {"id": row, "name": COMPANY})
    assert verify(world).returncode == 0


async def test_secrets_are_sealed_again_and_the_old_key_can_be_dropped(world: World) -> None:
    settings = world.resources.settings
    assert settings.encryption_keys is not None
    old = settings.encryption_keys.get_secret_value()
    new = run_alone("doctor", "--new-key").stdout.strip()
    verification = {"kind": "header", "header": "X-S"}
    hook = await make(world, "/v1/hooks", {"name": "header", "verification": verification})
    done = run_alone("keys", "rotate-secrets", RMU_ENCRYPTION_KEYS=f"{new},{old}", **make_way(settings))
    assert done.returncode == 0, done.stderr
    world.resources.vault = Vault(new)
    world.resources.kept(KnownHooks).by_address.clear()
    try:
        assert await send(world, hook["address"], X_S=hook["secret"]) == 202
        await world.settle()
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"
        lost = run_alone("keys", "rotate-secrets", RMU_ENCRYPTION_KEYS=old, **make_way(settings))
        assert (lost.returncode, "nothing was changed" in lost.stderr) == (1, True)
    finally:
        world.resources.vault = Vault(f"{new},{old}")
