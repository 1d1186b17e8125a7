"""What can happen in a case, one function a word: webhooks, work, people's doors, and changes in the two stand-ins."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.platform.resources import open_resources
from app.sandbox.recman.hooks import Delivery
from app.sandbox.unimicro.books import Books
from app.transfer.books import KnownBooks
from app.worker import run_worker
from tests.world.names import COMPANY
from tests.world.world import World

_ISSUED = 42002
_RATE_CALL = {"method": "GET", "path": "/api/biz/currencies", "query": "get-currency-exchange-rate"}
_ACCOUNTS = {"0": 3100, "15": 3020, "12": 3030}


@dataclass(slots=True)
class Play:
    """A case under way, with what it has seen so far."""

    world: World
    parallel: int = 1
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def books(self) -> Books:
        """The books of the key's company."""
        found: Books = self.world.unimicro.state.world.company(COMPANY).books
        return found

    async def load_transfers(self) -> dict[str, dict[str, Any]]:
        """The documents' transfers by RecMan id."""
        rows = await self.world.transfers()
        return {record: row for (kind, record), row in rows.items() if kind in {"invoice", "credit_note"}}

    async def load_transfer(self, record_id: int) -> dict[str, Any]:
        """One document's transfer."""
        return (await self.load_transfers())[str(record_id)]


async def prepare(play: Play, case: dict[str, Any]) -> None:
    """Both stand-ins as the case finds them."""
    store = play.world.recman.state.store
    for scope, records in case["recman"].items():
        for record in records:
            store.put_record(scope, str(record[f"{scope}Id"]), record)
    for number, name, percent, code in case.get("unimicro_products", []):
        _add_product(play.books, number, name, Decimal(percent), code)
    play.world.resources.kept(KnownBooks).references.clear()


async def take(play: Play, step: dict[str, Any]) -> None:
    """One step of a case, or of its mending."""
    ((word, value),) = step.items()
    await _STEPS[word](play, value)


async def _hear(play: Play, value: list[Any]) -> None:
    scope, *record_ids = value
    await play.world.hear_of(scope, *record_ids)


async def _body(play: Play, value: dict[str, Any]) -> None:
    assert await play.world.hear([Delivery(**value)]) == [202]


async def _settle(play: Play, _: int) -> None:
    # The seconds that a case names are those of a quiet machine.
    world, stop = play.world, asyncio.Event()
    async with AsyncExitStack() as stack:
        workers = []
        for _ in range(play.parallel - 1):
            opened = open_resources(
                world.resources.settings,
                database_url=str(world.resources.settings.database_url),
                http=world.resources.http,
            )
            resources = await stack.enter_async_context(opened)
            workers.append(asyncio.create_task(run_worker(resources, stop)))
        try:
            await world.settle()
        finally:
            stop.set()
            await asyncio.gather(*workers)


async def _parallel(play: Play, workers: int) -> None:
    play.parallel = workers


async def _fault(play: Play, value: dict[str, Any]) -> None:
    await play.world.fault(**value)


async def _keyless(play: Play, _: bool) -> None:  # noqa: FBT001 - a case says `true`
    world = play.world
    answer = await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    assert answer.status_code == 200, answer.text


async def _look_key(play: Play, _: None) -> None:
    key = await play.world.get(f"/v1/keys/{play.world.key_id}")
    assert key["state"] == "active", key


async def _snapshot(play: Play, name: str) -> None:
    play.snapshots[name] = await play.load_transfers()


async def _retry(play: Play, record_id: int) -> None:
    await _post(play, record_id, "/v1/transfers/{id}/retry", None)


async def _ignore(play: Play, record_id: int) -> None:
    await _post(play, record_id, "/v1/transfers/{id}/ignore", {"reason": "decided in a case's mending"}, status=200)


async def _approve(play: Play, record_id: int) -> None:
    await _post(play, record_id, "/v1/invoices/{id}/approve", None)


async def _share(play: Play, org_number: str) -> None:
    body = {"org_number": org_number, "reason": "decided in a case's mending"}
    answer = await play.world.post(f"/v1/keys/{play.world.key_id}/shared-org-numbers", body)
    assert answer.status_code in (200, 201), answer.text


