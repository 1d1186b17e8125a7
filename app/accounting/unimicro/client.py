"""Unimicro's REST API over HTTP: paging, patience; what an answer means is decided by `answers`. Knows no entity.

Reads may repeat; writes never do, except after a 401, which was surely not carried out.
Source: docs/facts/unimicro.md §2 and §5 [O].
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from app.accounting.unimicro.answers import decode, is_record, judge, no_record, to_rows
from app.accounting.unimicro.complaints import strip_traces
from app.accounting.unimicro.unauthorized import UNAUTHORIZED, RefusedCall, Witness
from app.domain.money import dump_json
from app.errors import OutcomeUnknownError, RemoteMissingError, RemoteUnavailableError, System
from app.platform.figures import name_step, timed
from app.platform.http import httpx

_PAGE = 500
# A first page shorter than this is surely no server's cap: it is the whole list. Source: assumed (§2: the default
# page is unknown, 50 and 1000 were seen in use).
_LEAST_CAP = 50
# The one route beside the business entities. Source: docs/facts/unimicro.md §2 [O].
_STATISTICS = "statistics"
_READ_TRIES = 3
_READ_PAUSE_SECONDS = 0.2
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Sleep = Callable[[float], Awaitable[None]]
Body = Mapping[str, Any] | list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call and its answer, as the attempt keeps it; no headers, so no tokens. `status` None: no answer."""

    method: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int | None
    answer: Any
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Where the calls go: API base, company, and who pays them in.

    `token(refused)` gives an access token, another one than the `refused` one that was not taken. `slot()` is held for
    as long as a call is under way.
    """

    base_url: str
    company_key: str
    token: Callable[[str | None], Awaitable[str]]
    slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext


class UnimicroClient:
    """Calls on behalf of one company; every exchange is passed to `on_exchange`.

    `written` counts the calls that may have changed something.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        company: Company,
        *,
        on_exchange: Callable[[Exchange], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._company = company
        self._on_exchange = on_exchange
        self._sleep = sleep
        self.written = 0

    # https://developer.unimicro.no/guide/api/filtering
    async def fetch_list(self, route: str, **query: str) -> list[dict[str, Any]]:
        """Every row once, in the order of ids; the caller re-checks each, for filters may be ignored.

        A short page is not the last one where the server caps pages lower than we ask, and a server that ignores `skip`
        sends the same page for ever: so it ends at a page that brings nothing new.

        Raises:
            RemoteError: see `_read`; RemoteUnavailableError also when the answer is no list of records.
        """
        rows: dict[int, dict[str, Any]] = {}
        received = 0
        while True:
            paging = {"orderby": "ID", "top": str(_PAGE), "skip": str(received)}
            page = to_rows(await self._read_list(route, {**query, **paging}), route)
            known = len(rows)
            received += len(page)
            for row in page:
                rows.setdefault(row["ID"], row)
            if len(rows) == known or received < _LEAST_CAP:
                return list(rows.values())

    async def _read_list(self, route: str, query: Mapping[str, str]) -> Any:
        """A list that is not there is no empty list: the route of a service that restarts looks like that, too."""
        try:
            return await self._read(route, query)
        except RemoteMissingError as error:
            raise RemoteUnavailableError(
                f"Unimicro has no list of {route} right now: {error.cause}", system=System.UNIMICRO
            ) from None

    async def fetch_page(self, route: str, **query: str) -> list[dict[str, Any]]:
        """One page as the query wants it, where nobody may ask for everything; the caller re-checks each row.

        Raises:
            RemoteError: see `_read`; RemoteUnavailableError also when the answer is no list of records.
        """
        return to_rows(await self._read_list(route, query), route)

    async def fetch_first(self, route: str) -> Any:
        """The first row, as it comes."""
        return await self._read(route, {"top": "1"})

    # https://developer.unimicro.no/guide/api/filtering
    async def fetch_one(self, route: str, **query: str) -> dict[str, Any]:
        """One record by its id in the route.

        Raises:
            RemoteMissingError: Unimicro says that it is not there.
            RemoteUnavailableError: the answer is no record, or somebody else's 404.
        """
        answer = await self._read(route, query)
        if not is_record(answer):
            raise no_record(route)
        return dict(answer)

    async def ask(self, route: str, action: str, **query: str) -> dict[str, Any]:
        """What an action that only reads answers.

        Raises:
            RemoteUnavailableError: the answer is no object.
        """
        answer = await self._read(route, {"action": action, **query})
        if not isinstance(answer, dict):
            raise no_record(f"{route}?action={action}")
        return answer

    # https://developer.unimicro.no/guide/endpoints/invoices
    async def create(self, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The created record.

        Raises:
            ValueError: an invoice without StatusCode, which Unimicro would book at once.
            OutcomeUnknownError: it may have been stored, or was but we do not learn its id.
            AlreadyStoredError: it was, earlier.
        """
        if route == "invoices" and not body.get("StatusCode"):
            raise ValueError("an invoice without StatusCode would be booked at once")
        try:
            made = await self._write("POST", route, body=body)
        except RemoteMissingError as error:
            # The route of a service that restarts: no record was named that could be missing.
            raise OutcomeUnknownError(
                f"Unimicro has no {route} right now: {error.cause}", system=System.UNIMICRO
            ) from error
        if not is_record(made):
            raise OutcomeUnknownError(
                f"Unimicro took a record for {route} but did not say which id it has", system=System.UNIMICRO
            )
        return dict(made)

    # https://developer.unimicro.no/guide/endpoints/journal-entries
    async def book(self, entry: Mapping[str, Any], action: str) -> dict[str, Any]:
        """The one journal entry, booked by this action.

        Raises:
            OutcomeUnknownError: it may have been booked, or was but we do not learn its id.
            AlreadyStoredError: it was, earlier.
        """
        try:
            answer = await self._write("POST", "journalentries", query={"action": action}, body=[entry])
        except RemoteMissingError as error:
            cause = f"Unimicro books no vouchers right now: {error.cause}"
            raise OutcomeUnknownError(cause, system=System.UNIMICRO) from error
        if not isinstance(answer, list) or len(answer) != 1 or not is_record(answer[0]):
            raise OutcomeUnknownError("Unimicro took a voucher but did not say which id it has", system=System.UNIMICRO)
        return dict(answer[0])

    # https://developer.unimicro.no/guide/api/statistics
    async def fetch_statistics(self, model: str, **query: str) -> list[dict[str, Any]]:
        """Rows of a statistics query, each with an `ID` that the query names; not paged.

        Raises:
            RemoteError: see `_read`; RemoteUnavailableError also when the answer is no list of records.
        """
        # Otherwise failures are answered 200, and equal rows once. Source: docs/facts/unimicro.md §2 [O].
        asked = {"model": model, **query, "wrap": "false", "distinct": "false"}
        return to_rows(await self._read_list(_STATISTICS, asked), _STATISTICS)

    async def update(self, route: str, body: Mapping[str, Any]) -> Any:
        """Change a record, children left out of `body` stay as they are; what Unimicro answers to it."""
        return await self._write("PUT", route, body=body)

    async def delete(self, route: str) -> None:
        """Delete a record.

        Raises:
            RemoteMissingError: Unimicro says that it is not there; whether it is gone, another look must tell.
        """
        await self._write("DELETE", route)

    async def act(self, method: str, route: str, action: str, **query: str) -> Any:
        """What an action answers; None for 204, which most do."""
        return await self._write(method, route, query={"action": action, **query})

    async def put_action(self, route: str, action: str, body: Mapping[str, Any]) -> Any:
        """What an action answers that wants the record itself in its body."""
        return await self._write("PUT", route, query={"action": action}, body=body)

    # https://developer.unimicro.no/guide/api/files
    @timed("unimicro_files", lambda *_: "POST file")
    async def upload(self, files_base: str, name: str, content: bytes) -> Any:
        """What the files service answers to a file.

        Source: docs/facts/unimicro.md §3.8: the field must be called `File`; token and company go in the form and in
        headers, for which of them counts is not certain.

        Raises:
            RemoteError: no usable answer; listing shows whether the file is there.
        """
        token = await self._token(None)
        key = self._company.company_key
        try:
            response = await self._http.post(
                f"{files_base}api/file",
                headers={"Authorization": f"Bearer {token}", "CompanyKey": key},
                data={"Token": token, "Key": key, "doocr": "false"},
                files={"File": (name, content)},
            )
        except httpx.HTTPError as error:
            raise RemoteUnavailableError(
                f"The files service gave no answer ({type(error).__name__})", system=System.UNIMICRO
            ) from None
        if not response.is_success:
            raise RemoteUnavailableError(f"The files service answers {response.status_code}", system=System.UNIMICRO)
        return await decode(response)

    async def _read(self, route: str, query: Mapping[str, str]) -> Any:
        for attempt in range(1, _READ_TRIES + 1):
            try:
                status, answer = await self._call("GET", route, query=query)
                return judge(status, answer, is_write=False, sent={"query": query})
            except (RemoteUnavailableError, OutcomeUnknownError) as error:
                if attempt == _READ_TRIES:
                    raise RemoteUnavailableError(error.cause, system=System.UNIMICRO) from None
            await self._sleep(_READ_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - spread, not secrecy
        raise AssertionError("unreachable: the last try returns or raises")

    async def _write(
        self, method: str, route: str, *, query: Mapping[str, str] | None = None, body: Body | None = None
    ) -> Any:
        status, answer = await self._call(method, route, query=query or {}, body=body)
        return judge(status, answer, is_write=True, sent={"path": route, "query": query, "request": body})

    async def _call(
        self, method: str, route: str, *, query: Mapping[str, str], body: Body | None = None
    ) -> tuple[httpx.Response, Any]:
        async def send(token: str) -> tuple[httpx.Response, Any]:
            async with self._company.slot():
                return await self._send(method, route, query=query, body=body, token=token)

        token = await self._token(None)
        answered = await send(token)
        if answered[0].status_code != UNAUTHORIZED:
            return answered
        company = self._company
        witness = Witness(http=self._http, base_url=company.base_url, company_key=company.company_key)
        refused = RefusedCall(
            name=f"{method} {route}", send=send, renew=self._token, witness=witness, sleep=self._sleep, token=token
        )
        return await refused.insist(answered)

    async def _token(self, refused: str | None) -> str:
        """The access token; a refresh without an answer is no write without an answer: nothing was sent yet."""
        try:
            return await self._company.token(refused)
        except OutcomeUnknownError as error:
            raise RemoteUnavailableError(f"No access token: {error.cause}", system=System.UNIMICRO) from None

    @timed("unimicro", lambda *sent, **named: name_step(sent[1], sent[2], named["query"]))
    async def _send(
        self, method: str, route: str, *, query: Mapping[str, str], body: Body | None, token: str
    ) -> tuple[httpx.Response, Any]:
        path = f"api/{route}" if route == _STATISTICS else f"api/biz/{route}"
        headers = {"Authorization": f"Bearer {token}", "CompanyKey": self._company.company_key}
        content = None if body is None else dump_json(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        self.written += method != "GET"
        started = time.monotonic()
        response: httpx.Response | None = None
        answer: Any = None
        try:
            response = await self._http.request(
                method, self._company.base_url + path, params=query, content=content, headers=headers
            )
            answer = await decode(response)
        except _NOT_SENT as error:
            raise RemoteUnavailableError(
                f"Unimicro cannot be reached ({type(error).__name__})", system=System.UNIMICRO
            ) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknownError(
                f"Unimicro gave no answer ({type(error).__name__})", system=System.UNIMICRO
            ) from None
        else:
            return response, answer
        finally:
            if method != "GET":
                self._on_exchange(
                    Exchange(
                        method=method,
                        path=path,
                        query=dict(query),
                        request=body,
                        status=response.status_code if response is not None else None,
                        answer=strip_traces(answer),
                        milliseconds=round((time.monotonic() - started) * 1000),
                    )
                )
