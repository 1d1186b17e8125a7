"""What a test may choose about the stand-in: behaviours the facts leave unknown, their assumption as default.

Source: docs/facts/unimicro.md §9 (table of unknowns).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.sandbox.unimicro.switches import Switches

DEFAULT_REDIRECT_URI = "http://127.0.0.1:8000/oauth/unimicro/callback"


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Behaviours of one stand-in.

    Attributes:
        accept_customer_number: True takes an explicit CustomerNumber inside a series (outside: 400); False ignores
            it and gives the next number. Source: assumed (§4.4, §9 row 3).
        rotate_refresh_tokens: True refuses a refresh token once used. Source: assumed (§9 row 4).
        id_token_company: True has the id_token tell API base and chosen company too (§1.5 [T]); False neither.
        access_token_base: False leaves the API base out of the access token, so that only the id_token tells it.
        id_token_claims: Claims that the id_token has otherwise, e.g. another `azp`; None takes one away.
        token_seconds: Life of an access token. Source: §1.3 [O].
        created_status: Answer to a successful POST, 200 or 201. Source: §9 row 12, unknown.
        recompute_sums: True computes all sums on the server; False keeps what the client sent. Source: §9 row 7.
        inherit_from_product: True fills a line's missing VatTypeID and AccountID from its product. Source: assumed.
        honour_draft_status: False issues at once although StatusCode 10001 was sent. Source: §9 row 13.
        read_lag_seconds: How long a new record stays out of lists. Source: assumed.
        default_top: Page size when `top` is missing. Source: unknown (§2), assumed 50.
        separate_ids: True gives each company ids of its own; what a call names of another company's is then kept in
            `World.strangers`. False lets them overlap from 1, as Unimicro's do. Source: assumed (ids differ per
            company, §3.7).
        switches: How each company computes, compares and refuses at the start; see `Switches`.
        client_id: The registered web client.
        client_secret: Its secret, sent in the POST body; empty: a public client, which has none (§11 row 11 [O]).
        server_client_id: The registered server client; it signs in with `server_public_key`.
        server_public_key: Its RSA public key, PEM; None: there is no server client.
        redirect_uris: Addresses registered for it beside the default one, compared exactly.
        authorize_error: When set, every authorisation ends with this OAuth error, e.g. `access_denied`.
        clock: Tells the time; every date and expiry here comes from it.
        sleep: How `slow` and `hang` wait.
    """

    accept_customer_number: bool = True
    rotate_refresh_tokens: bool = True
    id_token_company: bool = True
    access_token_base: bool = True
    id_token_claims: Mapping[str, Any] = field(default_factory=dict)
    token_seconds: int = 3600
    created_status: int = 201
    recompute_sums: bool = True
    inherit_from_product: bool = True
    honour_draft_status: bool = True
    read_lag_seconds: float = 0
    default_top: int = 50
    separate_ids: bool = False
    switches: Switches = field(default_factory=Switches)
    client_id: str = "recman-unimicro"
    client_secret: str = "sandbox-secret"
    server_client_id: str = "recman-unimicro-server"
    server_public_key: str | None = None
    redirect_uris: tuple[str, ...] = ()
    authorize_error: str | None = None
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
