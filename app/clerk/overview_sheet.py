"""The invoice overview as a file for a spreadsheet. Reads the table `transfer` only."""

from app.clerk.overview import InvoiceFilter, list_whole, state_of
from app.clerk.sheets import to_sheet
from app.platform.db import Session
from app.tables import Transfer

_COLUMNS = (
    "RecMan number",
    "kind",
    "date",
    "customer",
    "department",
    "currency",
    "gross",
    "gross in Unimicro",
    "state",
    "Unimicro number",
    "why",
    "what to do",
)


async def load_overview_sheet(session: Session, wanted: InvoiceFilter) -> str:
    """Every invoice that the filter finds, as a file for a spreadsheet.

    Raises:
        RequestError: it is longer than one file may be; none is shown cut short.
    """
    return to_sheet(_COLUMNS, [_to_cells(one) for one in await list_whole(session, wanted)])


def _to_cells(transfer: Transfer) -> tuple[object, ...]:
    told = [*transfer.reasons, *transfer.warnings]
    return (
        transfer.number,
        transfer.kind.replace("_", " "),
        transfer.invoice_date,
        transfer.customer_name,
        transfer.recman_department_id,
        transfer.currency,
        transfer.gross_amount,
        transfer.remote_gross_amount,
        state_of(transfer),
        transfer.remote_number,
        "; ".join(one["cause"] for one in told),
        " ".join(one["fix"] for one in told),
    )
