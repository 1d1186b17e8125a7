"""What the sandbox RecMan answers to a read: rows, pages, envelopes and refusals, all without I/O.

Source: docs/facts/recman.md §2 for the shapes; error numbers other than 2 and the daily-limit text are assumed.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.sandbox.recman.store import ID_FIELDS, RecmanOptions, RecmanStore
from app.sandbox.samples import Record


@dataclass(frozen=True, slots=True)
class Problem:
    """Why RecMan refuses: its number and its words."""

    code: int
    message: str


INVALID_KEY = Problem(2, "Invalid key")
INVALID_SCOPE = Problem(3, "Invalid scope")
OVER_QUOTA = Problem(5, "Daily request limit exceeded")
BROKEN = Problem(6, "Internal error")

LOG_WITHOUT_SEGMENT = Problem(7, "Missing parameter")

# Field names of projects, jobs and logs are RecMan's own reference, those of a corporation were seen; companies and
# invoices are assumed. Source: docs/facts/recman.md §3.1-§3.6.
V2_FIELDS = {
    "company": "companyId,companyNumber,name,type,vatNumber,email,invoiceEmail,phone,creditTime,invoiceAddress,"
    "deliveryAddress,visitAddress,postAddress,created,updated",
    "project": "projectId,number,name,companyId,departmentId,responsibleUserId,type,status,completePercent,"
    "invoiceNotes,startDate,endDate,created,updated,directions,invoiceRefUserId,workUnitPeriodType,holidayRate,"
    "invoiceRefCompanyContactId,defaultInvoice,defaultSalary,members,invoiceFactor,costCentreId,occupationCode,"
    "value,attributes,file",
    "invoice": "invoiceId,invoiceNumber,type,creditedInvoiceId,invoiceDate,dueDate,deliveryDate,currency,companyId,"
    "departmentId,projectId,ourReference,yourReference,requisition,kid,notes,totalExVat,vat,totalIncVat,created,lines",
    "corporation": "corporationId,name",
    "job": "jobId,projectId,candidateId,responsibleUserId,employmentId,name,startDate,endDate,salary,salaryType,"
    "holidayRate,invoice,separateInvoice,description,collectiveAgreementId",
    "log": "logId,candidateId,companyId,companyContactId,projectId,userId,created,text,type",
}
V1_SCOPES = frozenset({"department", "user"})
IDS_PARAMETERS = {"company": "companyIds", "project": "projectIds", "invoice": "invoiceIds"}
LOG_SEGMENTS = ("companyId", "companyContactId", "candidateId", "projectId", "userId")
EQUAL_PARAMETERS = {"project": ("companyId", "departmentId", "responsibleUserId"), "log": LOG_SEGMENTS}
SMALLEST_PARAMETERS = {"project": "minProjectId", "log": "minLogId"}
SIGNED_HEAD = ("totalExVat", "vat", "totalIncVat")
SIGNED_LINE = ("quantity", "total")


def answer_v2(store: RecmanStore, params: Mapping[str, str]) -> Record:
    """The whole v2 answer to a read that was let in."""
    scope = params.get("scope", "")
    if scope not in V2_FIELDS or scope in store.options.refused_scopes:
        return refuse_v2([INVALID_SCOPE])
    if scope == "log" and store.options.log_needs_segment and not set(LOG_SEGMENTS) & params.keys():
        return refuse_v2([LOG_WITHOUT_SEGMENT])
    refused = _refused_parameter(scope, params, store.options)
    if refused:
        return {"success": False, "errors": [f"invalid parameter: {refused}"]}
    fields = split_list(params.get("fields", ""))
    known = [*split_list(V2_FIELDS[scope]), *store.options.more_fields]
    unknown = [Problem(4, f"Invalid field: {name}") for name in fields if name not in known]
    if unknown:
        return refuse_v2(unknown)
    rows = _page(_in_order(_filtered(store, scope, params), store), params.get("page", ""), store.options)
    return _envelope([_shown(row, scope, fields, store.options) for row in rows], scope, store.options)


def answer_v1(store: RecmanStore, params: Mapping[str, str]) -> Any:
    """The whole v1 answer: a bare map keyed by id, an empty list when there is nothing, or a top-level error.

    Names in `fields` that a row does not have are left out silently. Source: assumed.
    """
    scope = params.get("scope", "")
    if scope not in V1_SCOPES:
        return refuse_v1(INVALID_SCOPE)
    wanted = {ID_FIELDS[scope], *split_list(params.get("fields", ""))}
    everything = len(wanted) == 1
    rows = store.records[scope].items()
    return {key: {k: v for k, v in row.items() if everything or k in wanted} for key, row in rows} or []


def refuse_v2(problems: Sequence[Problem]) -> Record:
    """A failure of the v2 reader; it travels with HTTP 200."""
    return {"success": False, "error": [{"code": item.code, "message": item.message} for item in problems]}


def refuse_v1(problem: Problem) -> Record:
    """A failure of the v1 reader; it travels with HTTP 200."""
    return {"error": {"code": problem.code, "message": problem.message}}


def split_list(text: str) -> list[str]:
    """The parts of a comma list; blanks around them do not count, nor do empty parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _refused_parameter(scope: str, params: Mapping[str, str], options: RecmanOptions) -> str:
    if "fields" in params and scope in options.scopes_without_fields:
        return "fields"
    if scope == "invoice" and "invoiceIds" in params and options.invoice_ids_filter == "refuse":
        return "invoiceIds"
    return ""


