"""The rows that documents make, in the order in which a file has them."""

from collections.abc import Iterator

from app.domain.file_documents import FileCustomer, FileDocument, FileLine
from app.files.layouts import Layout, Record
from app.files.sources import Row, RowKind

# What a file has one row of, however many documents name it.
ONCE = (RowKind.CUSTOMERS, RowKind.PRODUCTS)


class Once:
    """Customers and products of the documents so far, each once; what the last document says of one holds."""

    def __init__(self) -> None:
        self._customers: dict[str, FileDocument] = {}
        self._products: dict[str, tuple[FileDocument, FileLine]] = {}

    def add(self, document: FileDocument) -> None:
        """Take in whom the document is to, and what it sells."""
        self._customers[document.customer.number] = document
        for line in document.lines:
            if line.product_number:
                self._products[line.product_number] = (document, line)

    def find_customer(self, number: str) -> FileCustomer | None:
        """The customer of this number, if a document was to it."""
        known = self._customers.get(number)
        return known.customer if known is not None else None

    def list_rows(self, kind: RowKind) -> Iterator[Row]:
        """A row for each, in the order in which they were first named, with the document that names it last."""
        if kind is RowKind.CUSTOMERS:
            yield from (Row(customer=one.customer, named_by=one) for one in self._customers.values())
        else:
            yield from (Row(customer=one.customer, named_by=one, line=line) for one, line in self._products.values())


def list_rows(document: FileDocument, kind: RowKind) -> Iterator[Row]:
    """The document's own rows of this kind; none of what stands in a file once."""
    customer = document.customer
    if kind is RowKind.DOCUMENTS:
        yield Row(customer=customer, document=document)
    elif kind is RowKind.LINES:
        for position, line in enumerate(document.lines, start=1):
            yield Row(customer=customer, document=document, line=line, position=position)
    elif kind is RowKind.ENTRIES:
        for entry in document.entries:
            yield Row(customer=customer, document=document, entry=entry)


def list_records(layout: Layout, *, once: bool) -> tuple[Record, ...]:
    """The layout's records that stand in a file once, or those that each document has."""
    return tuple(record for record in layout.records if (record.rows in ONCE) is once)
