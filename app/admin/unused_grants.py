"""Sign-ins that nobody has made a key of: after a day Unimicro is told that they are over."""

from collections.abc import Sequence

from app.accounting.connections import revoke
from app.admin.audit import Change, record_change
from app.admin.keys import identity_of
from app.admin.sign_ins import open_unused, record_forgotten
from app.errors import RemoteError
from app.platform.logger import get_logger
from app.platform.resources import Resources
from app.tables import SignIn

_ACTOR = "schedule"

_log = get_logger(__name__)


async def revoke_unused(resources: Resources, unused: Sequence[SignIn]) -> None:
    """Revoke grants that nobody has used, and forget them; what cannot be revoked now is tried again."""
    for sign_in in unused:
        try:
            await _revoke(resources.of_tenant(sign_in.tenant_id), sign_in)
        except RemoteError as error:
            _log.warning("grant_not_revoked", tenant=str(sign_in.tenant_id), error=type(error).__name__)


async def _revoke(resources: Resources, sign_in: SignIn) -> None:
    # A server client has nothing lasting to revoke.
    token = open_unused(resources.vault, sign_in).tokens.refresh_token
    revoked = bool(token) and await revoke(resources.http, identity_of(resources.settings), token)
    change = Change(
        actor=_ACTOR,
        action="sign_in.revoke",
        subject=f"sign_in:{sign_in.id}",
        tenant_id=sign_in.tenant_id,
        after={"revoked": revoked},
    )
    async with resources.sessions.begin() as session:
        await record_forgotten(session, sign_in.id)
        await record_change(session, change)
