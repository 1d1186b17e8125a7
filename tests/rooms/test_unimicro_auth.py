"""Signing in, as far as no network is needed: one HTTP library, no secret in a repr, the API base, the id token."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from app.accounting.unimicro.auth import Authorization, Identity, TokenSet
from app.accounting.unimicro.claims import choose_api_base, read_claims, verify_identity
from app.domain.money import dump_json
from app.errors import HoldError, RemoteRejectedError
from app.platform.http import AsyncOAuth2Client, httpx, new_client

ISSUER = "https://login.unimicro.no"
BASE = "https://app.unimicro.no/"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOSTS = frozenset({"app.unimicro.no", "test.unimicro.no"})


def make_token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(dump_json(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


def test_authlib_uses_the_same_http_library_as_we_do() -> None:
    assert issubclass(AsyncOAuth2Client, httpx.AsyncClient)


async def test_our_client_follows_no_redirect_and_names_itself() -> None:
    async with new_client() as client:
        assert client.follow_redirects is False
        assert client.timeout.connect == 5
        assert client.timeout.read == 30
        assert client.headers["User-Agent"].startswith("recman-unimicro/")


def test_no_secret_shows_in_a_repr() -> None:
    tokens = TokenSet(
        access_token="SECRET-1", refresh_token="SECRET-2", expires_at=datetime(2026, 11, 23, tzinfo=UTC), api_base=BASE
    )
    identity = Identity(
        issuer=ISSUER,
        client_id="us",
        client_secret="SECRET-3",
        redirect_uri="https://ours.test/back",
        default_api_base=BASE,
        allowed_hosts=HOSTS,
    )
    begun = Authorization(url=ISSUER, state="SECRET-4", nonce="SECRET-5", code_verifier="SECRET-6")
    assert "SECRET" not in repr((tokens, identity, begun))


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "", make_token()])
def test_a_token_that_says_nothing_has_no_claims(token: str) -> None:
    assert read_claims(token) == {}


@pytest.mark.parametrize("claim", ["https://test.unimicro.no", "https://test.unimicro.no/"])
def test_api_base_comes_from_the_token_and_ends_with_one_slash(claim: str) -> None:
    claims = read_claims(make_token(AppFramework=claim))
    assert choose_api_base(claims, default=BASE, allowed_hosts=HOSTS) == "https://test.unimicro.no/"


@pytest.mark.parametrize("default", ["https://app.unimicro.no", BASE])
def test_without_the_claim_the_configured_base_is_used(default: str) -> None:
    assert choose_api_base({}, default=default, allowed_hosts=HOSTS) == BASE


@pytest.mark.parametrize(
    "claim",
    [
        "https://evil.example/",
        "http://app.unimicro.no/",
        "https://app.unimicro.no@evil.example/",
        "https://app.unimicro.no:8443/",
        "https://app.unimicro.no.evil.example/",
    ],
)
def test_an_api_base_off_the_list_is_held_and_names_the_setting(claim: str) -> None:
    with pytest.raises(HoldError) as caught:
        choose_api_base({"AppFramework": claim}, default=BASE, allowed_hosts=HOSTS)
    assert [gap.code for gap in caught.value.gaps] == ["api_host_not_allowed"]
    assert "RMU_UNIMICRO_ALLOWED_HOSTS" in caught.value.fix


def find_refusal(token: str) -> RemoteRejectedError | None:
    """Why an id token does not answer our own sign-in, None when it does."""
    try:
        verify_identity(token, issuer=ISSUER, client_id="us", nonce="n", now=NOW)
    except RemoteRejectedError as error:
        return error
    return None


GOOD: dict[str, Any] = {"iss": ISSUER, "aud": "us", "nonce": "n", "exp": NOW.timestamp() + 60}


@pytest.mark.parametrize(
    "changes",
    [{}, {"aud": ["us"]}, {"aud": ["others", "us"], "azp": "us"}, {"azp": "us"}, {"exp": int(NOW.timestamp()) - 59}],
)
def test_an_id_token_of_our_own_sign_in_passes(changes: dict[str, Any]) -> None:
    assert find_refusal(make_token(**GOOD | changes)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"azp": "others"},
        {"azp": None},
        {"aud": ["others", "us"]},
        {"aud": ["others", "us"], "azp": "others"},
        {"exp": int(NOW.timestamp()) - 61},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
    ],
)
def test_an_id_token_that_is_over_or_another_one_s_is_refused(changes: dict[str, Any]) -> None:
    refusal = find_refusal(make_token(**GOOD | changes))
    assert refusal is not None
    assert refusal.code == "sign_in_mismatch"


@pytest.mark.parametrize(
    ("changes", "word"), [({"iss": "https://x"}, "issuer"), ({"aud": "x"}, "audience"), ({"nonce": "x"}, "nonce")]
)
def test_an_id_token_of_another_sign_in_is_refused(changes: dict[str, str], word: str) -> None:
    token = make_token(**({"iss": ISSUER, "aud": "us", "nonce": "n"} | changes))
    refusal = find_refusal(token)
    assert refusal is not None
    assert word in refusal.cause
    assert token not in refusal.cause
