"""The seam between keys and the sign-in of accounting systems; `targets.py` is the one for what is booked."""

from app.accounting.unimicro.auth import (
    Arrival,
    Authorization,
    Identity,
    TokenSet,
    authorize_url,
    discover,
    exchange_code,
    refresh,
    revoke,
    to_refusal,
)
from app.accounting.unimicro.directory import Company, fetch_companies, fetch_files_base
from app.accounting.unimicro.oauth import SIGN_IN_AGAIN
from app.accounting.unimicro.server_client import ServerClient, read_pem, read_pkcs12, sign_in_server
from app.accounting.unimicro.unauthorized import to_token_refused

__all__ = [
    "SIGN_IN_AGAIN",
    "Arrival",
    "Authorization",
    "Company",
    "Identity",
    "ServerClient",
    "TokenSet",
    "authorize_url",
    "discover",
    "exchange_code",
    "fetch_companies",
    "fetch_files_base",
    "read_pem",
    "read_pkcs12",
    "refresh",
    "revoke",
    "sign_in_server",
    "to_refusal",
    "to_token_refused",
]
