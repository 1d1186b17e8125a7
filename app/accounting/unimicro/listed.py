"""A client that asks nobody: it answers from lists that people have sent, in the form in which Unimicro would answer.

So whoever plans with a company that has no sign-in goes through the very code that reads one that has. What the lists
do not say is answered as a company of which nothing is there: no invoice, no lock, no number series but one that has
room for every customer.

Source: docs/facts/recman.md §9.3 for the lists, docs/facts/unimicro.md §3 for the form of the answers; that the company
keeps its books in kroner and is registered for VAT as soon as a code of sales has a rate is assumed.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from app.accounting.unimicro.client import Body, UnimicroClient
from app.accounting.unimicro.payloads import PRODUCT_ACTIVE, VAT_NONE, VAT_REGISTERED
from app.domain.lists import ListKind, ListRow, Lists, list_missing, rate_of
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.errors import HoldError, RemoteMissingError, RemoteRejectedError, System

_BASE_CURRENCY = "NOK"
# Currencies that a document may have; the list of them is nowhere. Source: assumed.
_CURRENCIES = (_BASE_CURRENCY, "EUR", "USD", "GBP", "SEK", "DKK", "CHF", "PLN")
# Codes of purchases, where the list does not say what is for sales. Source: docs/facts/unimicro.md §11 row 15 [O].
_INPUT_CODES = frozenset({"1", "11", "12", "13"})
_HIGHEST_NUMBER = 2_147_483_647
# Source: docs/facts/unimicro.md §3.1 [o].
_INACTIVE_CUSTOMER = 50001
# A number names its row; what is no number is far above all that are.
_LONGEST_ID = 12
_ABOVE = 10**15


@dataclass(slots=True)
class _Routes:
    """What each route answers, made of one state of the lists."""

    lists: Lists
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class ListedClient(UnimicroClient):
    """Reads from the lists that `load` gives and writes nothing.

    `series`: the first and last number that a customer there may have; None: any.
    """

    def __init__(
        self, load: Callable[[], Awaitable[Lists]], *, series: tuple[int, int] | None, key_id: str = ""
    ) -> None:
        self.written = 0
        self._load = load
        self._series = series or (1, _HIGHEST_NUMBER)
        self._key_id = key_id
        self._routes = _Routes(lists={})

    async def _read(self, route: str, query: Mapping[str, str]) -> Any:
        rows = await self._load_rows()
        name, _, wanted = route.partition("/")
        if wanted:
            found = next((row for row in rows.get(name, ()) if str(row["ID"]) == wanted), None)
            if found is None:
                raise RemoteMissingError(f"The lists have no {name} {wanted}", system=System.UNIMICRO)
            return found
        first = int(query.get("skip", 0))
        kept = _filter(rows.get(name, []), query.get("filter", ""))
        return kept[first : first + int(query.get("top", len(kept)))]

    async def ask(self, route: str, action: str, **query: str) -> dict[str, Any]:
        """Nothing: of what Unimicro would work out, a rate alone is asked for, and no list tells it.

        Raises:
            HoldError: always.
        """
        _ = route, action
        cause = (
            f"The key has no sign-in, and no list tells rates of exchange (of {query.get('currencyDate', 'any day')})"
        )
        raise HoldError((Reason(code=Code.RATE_UNUSABLE, cause=cause, fix=fix_for(Code.RATE_UNUSABLE, "lists")),))

    async def _write(
        self, method: str, route: str, *, query: Mapping[str, str] | None = None, body: Body | None = None
    ) -> Any:
        _ = query, body
        cause = f"Nothing can be written with a key that has lists and no sign-in ({method} {route})"
        raise RemoteRejectedError(cause, system=System.UNIMICRO, fix=fix_for(Code.LISTS_MISSING, "written"))

    async def upload(self, files_base: str, name: str, content: bytes) -> Any:
        """Nothing; see `_write`."""
        _ = content
        return await self._write("POST", f"{files_base}{name}")

    async def _load_rows(self) -> Mapping[str, list[dict[str, Any]]]:
        lists = await self._load()
        missing = list_missing(lists)
        if missing:
            names = ", ".join(kind.value for kind in missing)
            cause = f"The key has no sign-in, and nobody has sent its lists of {names}"
            fix = fix_for(Code.LISTS_MISSING, key_id=self._key_id, kind=missing[0])
            raise HoldError((Reason(code=Code.LISTS_MISSING, cause=cause, fix=fix),))
        if self._routes.lists is not lists:
            self._routes = _Routes(lists, _to_routes(lists, self._series))
        return self._routes.rows


def _filter(rows: list[dict[str, Any]], condition: str) -> list[dict[str, Any]]:
    """The rows whose field equals what the condition says; all of them for any other condition, as with Unimicro."""
    name, _, value = condition.partition(" eq ")
    if not value or " " in value.strip("'"):
        return rows
    return [row for row in rows if name not in row or str(row[name]) == value.strip("'").replace("''", "'")]


def name_id(number: str) -> int:
    """The id that a row is known by: its number, or one made of it for ever, whatever row of a file it stands in."""
    if number.isdecimal() and len(number) <= _LONGEST_ID and str(int(number)) == number:
        return int(number)
    return _ABOVE + int(sha256(number.encode()).hexdigest()[:10], 16)


def _to_routes(lists: Lists, series: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    codes = [_to_vat_type(row) for row in lists[ListKind.VAT_CODES]]
    by_code = {row["VatCode"]: row["ID"] for row in codes}
    is_registered = any(row["OutputVat"] and row["VatPercent"] for row in codes)
    currencies = [{"ID": n, "Code": code} for n, code in enumerate(_CURRENCIES, start=1)]
    return {
        "companysettings": [
            {"ID": 1, "BaseCurrencyCodeID": 1, "TaxMandatoryType": VAT_REGISTERED if is_registered else VAT_NONE}
        ],
        "currencycodes": currencies,
        "number-series": [{"ID": 1, "Name": "Customer", "FromNumber": series[0], "ToNumber": series[1]}],
        "vattypes": codes,
        "accounts": _to_accounts(lists, by_code),
        "products": [_to_product(row, by_code) for row in lists[ListKind.PRODUCTS]],
        "customers": [_to_customer(row) for row in lists[ListKind.CUSTOMERS]],
        "departments": _to_places(lists, ListKind.DEPARTMENTS, "DepartmentNumber"),
        "projects": _to_places(lists, ListKind.PROJECTS, "ProjectNumber"),
    }


def _is_active(row: ListRow) -> bool:
    return row.get("active", "true") == "true"


def _to_vat_type(row: ListRow) -> dict[str, Any]:
    output = row.get("output", "")
    return {
        "ID": name_id(row["code"]),
        "VatCode": row["code"],
        "Name": row.get("name", ""),
        "VatPercent": rate_of(row),
        "OutputVat": output == "true" if output else row["code"] not in _INPUT_CODES,
        "Locked": not _is_active(row),
        "Visible": True,
    }


def _to_accounts(lists: Lists, by_code: Mapping[str, int]) -> list[dict[str, Any]]:
    """Those of the list of accounts; without one, those that the products stand on."""
    listed = lists.get(ListKind.ACCOUNTS, ())
    if listed:
        return [_to_account(row["number"], row, by_code) for row in listed]
    numbers = dict.fromkeys(row["account"] for row in lists[ListKind.PRODUCTS])
    return [_to_account(number, {}, by_code) for number in numbers]


def _to_account(number: str, row: ListRow, by_code: Mapping[str, int]) -> dict[str, Any]:
    vat_id = by_code.get(row.get("vat_code", ""))
    return {"ID": int(number), "AccountNumber": int(number), "VatTypeID": vat_id, "Locked": not _is_active(row)}


def _to_product(row: ListRow, by_code: Mapping[str, int]) -> dict[str, Any]:
    return {
        "ID": name_id(row["number"]),
        "PartName": row["number"],
        "Name": row["name"],
        "AccountID": int(row["account"]),
        "VatTypeID": by_code.get(row["vat_code"]),
        "StatusCode": PRODUCT_ACTIVE,
        "Deleted": not _is_active(row),
    }


def _to_customer(row: ListRow) -> dict[str, Any]:
    address = {"CountryCode": row.get("country_code", "")}
    return {
        "ID": name_id(row["number"]),
        "CustomerNumber": int(row["number"]),
        "OrgNumber": row.get("org_number", ""),
        "Info": {"Name": row["name"], "InvoiceAddress": address},
        "StatusCode": None if _is_active(row) else _INACTIVE_CUSTOMER,
    }


def _to_places(lists: Lists, kind: ListKind, field_name: str) -> list[dict[str, Any]]:
    rows: Iterable[ListRow] = lists.get(kind, ())
    return [{"ID": name_id(row["number"]), field_name: row["number"], "Name": row.get("name", "")} for row in rows]
