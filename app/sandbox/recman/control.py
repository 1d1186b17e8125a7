"""The levers of the sandbox RecMan, which the real one does not have: look, change, break, reset, send webhooks."""

from dataclasses import replace
from typing import Literal

import simplejson
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from app.sandbox.recman.hooks import Delivery, arrange_deliveries, deliver, disturb, is_loopback
from app.sandbox.recman.store import ID_FIELDS, Fault, FaultKind, OddAnswer, StoreDep
from app.sandbox.samples import Record

router = APIRouter(prefix="/sandbox/recman", tags=["sandbox"])


class FaultOrder(BaseModel):
    """Trouble for the next calls to the readers."""

    model_config = ConfigDict(extra="forbid")

    fault: FaultKind
    times: int = Field(default=1, ge=0)
    seconds: float = Field(default=30, ge=0)


class AnswerOrder(BaseModel):
    """Words to answer instead of records, to calls about these scopes and with this parameter; left out: to any."""

    model_config = ConfigDict(extra="forbid")

    body: Record
    status: int = Field(default=200, ge=200, le=599)
    scopes: frozenset[str] = frozenset()
    parameter: str = ""


class SendOrder(BaseModel):
    """Webhooks to send; no `deliveries` means all of the samples.

    `scope_style` never leaves the scope out of every address, so that the body alone must say it. `trouble_every`: each
    n-th is lost, doubled or (`part` late) sent with a later order.
    """

    model_config = ConfigDict(extra="forbid")

    url: str
    deliveries: list[Delivery] | None = None
    repeat: int = Field(default=1, ge=1, le=100)
    shuffle: int | None = None
    trouble_every: int = Field(default=0, ge=0)
    part: Literal["in_time", "late"] = "in_time"
    scope_style: Literal["as_given", "never"] = "as_given"
    headers: dict[str, str] = Field(default_factory=dict)


@router.get("/calls")
async def list_calls(store: StoreDep) -> dict[str, object]:
    """Every call by path, scope and parameters, with its count; the key is not kept."""
    calls = [
        {
            "path": path,
            "scope": dict(params).get("scope"),
            "params": {name: value for name, value in params if name != "scope"},
            "count": count,
        }
        for (path, params), count in store.calls.items()
    ]
    return {"total": store.calls.total(), "calls": calls}


@router.put("/more-fields", status_code=204)
async def have_more_fields(names: list[str], store: StoreDep) -> None:
    """Fields that the account has besides, such as a customer's `gln`; these and no others."""
    store.options = replace(store.options, more_fields=frozenset(names))


@router.post("/reset", status_code=204)
async def reset(store: StoreDep) -> None:
    """Back to the sample data, with nothing called, used up or broken."""
    store.reset()


@router.put("/records/{scope}/{record_id}", status_code=204)
async def put_record(scope: str, record_id: str, request: Request, store: StoreDep) -> None:
    """Add or replace one raw record."""
    _require_scope(scope)
    record = _parse_record(await request.body())
    own_id = record.setdefault(ID_FIELDS[scope], record_id)
    if str(own_id) != record_id:
        raise HTTPException(422, f"the record says {ID_FIELDS[scope]} {own_id}, the address says {record_id}")
    store.put_record(scope, record_id, record)


@router.delete("/records/{scope}/{record_id}", status_code=204)
async def remove_record(scope: str, record_id: str, store: StoreDep) -> None:
    """Take one record away, as when a project is archived."""
    _require_scope(scope)
    if not store.remove_record(scope, record_id):
        raise HTTPException(404, f"no {scope} {record_id}")


@router.post("/faults", status_code=204)
async def order_fault(order: FaultOrder, store: StoreDep) -> None:
    """Make the next calls fail; `times` 0 calls it off."""
    store.fault = Fault(order.fault, order.times, order.seconds)


@router.put("/answer", status_code=204)
async def order_answer(order: AnswerOrder, store: StoreDep) -> None:
    """Make version 2 answer this from now on, until a reset or another order."""
    store.odd_answer = OddAnswer(body=order.body, status=order.status, scopes=order.scopes, parameter=order.parameter)


@router.post("/send")
async def send(order: SendOrder, store: StoreDep) -> dict[str, list[int]]:
    """Send webhooks to an address on this machine; answers the status of each, 0 where no answer came."""
    if not is_loopback(order.url):
        raise HTTPException(422, "the sandbox sends webhooks to this machine only: use a loopback address")
    chosen = store.samples.webhooks if order.deliveries is None else order.deliveries
    if order.scope_style == "never":
        chosen = [delivery.model_copy(update={"path_scope": None}) for delivery in chosen]
    arranged = arrange_deliveries(chosen, repeat=order.repeat, seed=order.shuffle)
    if order.trouble_every:
        arranged = getattr(disturb(arranged, every=order.trouble_every), order.part)
    async with store.options.open_http() as http:
        return {"statuses": await deliver(http, order.url, arranged, headers=order.headers)}


def _require_scope(scope: str) -> None:
    if scope not in ID_FIELDS:
        raise HTTPException(404, f"no scope {scope}; there are {', '.join(ID_FIELDS)}")


def _parse_record(body: bytes) -> Record:
    try:
        record = simplejson.loads(body, use_decimal=True)
    except ValueError as error:
        raise HTTPException(422, "the record is not JSON") from error
    if not isinstance(record, dict):
        raise HTTPException(422, "a record is a JSON object")
    return record
