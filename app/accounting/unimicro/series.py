"""Number series of one company: where they stand, and what was issued in them. Part of `target.UnimicroTarget`.

Source: docs/facts/unimicro.md §3.7 (NumberSeries: fields and routes [O]), §11 row 5 (what can be changed [O]).
"""

from app.accounting.unimicro.client import UnimicroClient
from app.accounting.unimicro.odd_answers import tells_odd_answers
from app.accounting.unimicro.payloads import to_text
from app.accounting.unimicro.set_up import fetch_invoice_series
from app.accounting.unimicro.translate_documents import from_invoice
from app.accounting.unimicro.translate_settings import read_number
from app.domain.company_settings import Series
from app.domain.reference import RemoteDocument
from app.domain.series import parse_numeral
from app.errors import RemoteUnavailableError, System


@tells_odd_answers
class SeriesTarget:
    """The number series of one company's books; errors as `UnimicroClient` raises them."""

    _client: UnimicroClient

    async def fetch_next_number(self, series_id: int) -> int:
        """The number that the series gives next.

        Raises:
            RemoteMissingError: Unimicro says that there is no such series.
            RemoteUnavailableError: the answer does not say it.
        """
        row = await self._client.fetch_one(f"number-series/{series_id}")
        following = read_number(row.get("NextNumber"))
        if following is None:
            raise RemoteUnavailableError(
                f"Unimicro does not say which number series {series_id} gives next", system=System.UNIMICRO
            )
        return following

    async def update_next_number(self, series_id: int, number: int) -> None:
        """Set the number that the series gives next; whether that was taken, reading it must tell.

        Source: §11 row 5: next is editable [O]; that a change of this field alone is enough is assumed.
        """
        await self._client.update(f"number-series/{series_id}", {"ID": series_id, "NextNumber": number})

    async def fetch_invoice_series(self, *, year: int) -> tuple[Series, ...] | None:
        """The series that invoices of a year may get their numbers from; None: we may not read them."""
        return await fetch_invoice_series(self._client, year=year)

    async def list_in_series(self, series: Series) -> tuple[RemoteDocument, ...]:
        """Invoices, credit notes and drafts of a series, whoever made them: by its id, and by numbers that it gives.

        A filter that Unimicro does not know is none: then everything is looked through.
        """
        rows = await self._client.fetch_list("invoices", filter=f"InvoiceNumberSeriesID eq {series.series_id}")
        first, last = series.first or 0, series.last or 0
        return tuple(
            one
            for one in map(from_invoice, rows)
            if one.series_id == series.series_id or first <= (parse_numeral(to_text(one.number)) or 0) <= last
        )
