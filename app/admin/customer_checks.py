"""Checks of all customers before a key's first transfer: begun, ended, accepted. Owner of table `customer_check`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer

from app.domain.reasons.codes import Code
from app.domain.states import CLEAR, CheckState
from app.errors import ConflictError, NotFoundError
from app.platform.db import Session, locked
from app.tables import CustomerCheck, Key

# A check whose process has not been heard of for this long is taken for dead.
_STALE_SECONDS = 300
_DIED = {
    "cause": "The process that ran the check ended, or lost its database, before the check was through",
    "fix": "Start the check again: POST /v1/keys/{key_id}/customer-check.",
}


async def begin_check(session: Session, key: Key, *, actor: str) -> CustomerCheck:
    """A new check of the key, marked as running.

    Raises:
        ConflictError: one is running already.
    """
    await _record_dead(session, key.id)
    query = insert(CustomerCheck).values(tenant_id=key.tenant_id, key_id=key.id, started_by=actor)
    try:
        return (await session.scalars(query.returning(CustomerCheck))).one()
    except IntegrityError as error:
        raise ConflictError(
            f"A customer check of key “{key.name}” is running",
            fix="Wait for its end: GET /v1/keys/{id}/customer-check.",
            code=Code.CHECK_RUNNING,
        ) from error


async def record_beat(session: Session, check_id: int) -> None:
    """Show that the check is alive."""
    await session.execute(update(CustomerCheck).where(CustomerCheck.id == check_id).values(beat_at=func.now()))


async def record_result(
    session: Session, check_id: int, *, green: bool, counts: Mapping[str, int], findings: Sequence[Mapping[str, Any]]
) -> CustomerCheck:
    """End the check with its rows; those of the key's older checks are forgotten, their counts stay.

    Raises:
        ConflictError: the check was taken for dead meanwhile.
    """
    state = CheckState.GREEN if green else CheckState.FINDINGS
    values = {"state": state, "counts": dict(counts), "findings": list(findings), "ended_at": func.now()}
    running = (CustomerCheck.id == check_id, CustomerCheck.state == CheckState.RUNNING)
    query = update(CustomerCheck).where(*running).values(values).returning(CustomerCheck)
    check = (await session.scalars(query.options(defer(CustomerCheck.findings)))).one_or_none()
    if check is None:
        raise ConflictError(
            "The check took so long that it was taken for dead",
            fix="Start it again: POST /v1/keys/{key_id}/customer-check.",
            code=Code.CHECK_LOST,
        )
    older = (CustomerCheck.key_id == check.key_id, CustomerCheck.id < check_id)
    await session.execute(update(CustomerCheck).where(*older).values(findings=[]))
    return check


async def record_failure(session: Session, check_id: int, *, cause: str, fix: str) -> None:
    """End the check without a result."""
    running = (CustomerCheck.id == check_id, CustomerCheck.state == CheckState.RUNNING)
    failure = {"cause": cause, "fix": fix}
    await session.execute(
        update(CustomerCheck).where(*running).values(state=CheckState.FAILED, failure=failure, ended_at=func.now())
    )


async def load_last_check(session: Session, key: Key, *, lock: bool = False) -> CustomerCheck:
    """The key's newest check, without its rows; one whose process has died shows as failed.

    Raises:
        NotFoundError: the key was never checked.
    """
    await _record_dead(session, key.id)
    query = select(CustomerCheck).where(CustomerCheck.key_id == key.id).order_by(CustomerCheck.id.desc()).limit(1)
    query = query.options(defer(CustomerCheck.findings))
    check = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if check is None:
        raise NotFoundError(
            f"The customers of key “{key.name}” were never checked",
            fix="Run the customer check: POST /v1/keys/{id}/customer-check.",
            code=Code.CHECK_MISSING,
        )
    return check


async def load_findings(session: Session, check: CustomerCheck) -> list[dict[str, Any]]:
    """The rows of a check, what a person must look at first."""
    found = await session.scalar(select(CustomerCheck.findings).where(CustomerCheck.id == check.id))
    return list(found or [])


async def accept_check(session: Session, check: CustomerCheck, *, name: str, reason: str) -> None:
    """Let the key send although the check has findings, because a person accepted them.

    Raises:
        ConflictError: there is nothing to accept.
    """
    if check.state != CheckState.FINDINGS:
        causes = {
            CheckState.RUNNING: "The check is still running",
            CheckState.FAILED: "The check has failed, so nobody knows what would be accepted",
        }
        cause = causes.get(CheckState(check.state), "The key may send already")
        fix = (
            "Run the check again: POST /v1/keys/{id}/customer-check."
            if check.state == CheckState.FAILED
            else "Look again."
        )
        raise ConflictError(cause, fix=fix, code=Code.NOTHING_TO_ACCEPT)
    values = {"state": CheckState.ACCEPTED, "accepted_by": name, "accepted_reason": reason, "accepted_at": func.now()}
    await session.execute(update(CustomerCheck).where(CustomerCheck.id == check.id).values(values))
    await session.refresh(check, attribute_names=["state", "accepted_by", "accepted_reason", "accepted_at"])


def select_old_checks(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Checks that ended long ago; each key's newest stays, for it is what lets the key send."""
    newest = select(func.max(CustomerCheck.id)).where(CustomerCheck.tenant_id == tenant_id)
    newest = newest.group_by(CustomerCheck.key_id)
    old = CustomerCheck.tenant_id == tenant_id, CustomerCheck.ended_at < before
    return select(CustomerCheck.id).where(*old, CustomerCheck.id.not_in(newest))


async def prune_checks(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these checks go."""
    gone = delete(CustomerCheck).where(CustomerCheck.tenant_id == tenant_id, CustomerCheck.id.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})


async def erase_findings(session: Session, *, tenant_id: UUID, recman_company_id: str) -> int:
    """How many checks had rows about this company, which are gone from them."""
    named = CustomerCheck.findings.contains([{"recman_company_id": recman_company_id}])
    checks = await session.scalars(locked(select(CustomerCheck).where(CustomerCheck.tenant_id == tenant_id, named)))
    found = checks.all()
    for check in found:
        check.findings = [row for row in check.findings if row.get("recman_company_id") != recman_company_id]
    await session.flush()
    return len(found)


async def is_cleared(session: Session, key_id: UUID) -> bool:
    """Whether the key may send: one of its checks was green, or was accepted. It stays so."""
    query = select(CustomerCheck.id).where(CustomerCheck.key_id == key_id, CustomerCheck.state.in_(CLEAR)).limit(1)
    return await session.scalar(query) is not None


async def _record_dead(session: Session, key_id: UUID) -> None:
    silence = func.now() - text("make_interval(secs => :seconds)").bindparams(seconds=_STALE_SECONDS)
    dead = (CustomerCheck.key_id == key_id, CustomerCheck.state == CheckState.RUNNING, CustomerCheck.beat_at < silence)
    await session.execute(
        update(CustomerCheck).where(*dead).values(state=CheckState.FAILED, failure=_DIED, ended_at=func.now())
    )
