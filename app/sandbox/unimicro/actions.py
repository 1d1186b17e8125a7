"""Actions on the API's routes: what `?action=…` does, one function each.

Source: docs/facts/unimicro.md §3 and §4.1; actions that are not here are answered 404 (§2: as a wrong route).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.sandbox.unimicro.answers import Record, not_found, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.invoices import create_credit_draft, issue_invoice
from app.sandbox.unimicro.orders import register_order
from app.sandbox.unimicro.rates import to_rate_answer
from app.sandbox.unimicro.save import find_series, next_part_name
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.switches import DeletedCustomer
from app.sandbox.unimicro.vat import list_valid, move_before_reading

NO_CONTENT = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """What an action is called with; `record_id` is 0 when the path has none."""

    books: Books
    record_id: int
    query: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body of a success."""

    status: int = 200
    body: Any = None


Action = Callable[[ActionCall], Answer]


def load(books: Books, entity: str, record_id: int) -> Record:
    """The record.

    Raises:
        AnswerError: 404.
    """
    record = books.find(entity, record_id)
    if record is None and entity == "Customer" and books.switches.deleted_customer is DeletedCustomer.SHOWN:
        record = books.tables[entity].get(record_id)
    if record is None:
        raise not_found()
    return record


def _invoice(call: ActionCall) -> Answer:
    load(call.books, "CustomerInvoice", call.record_id)
    issue_invoice(call.books, call.record_id)
    return Answer(status=NO_CONTENT)


def _credit(call: ActionCall) -> Answer:
    """The new draft's head; whether the lines come with it is unknown, so they do not."""
    load(call.books, "CustomerInvoice", call.record_id)
    draft_id = create_credit_draft(call.books, call.record_id)
    return Answer(body=load(call.books, "CustomerInvoice", draft_id))


def _register(call: ActionCall) -> Answer:
    load(call.books, "CustomerOrder", call.record_id)
    register_order(call.books, call.record_id)
    return Answer(status=NO_CONTENT)


def _current_session(call: ActionCall) -> Answer:
    user = call.books.rows("User")[0]
    extra = {"License": {"Company": {"Name": call.books.settings["CompanyName"]}}, "Permissions": ["Administrator"]}
    return Answer(body=user | extra)


def _valid_vat_types(call: ActionCall) -> Answer:
    move_before_reading(call.books)
    return Answer(body=list_valid(call.books))


def _payment_terms(call: ActionCall) -> Answer:
    return Answer(body=[row for row in call.books.rows("Terms") if row["TermsType"] == 1])


def _new_part_name(call: ActionCall) -> Answer:
    return Answer(body=next_part_name(call.books))


def _active_series(call: ActionCall) -> Answer:
    wanted = call.query.get("entityType")
    rows = [row for row in call.books.rows("NumberSeries") if row["Name"] == wanted and not row["Disabled"]]
    return Answer(body=rows)


def _exchange_rate(call: ActionCall) -> Answer:
    source, target = (_load_code(call, name) for name in ("fromCurrencyCodeID", "toCurrencyCodeID"))
    text = call.query.get("currencyDate")
    day = date.fromisoformat(text[:10]) if text else call.books.today()
    return Answer(body=to_rate_answer(call.books, source, target, day))


def _load_code(call: ActionCall, name: str) -> Record:
    text = call.query.get(name, "")
    return load(call.books, "CurrencyCode", int(text) if text.isdigit() else 0)


def _reset_series(call: ActionCall) -> Answer:
    """The next number set back to the highest used number plus one (assumed)."""
    text = call.query.get("numberSeriesID", "")
    series = load(call.books, "NumberSeries", int(text) if text.isdigit() else 0)
    used = [int(row["InvoiceNumber"]) for row in call.books.rows("CustomerInvoice") if row["InvoiceNumber"]]
    if series["ID"] == find_series(call.books, "CustomerInvoice")["ID"]:
        call.books.update("NumberSeries", series["ID"], {"NextNumber": max([series["FromNumber"] - 1, *used]) + 1})
    return Answer(body=load(call.books, "NumberSeries", series["ID"]))


def _activate_ten_decimals(call: ActionCall) -> Answer:
    """Whether it can be undone is unknown; here it cannot."""
    load(call.books, "CompanySettings", call.record_id)
    call.books.switches = replace(call.books.switches, ten_decimals=True)
    return Answer(body=call.books.settings)


def _to_customer_status(status: int) -> Action:
    def change(call: ActionCall) -> Answer:
        text = call.query.get("id", "")
        customer = load(call.books, "Customer", int(text) if text.isdigit() else call.record_id)
        return Answer(body=call.books.update("Customer", customer["ID"], {"StatusCode": status}))

    return change


def _to_project_status(status: int) -> Action:
    def change(call: ActionCall) -> Answer:
        project = load(call.books, "Project", call.record_id)
        if project["StatusCode"] == status:
            raise refused("The transition is not legal.", entity="Project", field="StatusCode", entity_id=project["ID"])
        call.books.update("Project", project["ID"], {"StatusCode": status})
        return Answer(status=NO_CONTENT)

    return change


# Source: §3.1 (customer states: active 30001, inactive 50001; that "blocked" is 60001 is assumed), §3.6 (projects),
# §3.7 (reference data), §4.1 (invoices).
_ACTIONS: dict[tuple[str, str, str], Action] = {
    ("POST", "invoices", "invoice"): _invoice,
    ("PUT", "invoices", "create-credit-draft-invoice"): _credit,
    ("POST", "orders", "register"): _register,
    ("GET", "users", "current-session"): _current_session,
    ("PUT", "companysettings", "activate-10decimalsOnInvoiceCalculation"): _activate_ten_decimals,
    ("GET", "vattypes", "valid"): _valid_vat_types,
    ("GET", "terms", "get-payment-terms"): _payment_terms,
    ("GET", "products", "getnewpartname"): _new_part_name,
    ("GET", "number-series", "get-active-numberseries"): _active_series,
    ("PUT", "number-series", "reset-numberseries-next-number"): _reset_series,
    ("GET", "currencies", "get-currency-exchange-rate"): _exchange_rate,
    ("PUT", "customers", "activate"): _to_customer_status(30001),
    ("PUT", "customers", "deactivate"): _to_customer_status(50001),
    ("PUT", "customers", "block"): _to_customer_status(60001),
    ("POST", "projects", "InitiateProject"): _to_project_status(42201),
    ("POST", "projects", "StartProject"): _to_project_status(42203),
    ("POST", "projects", "CompleteProject"): _to_project_status(42204),
    ("POST", "projects", "DiscardProject"): _to_project_status(42205),
}
KNOWN_ROUTES = {entity.route for entity in ENTITIES.values()} | {"currencies"}


def run_action(method: str, route: str, call: ActionCall) -> Answer:
    """What the action answers.

    Raises:
        AnswerError: 404 for an unknown action, or the action's own refusal.
    """
    action = _ACTIONS.get((method, route, call.query["action"]))
    if action is None:
        raise not_found()
    return action(call)
