"""Vouchers: journal entries posted with draft lines, booked, and undone.

Source: docs/facts/unimicro.md §12 for actions, fields, sub-accounts and VAT; §11 row 4 for plain vouchers that pay
invoices. Assumed: one bad entry refuses all of the call; texts of refusals; which lines a crediting entry has.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from app.sandbox.unimicro.amounts import round_half_up
from app.sandbox.unimicro.answers import Record, malformed, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kinds import Entity
from app.sandbox.unimicro.ledger import ENTRY, LINE, LINE_CREDITED, insert_line, insert_with_vat, number_entry, settle
from app.sandbox.unimicro.ledger_switches import UndoneHead, VoucherAmounts, VoucherCurrency, VoucherReference
from app.sandbox.unimicro.periods import verify_open_day
from app.sandbox.unimicro.rates import load_base_code, load_rate, to_unit_rate
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.vat import to_line_vat
from app.sandbox.unimicro.voucher_heads import create_heads, find_heads

DRAFT_LINE = "JournalEntryLineDraft"
CREDITED = 42006

_ENTRY: Entity = ENTITIES[ENTRY]
_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_REFERENCES = ("InvoiceNumber", "PaymentID", "DueDate", "CustomerInvoiceID", "CustomerOrderID")
_COPIED = ("FinancialDate", "VatDate", "Description", "DimensionsID", *_REFERENCES)
_NEEDED = ("AccountID", "Amount", "FinancialDate")


def book_entries(books: Books, body: Any, *, with_heads: bool, with_kid: bool, unlocked: bool) -> list[int]:
    """The ids of the booked journal entries, in the order they were sent.

    Raises:
        AnswerError: 400 when the body is no list, or an entry is not in balance, in a locked period, or not accepted.
    """
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise malformed("The request is invalid: an array of journal entries was expected.")
    return [_book(books, one, with_heads=with_heads, with_kid=with_kid, unlocked=unlocked) for one in body]


def _book(books: Books, body: Record, *, with_heads: bool, with_kid: bool, unlocked: bool) -> int:
    entry_id = save_body(books, _ENTRY, _to_input(books, body))
    drafts = books.children(DRAFT_LINE, "JournalEntryID", entry_id)
    _verify_lines(books, drafts, unlocked=unlocked)
    entry = number_entry(books, entry_id, str(drafts[0]["FinancialDate"]))
    for draft in drafts:
        _book_line(books, entry, draft)
    lines = books.children(LINE, "JournalEntryID", entry_id)
    for name in ("Amount", "AmountCurrency"):
        if sum((line[name] for line in lines), _ZERO):
            raise refused("The journal entry is not in balance.", entity=ENTRY, field=name)
    if with_heads:
        create_heads(books, lines, with_kid=with_kid)
    elif books.switches.voucher_matching:
        _pay_invoices(books, lines)
    return entry_id


def _to_input(books: Books, body: Record) -> Record:
    """What of an entry is taken; booked lines are the server's."""
    taken = {name: value for name, value in body.items() if name != "Lines"} | {"ID": 0}
    if books.switches.voucher_reference is VoucherReference.DROPPED:
        taken.pop("ExternalReference", None)
    if not books.switches.voucher_guids:
        taken.pop("_createguid", None)
        lines = taken.get("DraftLines") or ()
        taken["DraftLines"] = [{name: value for name, value in one.items() if name != "_createguid"} for one in lines]
    return taken


def _verify_lines(books: Books, drafts: list[Record], *, unlocked: bool) -> None:
    if not drafts:
        raise refused("The journal entry has no lines.", entity=ENTRY, field="DraftLines")
    for draft in drafts:
        missing = next((name for name in _NEEDED if draft[name] is None), None)
        if missing:
            raise refused(f"{missing} is required.", entity=DRAFT_LINE, field=missing)
        account = books.tables["Account"][draft["AccountID"]]
        if account["Locked"] and books.switches.refuse_locked_account:
            raise refused(f"Account {account['AccountNumber']} is locked.", entity=DRAFT_LINE, field="AccountID")
        if not unlocked:
            verify_open_day(books, draft, entity=DRAFT_LINE, field="FinancialDate", lock="AccountingLockedDate")
        if draft["VatTypeID"]:
            verify_open_day(books, draft, entity=DRAFT_LINE, field=_to_vat_field(draft), lock="VatLockedDate")


def _to_vat_field(draft: Record) -> str:
    return "VatDate" if draft["VatDate"] else "FinancialDate"


def _book_line(books: Books, entry: Record, draft: Record) -> None:
    """The line, on the ledger account with the customer beside it, and its VAT on a line of its own."""
    values = {name: draft[name] for name in _COPIED} | {"JournalEntryLineDraftID": draft["ID"]}
    values["VatDate"] = draft[_to_vat_field(draft)]
    values |= _to_accounts(books, draft) | _to_currency(books, draft)
    vat_id = draft["VatTypeID"]
    if not vat_id and books.switches.vat_from_account:
        vat_id = books.tables["Account"][draft["AccountID"]]["VatTypeID"]
    if not vat_id:
        insert_line(books, entry, values)
        return
    values |= to_line_vat(books, {"InvoiceDate": values["VatDate"]}, vat_id)
    pairs = [_split(books, values[name], values["VatPercent"]) for name in ("Amount", "AmountCurrency")]
    net, vat = ([pair[part] for pair in pairs] for part in (0, 1))
    insert_with_vat(books, entry, values, net=net, vat=vat)


