"""Actions on the API's routes: what `?action=…` does, one function each.

Source: docs/facts/unimicro.md §3 and §4.1; actions that are not here are answered 404 (§2: as a wrong route).
"""

from dataclasses import replace
from datetime import date

from app.sandbox.unimicro.answers import Record, not_found, refused
from app.sandbox.unimicro.calls import NO_CONTENT, Action, ActionCall, Answer, load, to_id
from app.sandbox.unimicro.invoices import create_credit_draft, issue_invoice
from app.sandbox.unimicro.orders import register_order
from app.sandbox.unimicro.preset import act_on_preset
from app.sandbox.unimicro.rates import to_rate_answer
from app.sandbox.unimicro.sale_actions import SALE_ACTIONS
from app.sandbox.unimicro.save import next_part_name
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.series import INVOICE, list_active, reset_next
from app.sandbox.unimicro.series_numbers import to_register
from app.sandbox.unimicro.vat import list_valid, move_before_reading
from app.sandbox.unimicro.voucher_actions import VOUCHER_ACTIONS


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
    return Answer(body=list_active(call.books, call.query.get("entityType", ""), call.query.get("year", "")))


def _exchange_rate(call: ActionCall) -> Answer:
    source, target = (_load_code(call, name) for name in ("fromCurrencyCodeID", "toCurrencyCodeID"))
    text = call.query.get("currencyDate")
    day = date.fromisoformat(text[:10]) if text else call.books.today()
    return Answer(body=to_rate_answer(call.books, source, target, day))


def _load_code(call: ActionCall, name: str) -> Record:
    return load(call.books, "CurrencyCode", to_id(call.query, name))


def _reset_series(call: ActionCall) -> Answer:
    """The series, with the next number where its switch says; of other registers than invoices as it was."""
    series = load(call.books, "NumberSeries", to_id(call.query, "numberSeriesID"))
    if to_register(call.books, series) == INVOICE:
        reset_next(call.books, series)
    return Answer(body=load(call.books, "NumberSeries", series["ID"]))


def _preset_number(call: ActionCall) -> Answer:
    """The setting turned; that the action does this is assumed (§4.3 C)."""
    return Answer(body=act_on_preset(call.books))


def _activate_ten_decimals(call: ActionCall) -> Answer:
    """Whether it can be undone is unknown; here it cannot."""
    load(call.books, "CompanySettings", call.record_id)
    call.books.switches = replace(call.books.switches, ten_decimals=True)
    return Answer(body=call.books.settings)


def _to_customer_status(status: int) -> Action:
    def change(call: ActionCall) -> Answer:
        customer = load(call.books, "Customer", to_id(call.query, "id") or call.record_id)
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
_ACTIONS: dict[tuple[str, str, str], Action] = (
    VOUCHER_ACTIONS
    | SALE_ACTIONS
    | {
        ("POST", "invoices", "invoice"): _invoice,
        ("PUT", "invoices", "create-credit-draft-invoice"): _credit,
        ("POST", "orders", "register"): _register,
        ("GET", "users", "current-session"): _current_session,
        ("PUT", "companysettings", "preset-customerInvoiceNumber"): _preset_number,
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
)
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