def _filtered(store: RecmanStore, scope: str, params: Mapping[str, str]) -> list[Record]:
    tests = [_by_ids(scope, params, store.options), _by_equality(scope, params), _by_smallest_id(scope, params)]
    return [row for row in store.records[scope].values() if all(test(row) for test in tests)]


def _by_ids(scope: str, params: Mapping[str, str], options: RecmanOptions) -> Callable[[Record], bool]:
    name = IDS_PARAMETERS.get(scope, "")
    if name not in params or (scope == "invoice" and options.invoice_ids_filter == "ignore"):
        return lambda _row: True
    wanted = set(split_list(params[name]))
    return lambda row: str(row[ID_FIELDS[scope]]) in wanted


def _by_equality(scope: str, params: Mapping[str, str]) -> Callable[[Record], bool]:
    wanted = {name: params[name] for name in EQUAL_PARAMETERS.get(scope, ()) if name in params}
    return lambda row: all(str(row.get(name)) == value for name, value in wanted.items())


def _by_smallest_id(scope: str, params: Mapping[str, str]) -> Callable[[Record], bool]:
    smallest = params.get(SMALLEST_PARAMETERS.get(scope, ""), "")
    if not smallest.isdecimal():
        return lambda _row: True
    return lambda row: int(row[ID_FIELDS[scope]]) >= int(smallest)


def _in_order(rows: list[Record], store: RecmanStore) -> list[Record]:
    """As stored, or another order at each call: records hop between pages while somebody reads them."""
    return random.Random(store.calls.total()).sample(rows, len(rows)) if store.options.unstable_pages else rows  # noqa: S311 - to be replayed


def _page(rows: list[Record], page: str, options: RecmanOptions) -> list[Record]:
    number, size = int(page) if page.isdecimal() and int(page) > 0 else 1, options.page_size
    if options.after_last_page == "first" and rows:
        number = (number - 1) % -(-len(rows) // size) + 1
    return rows[(number - 1) * size : number * size]


def _shown(row: Record, scope: str, fields: list[str], options: RecmanOptions) -> Record:
    if scope == "invoice" and options.credit_sign == "negative" and row.get("type") == "creditNote":
        row = _as_negative(row)
    wanted = {ID_FIELDS[scope], *fields}
    return {name: value for name, value in row.items() if not fields or name in wanted}


def _as_negative(invoice: Record) -> Record:
    lines = invoice.get("lines") or []
    turned = (
        {key: _negated(line, SIGNED_LINE) for key, line in lines.items()}
        if isinstance(lines, dict)
        else [_negated(line, SIGNED_LINE) for line in lines]
    )
    return {**_negated(invoice, SIGNED_HEAD), "lines": turned}


def _negated(record: Record, names: Sequence[str]) -> Record:
    return {name: _minus(value) if name in names else value for name, value in record.items()}


def _minus(value: Any) -> Any:
    is_number = not isinstance(value, bool) and str(value).replace(".", "", 1).isdecimal()
    if not is_number or not Decimal(value):
        return value
    return f"-{value}" if isinstance(value, str) else -value


def _envelope(rows: list[Record], scope: str, options: RecmanOptions) -> Record:
    as_list = options.data_shape == "list" or not rows
    return {
        "success": True,
        "numRows": len(rows),
        "data": rows if as_list else {str(row[ID_FIELDS[scope]]): row for row in rows},
    }
