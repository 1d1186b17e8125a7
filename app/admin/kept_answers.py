"""What a request with an `Idempotency-Key` was answered, kept for a day: the only owner of the table `kept_answer`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.reasons.codes import Code
from app.errors import ConflictError
from app.platform.db import Session, load_now, locked
from app.tables import KeptAnswer

_KEPT_FOR = timedelta(hours=24)
# Between a request's beginning and its first transaction, which holds its row from then on.
_STARTS_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer is kept: a caller's own words may be another one's, too."""

    tenant_id: UUID
    holder_id: UUID
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer as it was given."""

    status: int
    body: str


async def record_request(session: Session, place: Place, request_hash: bytes) -> Kept | None:
    """Nothing: the request is to be carried out now. Else what it was answered the first time.

    Raises:
        ConflictError: another request had this key; or it is under way, has broken off, or its answer is not kept.
    """
    await session.execute(delete(KeptAnswer).where(*_is_old(place.tenant_id)))
    query = insert(KeptAnswer).values(**_to_columns(place), request_hash=request_hash)
    if await session.scalar(query.on_conflict_do_nothing().returning(KeptAnswer.request_hash)) is not None:
        return None
    row = (await session.scalars(select(KeptAnswer).where(*_own(place)))).one_or_none()
    if row is None:
        # Refused, and forgotten, at this very moment.
        raise _running()
    if row.request_hash != request_hash:
        raise ConflictError(
            "Another request had this Idempotency-Key",
            fix="Make a new key for every new request; repeat an old one as it was, body and address.",
            code=Code.IDEMPOTENCY_KEY_REUSED,
        )
    kept = _tell(row)
    if kept is None:
        await _begin_again(session, place)
    return kept


def _tell(row: KeptAnswer) -> Kept | None:
    if row.made is not None:
        raise ConflictError(
            f"This request was carried out, and made {row.made}; its answer showed a secret and is not kept",
            fix="If the secret did not reach you, remove what was made, or rotate it, and ask again with another key.",
            code=Code.MADE_ALREADY,
        )
    if row.answer is None or row.answer_status is None:
        return None
    return Kept(status=row.answer_status, body=row.answer)


async def _begin_again(session: Session, place: Place) -> None:
    """Let a request that broke off before anything was done be carried out now.

    Raises:
        ConflictError: it is under way, or something of it was done.
    """
    # Whoever carries it out holds the row until the end of the first transaction; a process that died does not.
    row = (await session.scalars(locked(select(KeptAnswer).where(*_own(place)), skips=True))).one_or_none()
    if row is None or row.answer is not None or row.made is not None:
        raise _running()
    if row.carried_out:
        raise ConflictError(
            f"This request was begun at {row.begun_at:%Y-%m-%d %H:%M:%S} UTC; its answer is not known (yet)",
            fix="Try again in a moment. If this stays, it broke off: look what was made, then ask with another key.",
            code=Code.REQUEST_UNFINISHED,
        )
    if row.begun_at > await load_now(session) - _STARTS_WITHIN:
        raise _running()
    row.begun_at = await load_now(session)
    await session.flush()


def _running() -> ConflictError:
    return ConflictError("This very request is under way", fix="Try again in a moment.", code=Code.REQUEST_RUNNING)


async def record_carried_out(session: Session, place: Place) -> None:
    """Note, in the request's own transaction, that it was done; it is seen once that has committed."""
    query = update(KeptAnswer).where(*_own(place)).values(carried_out=True)
    await session.execute(query, execution_options={"synchronize_session": False})


async def record_answer(session: Session, place: Place, kept: Kept, *, made: str | None) -> None:
    """Keep the answer; of one that showed a secret only the id of what was `made`."""
    values: dict[str, Any] = {"made": made} if made is not None else {"answer_status": kept.status, "answer": kept.body}
    query = update(KeptAnswer).where(*_own(place)).values(values)
    await session.execute(query, execution_options={"synchronize_session": False})


async def end_request(session: Session, place: Place, *, unless_carried_out: bool) -> None:
    """Forget a request that made nothing, so that it can be sent again."""
    known = (KeptAnswer.carried_out.is_(False),) if unless_carried_out else ()
    await session.execute(delete(KeptAnswer).where(*_own(place), *known))


def select_old_answers(tenant_id: UUID) -> Select[Any]:
    """The keys of answers whose day is over."""
    return select(KeptAnswer.idempotency_key).where(*_is_old(tenant_id))


async def prune_answers(session: Session, tenant_id: UUID, keys: Sequence[Any]) -> None:
    """Let answers go whose day is over."""
    await session.execute(delete(KeptAnswer).where(*_is_old(tenant_id), KeptAnswer.idempotency_key.in_(keys)))


def _is_old(tenant_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return KeptAnswer.tenant_id == tenant_id, KeptAnswer.begun_at < func.now() - _KEPT_FOR


def _own(place: Place) -> tuple[ColumnElement[bool], ...]:
    return tuple(getattr(KeptAnswer, name) == value for name, value in _to_columns(place).items())


def _to_columns(place: Place) -> dict[str, Any]:
    return {"tenant_id": place.tenant_id, "holder_id": place.holder_id, "idempotency_key": place.idempotency_key}