def _split(books: Books, amount: Decimal, percent: Decimal) -> tuple[Decimal, Decimal]:
    """Net and VAT of an amount that has VAT inside, or on top where the switch says so."""
    if books.switches.voucher_amounts is VoucherAmounts.NET:
        return amount, round_half_up(amount * percent / _HUNDRED, 2)
    net = round_half_up(amount * _HUNDRED / (_HUNDRED + percent), 2)
    return net, amount - net


def _to_accounts(books: Books, draft: Record) -> Record:
    """Ledger account and sub-account: a customer's own account in AccountID moves to SubAccountID (§12 [O])."""
    account = books.tables["Account"][draft["AccountID"]]
    if account["CustomerID"]:
        return {"AccountID": account["AccountID"], "SubAccountID": account["ID"]}
    return {"AccountID": account["ID"], "SubAccountID": draft["SubAccountID"]}


def _to_currency(books: Books, draft: Record) -> Record:
    """Amounts, currency and rate of a line; what a foreign one lacks comes from the day's rate (assumed)."""
    base_id = books.settings["BaseCurrencyCodeID"]
    currency_id, amount = draft["CurrencyCodeID"] or base_id, Decimal(draft["Amount"])
    code = str(books.tables["CurrencyCode"][currency_id]["Code"])
    kind = books.switches.voucher_currency
    if code != load_base_code(books) and kind is VoucherCurrency.REFUSED:
        raise refused("Only the company's currency can be booked.", entity=DRAFT_LINE, field="CurrencyCodeID")
    if code == load_base_code(books) or kind is VoucherCurrency.IGNORED:
        base = {"CurrencyCodeID": base_id, "CurrencyExchangeRate": Decimal(1)}
        return base | {"Amount": amount, "AmountCurrency": amount}
    rate = Decimal(
        draft["CurrencyExchangeRate"] or load_rate(books, code, date.fromisoformat(draft["FinancialDate"][:10]))
    )
    own = draft["AmountCurrency"]
    in_currency = round_half_up(amount / to_unit_rate(books, code, rate), 2) if own is None else Decimal(own)
    given = {"CurrencyCodeID": currency_id, "CurrencyExchangeRate": rate}
    return given | {"Amount": amount, "AmountCurrency": in_currency}


def _pay_invoices(books: Books, lines: list[Record]) -> None:
    for line in lines:
        number = line["InvoiceNumber"]
        if line["SubAccountID"] and number:
            customer_id = books.tables["Account"][line["SubAccountID"]]["CustomerID"]
            same = books.switches.matching_by_number
            found = [row for row in find_heads(books, number) if same or row["CustomerID"] == customer_id]
            if found:
                settle(books, found[0], line)


def credit_entry(books: Books, entry: Record, day: str | None) -> int:
    """The id of a new entry with every amount turned round; the old lines are credited, heads as the switch says."""
    lines = books.children(LINE, "JournalEntryID", entry["ID"])
    if any(line["StatusCode"] == LINE_CREDITED for line in lines):
        raise refused("The journal entry is credited already.", entity=ENTRY, entity_id=entry["ID"])
    day = day or books.today().isoformat()
    made = books.insert(ENTRY, {"Description": f"Kreditering av bilag {entry['JournalEntryNumber']}"})
    made = number_entry(books, made["ID"], day)
    for line in lines:
        names = [name for name in ENTITIES[LINE].fields if name not in {"ID", "RestAmount", "RestAmountCurrency"}]
        copy = {name: line[name] for name in names if not name.startswith(("JournalEntry", "Created", "Updated"))}
        copy |= {name: -line[name] for name in ("Amount", "AmountCurrency")}
        copy |= {"FinancialDate": day, "RestAmount": _ZERO, "RestAmountCurrency": _ZERO, "StatusCode": LINE_CREDITED}
        insert_line(books, made, copy | {"ReferenceCreditPostID": line["ID"]})
        credited = {"StatusCode": LINE_CREDITED, "RestAmount": _ZERO, "RestAmountCurrency": _ZERO}
        books.update(LINE, line["ID"], credited)
    _undo_heads(books, entry["ID"])
    return int(made["ID"])


def _undo_heads(books: Books, entry_id: int) -> None:
    heads = [row for row in books.rows("CustomerInvoice") if row["JournalEntryID"] == entry_id]
    changes: dict[UndoneHead, Record] = {
        UndoneHead.LEFT: {},
        UndoneHead.DELETED: {"Deleted": True},
        UndoneHead.CREDITED: {"StatusCode": CREDITED, "RestAmount": _ZERO, "RestAmountCurrency": _ZERO},
    }
    for head in heads:
        books.update("CustomerInvoice", head["ID"], changes[books.switches.undone_head])