async def _by_hand(play: Play, value: list[Any]) -> None:
    """An invoice that a person enters and issues in Unimicro with these sums, and links."""
    record_id, company_id, sums = value
    customer = (await play.world.transfers())["customer", str(company_id)]
    (currency,) = (row["ID"] for row in play.books.rows("CurrencyCode") if row["Code"] == "NOK")
    names = {"net": "TaxExclusiveAmount", "vat": "VatTotalsAmount", "gross": "TaxInclusiveAmount"}
    money = {f"{names[word]}{end}": Decimal(amount) for word, amount in sums.items() for end in ("", "Currency")}
    head = {"InvoiceType": 0, "StatusCode": _ISSUED, "InvoiceNumber": f"9{record_id}", "InvoiceDate": "2026-11-02"}
    head |= {"CustomerID": customer["remote_id"], "CurrencyCodeID": currency, "CurrencyExchangeRate": Decimal(1)}
    made = play.books.insert("CustomerInvoice", head | money)
    await _post(play, record_id, "/v1/invoices/{id}/done-elsewhere", {"remote_id": made["ID"]}, status=200)


async def _post(play: Play, record_id: int, path: str, body: Any, *, status: int = 202) -> None:
    transfer = await play.load_transfer(record_id)
    answer = await play.world.post(path.format(id=transfer["id"]), body)
    assert answer.status_code == status, answer.text


async def _rules(play: Play, rules: dict[str, Any]) -> None:
    path = f"/v1/rules?key_id={play.world.key_id}"
    answer = await play.world.call("PUT", path, rules, If_Match="*")
    # A case may set a rule that is no more: then the refusal says what there is instead.
    is_refused = "tolerance" in rules
    assert answer.status_code == (422 if is_refused else 200), answer.text
    assert not is_refused or "rounding" in answer.json()["cause"]


async def _set(play: Play, value: list[Any]) -> None:
    scope, record_id, changes = value
    play.world.recman.state.store.records[scope][str(record_id)].update(changes)


async def _copy(play: Play, value: list[Any]) -> None:
    """A record made in RecMan like another one, but for its id and some changes."""
    scope, like, record_id, changes = value
    store = play.world.recman.state.store
    record = deepcopy(store.records[scope][str(like)]) | {f"{scope}Id": record_id} | changes
    store.put_record(scope, str(record_id), record)


async def _remove(play: Play, value: list[Any]) -> None:
    scope, record_id = value
    assert play.world.recman.state.store.remove_record(scope, str(record_id))


async def _unimicro(play: Play, value: list[Any]) -> None:
    entity, wanted, changes = value
    rows = [row for row in play.books.rows(entity) if wanted.items() <= row.items()]
    assert rows, f"no {entity} with {wanted}"
    for row in rows:
        play.books.update(entity, row["ID"], changes)
    play.world.resources.kept(KnownBooks).references.clear()


async def _customer(play: Play, value: dict[str, Any]) -> None:
    relation = play.books.insert("BusinessRelation", {"Name": value["name"]})
    row = {"CustomerNumber": value["number"], "OrgNumber": value["org"], "BusinessRelationID": relation["ID"]}
    play.books.insert("Customer", row)


async def _rate(play: Play, value: list[str]) -> None:
    """What Unimicro answers for a rate, whatever it computes with itself."""
    await play.world.fault("alter", **_RATE_CALL, times=1000, changes={"ExchangeRate": value[1]})


async def _factor(play: Play, factor: int) -> None:
    (rate,) = (one for one in play.world.unimicro.faults.waiting if one.fault == "alter")  # type: ignore[attr-defined]
    rate.changes["Factor"] = factor


def _add_product(books: Books, number: str, name: str, percent: Decimal, code: str) -> None:
    vat_types = {row["VatCode"]: row for row in books.rows("VatType")}
    if code not in vat_types:
        row = {"VatCode": code, "Name": name, "VatPercent": percent, "OutputVat": True, "Visible": True}
        vat_types[code] = books.insert("VatType", row | {"Locked": False})
    account = _ACCOUNTS.get(str(percent), 3000)
    (account_id,) = (row["ID"] for row in books.rows("Account") if row["AccountNumber"] == account)
    values = {"PartName": number, "Name": name, "Unit": "stk", "Type": 3, "StatusCode": 35001, "PriceExVat": Decimal(1)}
    values |= {"VatTypeID": vat_types[code]["ID"], "AccountID": account_id}
    books.insert("Product", values | {"CalculateGrossPriceBasedOnNetPrice": False})


_STEPS: dict[str, Callable[[Play, Any], Awaitable[None]]] = {
    "approve": _approve,
    "body": _body,
    "by_hand": _by_hand,
    "copy": _copy,
    "customer": _customer,
    "factor": _factor,
    "fault": _fault,
    "hear": _hear,
    "ignore": _ignore,
    "keyless": _keyless,
    "look_key": _look_key,
    "parallel": _parallel,
    "rate": _rate,
    "remove": _remove,
    "retry": _retry,
    "rules": _rules,
    "set": _set,
    "settle": _settle,
    "share": _share,
    "snapshot": _snapshot,
    "unimicro": _unimicro,
}
