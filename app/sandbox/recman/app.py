"""The sandbox RecMan: a real HTTP app that reads like RecMan's API and can send its webhooks.

Demo (over loopback) and tests (over ASGI) use this one. It shares no code with our own reader.
Source: docs/facts/recman.md §2; nothing was checked against a live account.
"""

from collections.abc import Mapping

import simplejson
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response

from app.sandbox.recman import control as recman_control
from app.sandbox.recman.answers import (
    BROKEN,
    INVALID_KEY,
    OVER_QUOTA,
    Problem,
    answer_v1,
    answer_v2,
    refuse_v1,
    refuse_v2,
)
from app.sandbox.recman.store import FaultKind, RecmanOptions, RecmanStore, StoreDep

router = APIRouter(tags=["recman"])


def create_app(options: RecmanOptions | None = None) -> FastAPI:
    """A made-up RecMan account with the sample data; its memory is `app.state.store`."""
    app = FastAPI(title="Sandbox RecMan")
    app.state.store = RecmanStore(options or RecmanOptions())
    app.include_router(router)
    app.include_router(recman_control.router)
    return app


@router.get("/v2/get/")
@router.get("/v2/get/index.php")
async def read_v2(request: Request, store: StoreDep) -> Response:
    """Version 2 reader: companies, projects, invoices, corporations, jobs and logs."""
    params = dict(request.query_params)
    problem = await _check_call(store, "/v2/get/", params)
    if problem:
        return _to_response(refuse_v2([problem]))
    odd = store.find_odd_answer(params)
    return _to_response(odd.body, odd.status) if odd else _to_response(answer_v2(store, params))


@router.get("/v1.php")
async def read_v1(request: Request, store: StoreDep) -> Response:
    """Old reader: departments and users."""
    params = dict(request.query_params)
    problem = await _check_call(store, "/v1.php", params)
    return _to_response(refuse_v1(problem) if problem else answer_v1(store, params))


@router.post("/v2/post/")
async def write_v2(store: StoreDep) -> Response:
    """Writing: refused, for our service never writes into RecMan."""
    store.record_call("/v2/post/", {})
    return _to_response({"success": False, "errors": ["Writing is not offered by the sandbox"]})


async def _check_call(store: RecmanStore, path: str, params: Mapping[str, str]) -> Problem | None:
    store.record_call(path, params)
    fault = store.take_fault()
    if fault and fault.kind is FaultKind.UNAVAILABLE:
        raise HTTPException(503, "Service Unavailable")
    if fault and fault.kind is FaultKind.HANG:
        await store.options.sleep(fault.seconds)
    if fault and fault.kind is FaultKind.HTTP200_FAILURE:
        return BROKEN
    key = params.get("key", "")
    if key not in store.options.keys:
        return INVALID_KEY
    return None if store.take_quota(key) else OVER_QUOTA


def _to_response(answer: object, status: int = 200) -> Response:
    # Escaped letters (\u00e6), as PHP writes them. Source: assumed.
    text = simplejson.dumps(answer, use_decimal=True, ensure_ascii=True)
    return Response(text, status_code=status, media_type="application/json")
