"""Lists of what a company has, for a key without sign-in: their columns, their rows, and what is wrong with them. Pure.

Source: docs/facts/recman.md §9.3 (Import central's templates hold existing rows [O]; of their columns those of
customers are known, the others' names are assumed, which is why each column goes by several).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class ListKind(StrEnum):
    """What is listed."""

    PRODUCTS = "products"
    VAT_CODES = "vat_codes"
    CUSTOMERS = "customers"
    ACCOUNTS = "accounts"
    DEPARTMENTS = "departments"
    PROJECTS = "projects"


# Without these nothing can be planned.
NEEDED = (ListKind.PRODUCTS, ListKind.VAT_CODES, ListKind.CUSTOMERS)


class Form(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    NUMBER = "number"
    RATE = "rate"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: the name that we keep it by, its headings, what its cells hold, and whether each row must have it."""

    name: str
    headings: tuple[str, ...]
    form: Form = Form.TEXT
    needed: bool = False


def _column(name: str, *headings: str, form: Form = Form.TEXT, needed: bool = False) -> Column:
    return Column(name=name, headings=(name, *headings), form=form, needed=needed)


_CODE = ("momskode", "mva-kode", "mvakode", "mva kode", "vatcode")
_ACCOUNT = ("konto", "kontonr", "kontonummer", "salgskonto", "accountnumber")
_ACTIVE = _column("active", "aktiv", form=Form.FLAG)

# The first column of each is the one that names its rows, once each.
COLUMNS: Mapping[ListKind, tuple[Column, ...]] = {
    ListKind.PRODUCTS: (
        _column("number", "produktnr", "produktnummer", "varenr", "varenummer", "vareident", "partname", needed=True),
        _column("name", "produktnavn", "varenavn", "navn", "beskrivelse", needed=True),
        _column("account", *_ACCOUNT, form=Form.NUMBER, needed=True),
        _column("vat_code", *_CODE, needed=True),
        _ACTIVE,
    ),
    ListKind.VAT_CODES: (
        _column("code", "kode", *_CODE, needed=True),
        _column("rate", "sats", "prosent", "mva-sats", "vatpercent", "%", form=Form.RATE, needed=True),
        _column("name", "navn", "beskrivelse"),
        _column("output", "utgående", "utgaende", form=Form.FLAG),
        _ACTIVE,
    ),
    ListKind.CUSTOMERS: (
        _column("number", "kundenr", "kundenummer", "customernumber", form=Form.NUMBER, needed=True),
        _column("name", "navn", "kundenavn", needed=True),
        _column("org_number", "orgnr", "organisasjonsnr", "organisasjonsnummer", "orgnumber"),
        _column("country_code", "landkode", "land"),
        _ACTIVE,
    ),
    ListKind.ACCOUNTS: (
        _column("number", *_ACCOUNT, form=Form.NUMBER, needed=True),
        _column("name", "kontonavn", "navn"),
        _column("vat_code", *_CODE),
        _ACTIVE,
    ),
    ListKind.DEPARTMENTS: (
        _column("number", "avdelingsnr", "avdelingsnummer", "avdeling", "departmentnumber", needed=True),
        _column("name", "avdelingsnavn", "navn"),
    ),
    ListKind.PROJECTS: (
        _column("number", "prosjektnr", "prosjektnummer", "prosjekt", "projectnumber", needed=True),
        _column("name", "prosjektnavn", "navn"),
    ),
}

# A row as it is kept: by the columns' names, every value as text ("true" and "false" for a flag).
ListRow = Mapping[str, str]
Lists = Mapping[ListKind, tuple[ListRow, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadList:
    """A list that was read: its rows, and what keeps it from being used."""

    rows: tuple[ListRow, ...] = ()
    faults: tuple[str, ...] = ()


def list_missing(lists: Lists) -> tuple[ListKind, ...]:
    """The lists without which nothing can be planned and that are not there."""
    return tuple(kind for kind in NEEDED if not lists.get(kind))


def list_strangers(lists: Lists) -> list[str]:
    """What one list names and another does not have, where both are there."""
    codes = {row["code"] for row in lists.get(ListKind.VAT_CODES, ())}
    accounts = {row["number"] for row in lists.get(ListKind.ACCOUNTS, ())}
    faults = []
    for kind in (ListKind.PRODUCTS, ListKind.ACCOUNTS):
        for row in lists.get(kind, ()):
            code, account = row.get("vat_code", ""), row.get("account", "")
            if codes and code and code not in codes:
                faults.append(f"{kind} {row['number']}: there is no VAT code {code} in the list of VAT codes")
            if accounts and account and account not in accounts:
                faults.append(f"{kind} {row['number']}: there is no account {account} in the list of accounts")
    return faults


def rate_of(row: ListRow) -> Decimal:
    """The per cent of a VAT code."""
    return Decimal(row["rate"])
