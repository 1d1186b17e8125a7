"""Faults on demand, and the record of calls, for every stand-in: one FastAPI subclass.

A fault is ordered with `POST /sandbox/faults` and taken by the calls it matches:

    {"match": {"method": "POST", "path": "/api/biz/invoices", "query": "action=invoice"},
     "fault": "lose_answer", "times": 1, "after": 0, "seconds": 0, "status": 500, "stored": true}

* `path` is a prefix that ends at a slash; `query` is a part of the query string, "" means "no query at all";
  what is left out matches everything.
* `times` calls are hit (default 1), the first `after` matching calls are let through.
* lose_answer: the call is carried out, then the connection is cut without an answer. hang: the same, after `seconds`
  (or when the client leaves). With `"stored": false` the call is not carried out.
* error_before / error_after: `status` (500) without / after carrying out, with Unimicro's JSON, or with `body` as
  `content_type` (a proxy's page). throttle: 429 with Retry-After `seconds`. slow: answered after `seconds`.
* alter: carried out and answered, with the members `changes` of the JSON object replaced.
* Any other name is an effect which the application registers (`effects`), e.g. expire_token, read_lag.

How a connection is cut: under uvicorn the transport behind `send` is aborted, so the client sees a closed socket. Under
ASGITransport there is no socket, so the error which the client's own library (httpx, or httpx2) raises for that is
raised through it: RemoteProtocolError, and for hang ReadTimeout. Under anything else: ConnectionResetError.
"""

import asyncio
import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import simplejson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

CONTROL_PREFIX = "/sandbox"
FAULT_KEY = "sandbox.fault"
BUILT_IN = ("lose_answer", "hang", "slow", "error_before", "error_after", "throttle", "alter")
# What stands in front of an API that is being restarted. Source: nginx's own pages, shortened.
PROXY_PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr>nginx</body></html>"
MAX_CALLS = 2000

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault that waits for its calls."""

    fault: str
    method: str | None = None
    path: str = ""
    query: str | None = None
    times: int = 1
    after: int = 0
    seconds: float = 0
    status: int = 500
    stored: bool = True
    body: str | None = None
    content_type: str = "text/html"
    changes: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def matches(self, method: str, path: str, query: str) -> bool:
        """Whether the call is one of those meant."""
        prefix = self.path.rstrip("/")
        return (
            self.method in (None, method)
            and (not prefix or path == prefix or path.startswith(f"{prefix}/"))
            and (self.query is None or (self.query in query if self.query else not query))
        )


def parse_fault(body: dict[str, Any]) -> Fault:
    """The fault a control call describes.

    Raises:
        TypeError: it has a member that is not known, or a body that is no text as it goes over the wire.
    """
    if not isinstance(body.get("body"), str | None):
        raise TypeError("body is the text that is answered, as it goes over the wire")
    rest = {name: value for name, value in body.items() if name != "match"}
    return Fault(**(body.get("match") or {}), **rest)


@dataclass(slots=True)
class FaultBook:
    """The faults that wait, oldest first."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """The first fault that hits this call, counted down; None when there is none."""
        for fault in self.waiting:
            if fault.matches(method, path, query):
                return self._count(fault)
        return None

    def _count(self, fault: Fault) -> Fault | None:
        if fault.after > 0:
            fault.after -= 1
            return None
        fault.hits += 1
        if fault.hits >= fault.times:
            self.waiting.remove(fault)
        return fault


@dataclass(slots=True, kw_only=True)
class Call:
    """One call; `status` is None when no answer was given."""

    method: str
    path: str
    query: str
    status: int | None = None
    fault: str | None = None

    def to_key(self) -> str:
        """The call without its ids: method, route and action, to be counted."""
        route = "/".join("{id}" if part.isdigit() else part for part in self.path.split("/"))
        action = next((part for part in self.query.split("&") if part.startswith("action=")), "")
        return f"{self.method} {route}" + (f"?{action}" if action else "")


@dataclass(slots=True)
class CallLog:
    """The last calls, and how many of each kind there were."""

    last: deque[Call] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))
    counts: Counter[str] = field(default_factory=Counter)

    def record(self, call: Call) -> None:
        """Remember a call at its beginning; its status follows."""
        self.last.append(call)
        self.counts[call.to_key()] += 1

    def clear(self) -> None:
        """Forget all calls."""
        self.last.clear()
        self.counts.clear()


class SandboxApp(FastAPI):
    """A FastAPI application whose calls are recorded and can be made to fail.

    `effects` are the application's own faults: called with the fault before the call is carried out; the fault is then
    also found in `request.scope[FAULT_KEY]`.
    """

    def __init__(self, *, sleep: Sleep = asyncio.sleep, **settings: Any) -> None:
        super().__init__(**settings)
        self.effects: dict[str, Callable[[Fault], None]] = {}
        self.begin(sleep=sleep)
        self.include_router(_to_routes(self))

    def begin(self, *, sleep: Sleep) -> None:
        """As new: no call was made and no fault waits."""
        self.faults = FaultBook()
        self.calls = CallLog()
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, or fail as ordered."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await super().__call__(scope, receive, send)
            return
        call = Call(method=scope["method"], path=scope["path"], query=scope["query_string"].decode())
        fault = self.faults.take(call.method, call.path, call.query)
        call.fault = fault.fault if fault else None
        self.calls.record(call)
        if fault and fault.fault in ("lose_answer", "hang"):
            await self._cut(fault, scope, receive, send)
        else:
            await self._answer(fault, scope, receive, _watch(call, send))

    async def _answer(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        kind = fault.fault if fault else None
        if fault and kind == "throttle":
            headers = {"Retry-After": f"{fault.seconds:.0f}"}
            await JSONResponse("Too many requests", 429, headers)(scope, receive, send)
        elif fault and kind in ("error_before", "error_after"):
            if kind == "error_after":
                await super().__call__(scope, receive, _swallow)
            await _to_error(fault)(scope, receive, send)
        elif fault and kind == "alter":
            await super().__call__(scope, receive, _alter(fault, send))
        else:
            if fault:
                await self._apply(fault, scope)
            await super().__call__(scope, receive, send)

    async def _apply(self, fault: Fault, scope: Scope) -> None:
        scope[FAULT_KEY] = fault
        if fault.fault == "slow":
            await self._sleep(fault.seconds)
        else:
            self.effects[fault.fault](fault)

    async def _cut(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.stored:
            await super().__call__(scope, receive, _swallow)
        if fault.fault == "hang":
            await self._hold(fault.seconds, receive)
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise _to_client_error(send, "ReadTimeout" if fault.fault == "hang" else "RemoteProtocolError")
        transport.abort()
        # The server answers 500 for an application that says nothing, unless it has seen the connection end.
        await _wait_for_end(receive)

    async def _hold(self, seconds: float, receive: Receive) -> None:
        waits = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(_wait_for_end(receive))}
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _swallow(message: Message) -> None:
    """Take an answer that nobody is to see."""


def _watch(call: Call, send: Send) -> Send:
    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        await send(message)

    return watched


def _to_error(fault: Fault) -> Response:
    if fault.body is None:
        return JSONResponse({"Message": "An error has occurred."}, fault.status)
    return Response(fault.body, fault.status, media_type=fault.content_type)


def _alter(fault: Fault, send: Send) -> Send:
    """Sends what was said with the fault's changes; needs a JSON object in one piece, as the stand-ins send it."""
    starts: list[Message] = []

    async def altered(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)
            return
        (start,) = starts
        told = simplejson.loads(message["body"], use_decimal=True) | fault.changes
        answer = simplejson.dumps(told, use_decimal=True, ensure_ascii=False).encode()
        others = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        await send({**start, "headers": [*others, (b"content-length", str(len(answer)).encode())]})
        await send({**message, "body": answer})

    return altered


