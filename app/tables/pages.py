"""Indexes that listings page by: what is seldom is found without walking through all that is not (tests.bench.log)."""

from sqlalchemy import Index, text

from app.tables.words import list_number_indexes

_INVOICES = text("scope = 'invoice'")
# By what transfers are filtered: the column, and of which rows.
_FILTERED = {
    "state": text("state <> 'done'"),
    "kind": None,
    "key_id": None,
    "recman_department_id": _INVOICES,
    "customer_name": _INVOICES,
    "booking": text("booking IN ('order', 'draft')"),
}


def list_transfer_pages() -> list[Index]:
    """The indexes of the transfer log's filters, each in the order in which its listing shows the rows."""
    warned = text("warnings <> '[]'::jsonb")
    reasoned = text("scope = 'invoice' AND reasons <> '[]'::jsonb")
    return [
        *(
            Index(f"ix_transfer_by_{name}", "tenant_id", name, "created_at", "id", postgresql_where=only)
            for name, only in _FILTERED.items()
        ),
        Index("ix_transfer_warned", "tenant_id", "created_at", "id", postgresql_where=warned),
        Index("ix_transfer_reasoned", "tenant_id", "created_at", "id", postgresql_where=reasoned),
        *list_number_indexes(),
        # By the day of the document, as `dated_from` and `dated_to` ask for it.
        Index("ix_transfer_dated", "tenant_id", "invoice_date", "id", postgresql_where=_INVOICES),
    ]
