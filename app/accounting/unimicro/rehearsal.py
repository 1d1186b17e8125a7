"""A client that sends no write: each is noted as it would go, and answered as Unimicro would answer it.

So a dry run goes through the very code that sends, and what it shows cannot drift from what is sent.
Source: docs/facts/unimicro.md §3, §4.1; that an answer holds what was sent, and a credit draft the invoice's lines with
a minus, is assumed.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.client import Body, Company, Exchange, UnimicroClient
from app.accounting.unimicro.payloads import CREDIT_NOTE_TYPE, INVOICE_DRAFT, ORDER_DRAFT
from app.platform.http import httpx

_CREDIT = "create-credit-draft-invoice"
_DRAFTS = {"invoices": INVOICE_DRAFT, "orders": ORDER_DRAFT}
_NAMES = {"customers": "customer", "projects": "project", "departments": "department", "products": "product"}
# What a credit note has with a minus.
_NEGATED = ("NumberOfItems", "Sum", "Tax", "VatTotals")
# Far from every id that Unimicro gives: those are above zero.
_FIRST_ID = -1_000_000_001
_ACCOUNT = "{account}"


class Rehearsal(UnimicroClient):
    """Calls on behalf of one company that only read; what would be written is passed to `on_exchange` without status.

    Shape: an id that does not exist yet is a placeholder there: `{customer}`, `{project}`, `{department}`,
    `{product <number>}`, `{line <n>}` of a credit draft, `{file}`, and `{id}` for the document itself. A guid that
    hangs on such an id is `{guid}`. `{account}` is that of a customer who does not exist yet.
    """

    def __init__(self, http: httpx.AsyncClient, company: Company, *, on_exchange: Callable[[Exchange], None]) -> None:
        super().__init__(http, company, on_exchange=on_exchange)
        self._note = on_exchange
        self._names: dict[int, str] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._files: dict[str, list[dict[str, Any]]] = {}

    async def _read(self, route: str, query: Mapping[str, str]) -> Any:
        if route in self._rows:
            return self._rows[route]
        kind, _, document = route.partition("/")
        if kind == "accounts":
            return await self._read_accounts(route, query)
        if kind != "files":
            return await super()._read(route, query)
        is_new = any(document.endswith(f"/{one}") for one in self._names)
        there = [] if is_new else await super()._read(route, query)
        return [*there, *self._files.get(document, [])]

    async def _read_accounts(self, route: str, query: Mapping[str, str]) -> Any:
        """A customer who is only imagined has its account with him, as Unimicro would open one."""
        owner = next((one for one in self._names if query.get("filter") == f"CustomerID eq {one}"), None)
        if owner is None:
            return await super()._read(route, query)
        made_id = next((one for one, name in self._names.items() if name == _ACCOUNT), None)
        return [{"ID": made_id or self._name("account"), "CustomerID": owner}]

    async def _write(
        self, method: str, route: str, *, query: Mapping[str, str] | None = None, body: Body | None = None
    ) -> Any:
        asked = dict(query or {})
        self._tell(method, f"api/biz/{route}", asked, body, hides_guids=route in self._rows)
        if asked.get("action") == _CREDIT:
            return await self._imagine_credit(route)
        if asked.get("action") == "link":
            document, file_id = f"{asked['entitytype']}/{asked['entityid']}", int(route.partition("/")[2])
            self._files.setdefault(document, []).append(self._rows[f"files/{file_id}"])
        elif isinstance(body, list):
            return [self._imagine(route, one) for one in body]
        elif method == "POST" and "/" not in route:
            return self._imagine(route, body or {})
        elif route in self._rows:
            self._rows[route] |= {name: value for name, value in (body or {}).items() if name != "Items"}
        return None

    async def upload(self, files_base: str, name: str, content: bytes) -> Any:
        """The file as the files service would name it."""
        _ = files_base
        self._tell("POST", "api/file", {}, {"File": name, "Bytes": len(content)})
        return self._keep("files", {"Name": name}, "file")

    def _imagine(self, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        name = _NAMES.get(route, "id")
        status = {"StatusCode": _DRAFTS[route]} if route in _DRAFTS else {}
        return self._keep(route, {**body, **status}, f"{name} {body['PartName']}" if route == "products" else name)

    async def _imagine_credit(self, route: str) -> dict[str, Any]:
        """The draft that Unimicro makes of an invoice."""
        invoice = await super()._read(route, {"expand": "Items,Items.Dimensions"})
        draft = {**_negate(invoice), "InvoiceType": CREDIT_NOTE_TYPE, "InvoiceReferenceID": invoice["ID"]}
        draft |= {"StatusCode": INVOICE_DRAFT, "InvoiceNumber": None, "ExternalReference": None}
        if isinstance(invoice.get("Items"), list):
            kept = [item for item in invoice["Items"] if not item.get("Deleted")]
            draft["Items"] = [{**_negate(item), "ID": self._name(f"line {n}")} for n, item in enumerate(kept, start=1)]
        return self._keep("invoices", draft, "id")

    def _keep(self, route: str, row: Mapping[str, Any], name: str) -> dict[str, Any]:
        made_id = self._name(name)
        made = self._rows[f"{route}/{made_id}"] = {**row, "ID": made_id}
        return made

    def _name(self, name: str) -> int:
        made_id = _FIRST_ID - len(self._names)
        self._names[made_id] = f"{{{name}}}"
        return made_id

    def _tell(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Body | None,
        *,
        hides_guids: bool = False,
    ) -> None:
        shown = self._show(body)
        self._note(
            Exchange(
                method=method,
                path=self._show_text(path),
                query={name: self._show_text(value) for name, value in query.items()},
                request=_hide_guids(shown) if hides_guids else shown,
                status=None,
                answer=None,
                milliseconds=0,
            )
        )

    def _show(self, value: Any) -> Any:
        """The same with placeholders for the ids that do not exist yet."""
        if isinstance(value, Mapping):
            return {name: self._show(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._show(part) for part in value]
        return self._names.get(value, value) if type(value) is int else value

    def _show_text(self, text: str) -> str:
        for made_id, name in self._names.items():
            text = text.replace(str(made_id), name)
        return text


def _negate(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: -value if _is_sum(name, value) else value for name, value in row.items()}


def _is_sum(name: str, value: Any) -> bool:
    return name.startswith(_NEGATED) and isinstance(value, int | Decimal) and not isinstance(value, bool)


def _hide_guids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "{guid}" if name == "_createguid" else _hide_guids(part) for name, part in value.items()}
    return [_hide_guids(part) for part in value] if isinstance(value, list) else value
