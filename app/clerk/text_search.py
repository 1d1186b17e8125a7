"""A piece of text among many documents: in numbers, names and reasons.

What many documents have is among the newest; what few have is found by indexes, however many others there are.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast, literal_column, or_, select, text, union

from app.platform.db import Session
from app.platform.paging import at_most
from app.tables import InvoicedName, Transfer
from app.tables.words import IS_LONG, LONGEST, NUMBER_WORDS
from app.transfer.log import INVOICE

# More names than these are looked for among the documents: so many are met soon.
_MOST_NAMES = 200
# So many of the newest documents are looked through before indexes are asked.
NEAR = 200
# Taken as a word's beginning, whatever it is made of.
_BEGINS = text(f"{NUMBER_WORDS} @@ CAST(lower(:begins) AS tsquery)")
_IS_LONG = text(IS_LONG)
_HAS_REASONS = Transfer.reasons != literal_column("'[]'::jsonb")


def holds(part: str) -> ColumnElement[bool]:
    """Whether a document's numbers, name or reasons have this text in them."""
    columns = (Transfer.number, Transfer.remote_number, Transfer.customer_name, Transfer.record_id)
    return or_(*(column.icontains(part, autoescape=True) for column in columns), _reasons_hold(part))


def _reasons_hold(part: str) -> ColumnElement[bool]:
    return cast(Transfer.reasons, String).icontains(part, autoescape=True)


async def list_names(session: Session, tenant_id: UUID, part: str) -> Sequence[str] | None:
    """The customers with this text in them, by every name they were invoiced under; None where these are too many."""
    query = select(InvoicedName.name).where(
        InvoicedName.tenant_id == tenant_id, InvoicedName.name.icontains(part, autoescape=True)
    )
    names = (await session.scalars(query.limit(at_most(_MOST_NAMES + 1)))).all()
    return names if len(names) <= _MOST_NAMES else None


async def find_text(
    session: Session, query: Select[Transfer], part: str, *, tenant_id: UUID, limit: int, near: int = NEAR
) -> Sequence[Transfer]:
    """The first documents with this text of those of the tenant's that the query asks for, in its order."""
    wanted = query.where(holds(part)).limit(at_most(limit))
    newest = query.with_only_columns(Transfer.id).limit(at_most(near))
    found = (await session.scalars(wanted.where(Transfer.id.in_(newest)))).all()
    if len(found) == limit:
        return found
    hits = await _select_hits(session, tenant_id, part)
    if hits is not None:
        wanted = wanted.where(Transfer.id.in_(hits))
    return (await session.scalars(wanted)).all()


async def _select_hits(session: Session, tenant_id: UUID, part: str) -> Select[int] | None:
    """The ids of a tenant's documents with this text, each way by an index of its own; None where that is no use."""
    names = await list_names(session, tenant_id, part)
    if names is None:
        return None
    own = select(Transfer.id).where(Transfer.tenant_id == tenant_id, Transfer.scope == INVOICE)
    ways = (
        own.where(_BEGINS.bindparams(begins=_to_word(tenant_id, part))),
        own.where(_IS_LONG, holds(part)),
        own.where(Transfer.customer_name.in_(names)),
        own.where(_HAS_REASONS, _reasons_hold(part)),
    )
    # Found before anything else is asked: what Postgres believes of a word is no reason to read everything.
    found = union(*ways).cte("found").prefix_with("MATERIALIZED")
    return select(found.c.id)


def _to_word(tenant_id: UUID, part: str) -> str:
    """What a word of the tenant begins with, as a query for it."""
    word = f"{str(tenant_id)[:8]}{part[:LONGEST]}"
    quoted = re.sub(r"(['\\])", r"\1\1", word)
    return f"'{quoted}':*"
