"""A run beside the lanes, on a person's wish: looks like a worker's run, and leaves the record's lane alone."""

from functools import partial
from uuid import UUID, uuid4

from app.admin.tenants import load_tenant
from app.engine.lanes import Lease
from app.platform.db import load_now
from app.platform.logger import add_log_fields
from app.platform.resources import Resources
from app.reading.records import NOTHING, ReadInvoices, open_lone_reader
from app.tables import Transfer
from app.transfer.books import open_books
from app.transfer.context import Run


async def open_side_run(
    resources: Resources, transfer: Transfer, *, rehearses: bool = False, known: ReadInvoices = NOTHING
) -> Run:
    """A run for one transfer that claims no lane; reference data is read again when a hold depends on it.

    `rehearses`: its books send nothing. `known` are invoices that RecMan was asked for a moment ago.
    """
    add_log_fields(scope=transfer.scope, record=transfer.record_id, transfer=transfer.id)
    resources = resources.of_tenant(transfer.tenant_id)
    async with resources.sessions() as session:
        tenant = await load_tenant(session, transfer.tenant_id)
        now = await load_now(session)
    return Run(
        sessions=resources.sessions,
        lease=nobodys_lease(transfer.tenant_id, "invoice", transfer.record_id),
        events=(),
        reader=open_lone_reader(resources, tenant, known=known),
        open_books=partial(open_books, resources, heard_at=now, sends=False, rehearses=rehearses),
        read_lag_seconds=resources.settings.unimicro_read_lag_seconds,
    )


def nobodys_lease(tenant_id: UUID, scope: str, record_id: str) -> Lease:
    """No lane is claimed: the fence would stop every step made on this lease's behalf."""
    return Lease(
        lane_id=0,
        tenant_id=tenant_id,
        scope=scope,
        record_id=record_id,
        token=uuid4(),
        seq=0,
        seen_seq=0,
        tries=0,
        failing_seconds=0,
    )
