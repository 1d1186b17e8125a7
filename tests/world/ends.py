"""How a case ends: what its documents are in the log and in the stand-in's books, compared with what is right."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.world.play import Play

_DRAFT = 42001
_CREDIT_NOTE = 1
_SUMS = {
    "net": "TaxExclusiveAmountCurrency",
    "vat": "VatTotalsAmountCurrency",
    "gross": "TaxInclusiveAmountCurrency",
    "base_gross": "TaxInclusiveAmount",
}
_DAYS = {"date": "InvoiceDate", "due": "PaymentDueDate"}


async def compare(play: Play, expected: dict[str, Any]) -> None:
    """Fails unless every document ended as expected, and the books hold each once and nothing else of ours."""
    transfers = await play.load_transfers()
    for name, wanted in expected.items():
        of_document = wanted if name.isdigit() else {name: wanted}
        for word, value in of_document.items():
            if word in _ASIDE:
                assert _ASIDE[word](play, value), (word, value)
                continue
            row = transfers[name]
            assert show(play, row, word) == _to_exact(word, value), (name, word, row["reasons"], row["warnings"])
    look_at_books(play, transfers)


def show(play: Play, transfer: dict[str, Any], word: str) -> Any:
    """What a document is, in the words of `expect`."""
    if word == "state":
        return transfer["state"]
    if word == "warned":
        return bool(transfer["warnings"] or (transfer["state"] == "held" and transfer["reasons"]))
    invoice = play.books.tables["CustomerInvoice"][transfer["remote_id"]]
    if word in _SUMS:
        sign = -1 if invoice["InvoiceType"] == _CREDIT_NOTE else 1
        return sign * Decimal(invoice[_SUMS[word]])
    if word in _DAYS:
        return invoice[_DAYS[word]][:10]
    if word == "currency":
        return play.books.tables["CurrencyCode"][invoice["CurrencyCodeID"]]["Code"]
    lines = play.books.children("CustomerInvoiceItem", "CustomerInvoiceID", invoice["ID"])
    if word == "lines":
        return len(lines)
    if word == "vat_code":
        (vat_id,) = {line["VatTypeID"] for line in lines}
        return play.books.tables["VatType"][vat_id]["VatCode"]
    raise KeyError(word)


def look_at_books(play: Play, transfers: dict[str, dict[str, Any]]) -> None:
    """Each done document is in the books once, issued, with a number; nothing else is, and no customer is twice."""
    rows = play.books.rows("CustomerInvoice")
    done = [row["remote_id"] for row in transfers.values() if row["state"] == "done"]
    open_ones = {row["remote_id"] for row in transfers.values() if row["state"] == "held"}
    assert len(done) == len(set(done)), done
    assert {row["ID"] for row in rows} - open_ones == set(done)
    assert [row["ID"] for row in rows if row["StatusCode"] == _DRAFT] == []
    assert all(row["InvoiceNumber"] for row in rows)
    numbers = [row["CustomerNumber"] for row in play.books.rows("Customer")]
    assert len(numbers) == len(set(numbers)), numbers


def _to_exact(word: str, value: Any) -> Any:
    return Decimal(value) if word in _SUMS else value


def _has_drafts(play: Play, count: int) -> bool:
    return len([row for row in play.books.rows("CustomerInvoice") if row["StatusCode"] == _DRAFT]) == count


def _has_customers_with_org(play: Play, value: list[Any]) -> bool:
    org_number, count = value
    numbers = [row["OrgNumber"] for row in play.books.rows("Customer")]
    return numbers.count(org_number) == int(count)


def _has_customers_named(play: Play, value: list[Any]) -> bool:
    name, count = value
    relations = play.books.tables["BusinessRelation"]
    names = [relations[row["BusinessRelationID"]]["Name"] or "" for row in play.books.rows("Customer")]
    return [one.replace(" ", "").lower() for one in names].count(name) == int(count)


def _has_projects(play: Play, numbers: list[str]) -> bool:
    known = [row["ProjectNumber"] for row in play.books.rows("Project")]
    return all(known.count(number) == 1 for number in numbers)


_ASIDE: dict[str, Callable[[Play, Any], bool]] = {
    "customers_named": _has_customers_named,
    "customers_with_org": _has_customers_with_org,
    "drafts": _has_drafts,
    "projects": _has_projects,
}
