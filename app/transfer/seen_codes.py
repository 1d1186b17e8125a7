"""RecMan's VAT codes as documents have stated them, for an accountant to say what each is. Owner of `seen_code`."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.documents import Document
from app.domain.rules import Rules
from app.platform.db import Session
from app.tables import Key, SeenCode


def list_new_codes(document: Document, rules: Rules) -> dict[str, dict[str, object]]:
    """The codes of a document's lines that the rules do not know, each with the VAT rate of its first line."""
    lines = [line for line in document.lines if line.vat_code and rules.find_vat_code(line.vat_code) is None]
    return {line.vat_code: {"vat_rate": line.vat_rate} for line in reversed(lines)}


async def record_codes(session: Session, key: Key, document: Document, rules: Rules) -> None:
    """Note which codes the document states; a code is noted once, with the first document that had it."""
    rows = [
        {"tenant_id": key.tenant_id, "key_id": key.id, "code": code, "record_id": document.recman_invoice_id, **seen}
        for code, seen in list_new_codes(document, rules).items()
    ]
    if rows:
        await session.execute(insert(SeenCode).values(rows).on_conflict_do_nothing())


async def list_codes(session: Session, key: Key) -> Sequence[SeenCode]:
    """Every code that a document of the key has stated and the rules did not know then, by its name."""
    is_keys = (SeenCode.tenant_id == key.tenant_id, SeenCode.key_id == key.id)
    return (await session.scalars(select(SeenCode).where(*is_keys).order_by(SeenCode.code))).all()