def _to_client_error(send: Send, name: str) -> Exception:
    """The error of the library whose in-process transport has called us."""
    library = sys.modules.get(str(getattr(send, "__module__", "")).partition(".")[0])
    error = getattr(library, name, None)
    text = "The stand-in cut the connection without an answer."
    return error(text) if isinstance(error, type) and issubclass(error, Exception) else ConnectionResetError(text)


def _to_routes(app: SandboxApp) -> APIRouter:
    router = APIRouter(prefix=CONTROL_PREFIX, tags=["sandbox"])

    @router.post("/faults", status_code=201)
    async def add_fault(request: Request) -> Response:
        try:
            fault = parse_fault(simplejson.loads(await request.body()))
        except (TypeError, ValueError) as error:
            return JSONResponse({"detail": str(error)}, 422)
        known = (*BUILT_IN, *app.effects)
        if fault.fault not in known:
            return JSONResponse({"detail": f"fault must be one of {', '.join(known)}"}, 422)
        app.faults.waiting.append(fault)
        return JSONResponse(asdict(fault), 201)

    @router.get("/faults")
    async def list_faults() -> Response:
        return JSONResponse([asdict(fault) for fault in app.faults.waiting])

    @router.delete("/faults")
    async def clear_faults() -> Response:
        app.faults.waiting.clear()
        return Response(status_code=204)

    @router.get("/calls")
    async def list_calls() -> Response:
        counts = dict(sorted(app.calls.counts.items()))
        return JSONResponse({"calls": [asdict(call) for call in app.calls.last], "counts": counts})

    return router
