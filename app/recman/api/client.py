"""RecMan's API: read-only, by id where it can, by pages where it must; every error says who must do what.

Source: docs/facts/recman.md §2 [O/C]. The API key travels in the query (RecMan's way), so no error here carries an
address or an exception text of the HTTP library.
"""

import asyncio
import itertools
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from app.errors import AuthExpiredError, RemoteRejectedError, RemoteThrottledError, RemoteUnavailableError, System
from app.platform.figures import name_step, timed
from app.platform.http import httpx, read_json
from app.recman.api.complaints import is_success, read_complaint, to_error
from app.recman.api.notes import RecmanNotes
from app.recman.api.rows import hash_ids, index_rows, to_rows
from app.recman.read.spellings import ASKED, read_id

_TRIES = 3
_PAUSE_SECONDS = 0.3
_MOST_PAGES = 200
# The ids of one call must fit into an address, with their commas as three signs.
_LONGEST_IDS = 4000
_COMMA = 3
# Asking again with other names: an account may name one bad field at a time, although it should name all.
_MOST_SPELLINGS = 12
_MASK = "[key]"
# The form of a key, and where one stands in an address. Source: §5 [I].
_KEY_FORM = re.compile(r"\b\d{12}k[0-9a-f]{38,48}\b|(?<=[?&]key=)[^&\s\"']+", re.IGNORECASE)
_INVALID_FIELD = re.compile(r"invalid fields?\b:?\s*([\w, ]+)", re.IGNORECASE)
_LONGEST_COMPLAINT = 1000
_BY_ID = {"company": "companyIds", "project": "projectIds", "invoice": "invoiceIds"}

Sleep = Callable[[float], Awaitable[None]]
Raw = Mapping[str, Any]


class Gate(Protocol):
    """What each call passes before it is made."""

    async def enter(self, scope: str) -> None:
        """Count the call, or raise RemoteThrottledError."""

    async def rest(self, error: RemoteThrottledError | AuthExpiredError) -> None:
        """Note that RecMan will refuse every call for a while."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a scope; `more` is False when RecMan says itself that none follows."""

    rows: list[Raw]
    more: bool


class RecmanClient:
    """Reads one RecMan account; `notes` keeps what was learnt of it, also for the account's next client.

    `calls` counts what it has asked.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        api_key: str,
        gate: Gate | None = None,
        notes: RecmanNotes | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._key = api_key
        self._gate = gate
        self._sleep = sleep
        self.notes = notes or RecmanNotes()
        self.calls = 0

    async def fetch(self, scope: str, ids: Sequence[str], *, also: Iterable[str] = ()) -> dict[str, Raw | None]:
        """Records of `company`, `project` or `invoice`; `also` come along as far as they cost no further call.

        Shape: an entry for every one of `ids`, None where RecMan shows no such record; and for those of `also` that
        are known now.

        Raises:
            RemoteError: RecMan could not be read; see `_call`.
        Source: scopes and `companyIds` [C], `projectIds` [C]; that invoices can be asked by id is assumed. Where an
        account refuses or ignores the filter, pages are the way out.
        """
        needed = list(dict.fromkeys(ids))
        extra = [one for one in dict.fromkeys(also) if one not in set(needed)]
        found: dict[str, Raw | None] = {}
        for batch in _pack(needed, extra):
            rows = await self._fetch_by_id(scope, batch, set(needed)) if self.asks_by_id(scope) else None
            if rows is None:
                self.notes.refused.add(f"{scope}?{_BY_ID[scope]}")
                wanted = [*needed, *extra]
                seen = await self._fetch_from_pages(scope, set(wanted), enough=set(needed))
                return {one: seen.get(one) for one in wanted if one in seen or one in set(needed)}
            found |= rows
        return found

    async def fetch_invoices(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The invoices and credit notes with these ids; those that RecMan does not show are missing."""
        return _present(await self.fetch("invoice", ids))

    async def fetch_companies(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The companies with these ids."""
        return _present(await self.fetch("company", ids))

    async def fetch_projects(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The projects with these ids; archived ones may be missing."""
        return _present(await self.fetch("project", ids))

    def asks_by_id(self, scope: str) -> bool:
        """Whether the account lets records of a scope be asked for by id, as far as is known."""
        return f"{scope}?{_BY_ID[scope]}" not in self.notes.refused

    async def try_by_id(self, scope: str, record_id: str) -> bool:
        """Whether the account answers with this one record when asked for it by id."""
        rows = await self._fetch_by_id(scope, [record_id], {record_id})
        if rows is None:
            self.notes.refused.add(f"{scope}?{_BY_ID[scope]}")
        return bool(rows and rows[record_id])

    async def fetch_v1(self, scope: str) -> tuple[Raw, ...]:
        """All departments, or all present users, in v1's spelling. Source: v1.php, scopes `department`, `user` [C]."""
        answer = await self._call("/v1.php", {"type": "json", "scope": scope})
        # A bare map by id; anything else in it, like `success`, is no row.
        rows = answer if "data" in answer else {"data": {key: row for key, row in answer.items() if read_id(key)}}
        return tuple(to_rows(rows))

    async def fetch_page(self, scope: str, page: int) -> Page:
        """One page of a scope, in RecMan's unstable order."""
        answer = await self._call_v2(scope, {"page": str(page)})
        # Some scopes say where the next page is (§2.4 [C]); nothing there is the end.
        return Page(to_rows(answer), more=bool(answer.get("nextPage", True)))

    async def _fetch_by_id(self, scope: str, batch: Sequence[str], needed: set[str]) -> dict[str, Raw | None] | None:
        """The records, None for those that are surely not there; None at all when the filter is ignored or refused.

        What is missing among others may stand on a further page, so it is asked for again without them: only an answer
        with nothing in it says that all of its records are gone.
        """
        found: dict[str, Raw | None] = {}
        asked = list(batch)
        while asked:
            rows = await self._ask_by_id(scope, asked)
            if rows is None:
                return None
            if not rows:
                return {**found, **dict.fromkeys(asked)}
            found |= rows
            asked = [one for one in asked if one in needed and one not in found]
        return found

    async def _ask_by_id(self, scope: str, ids: Sequence[str]) -> dict[str, Raw] | None:
        try:
            answer = await self._call_v2(scope, {_BY_ID[scope]: ",".join(ids), "page": "1"})
        except RemoteRejectedError as error:
            if any(word in error.cause.lower() for word in ("parameter", "filter", _BY_ID[scope].lower())):
                return None
            raise
        rows = index_rows(scope, to_rows(answer))
        return rows if rows.keys() <= set(ids) else None

    async def _fetch_from_pages(self, scope: str, wanted: set[str], *, enough: set[str]) -> dict[str, Raw]:
        """The records, from all pages. Source: §2.7 [C], the order of pages shifts while they are read.

        Pages that overlap have shifted, so what was not seen may have moved to a page that was read already: everything
        is read a second time then. A shift without overlap goes unseen; a record that is missed is asked for again.
        """
        seen, shifted = await self._walk(scope, wanted, enough)
        if shifted and not enough <= seen.keys():
            seen |= (await self._walk(scope, wanted, enough - seen.keys()))[0]
        return seen

    async def _walk(self, scope: str, wanted: set[str], enough: set[str]) -> tuple[dict[str, Raw], bool]:
        """What the pages hold of `wanted`, until there is `enough`; and whether pages overlapped.

        It begins where new records were found last: who asks for one today mostly asks for a new one.
        """
        kept: dict[str, Raw] = {}
        seen: set[str] = set()
        pages: set[int] = set()
        shifted = False
        for leg in _legs(self.notes.page_of.get(scope, 1)):
            for number in leg:
                page = await self.fetch_page(scope, number)
                rows = index_rows(scope, page.rows)
                # A page that was there before: `page` is ignored, or behind the last one comes the first.
                known = hash_ids(rows)
                if not rows or known in pages:
                    break
                pages.add(known)
                shifted = shifted or bool(rows.keys() & seen)
                seen |= rows.keys()
                found = rows.keys() & wanted
                if found:
                    kept |= {one: rows[one] for one in found}
                    self.notes.page_of[scope] = number
                if enough <= kept.keys():
                    return kept, shifted
                if not page.more:
                    break
        return kept, shifted

    async def _call_v2(self, scope: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        for _ in range(_MOST_SPELLINGS):
            fields = self._choose_fields(scope)
            try:
                return await self._call_with_fields(scope, query, fields)
            except RemoteRejectedError as error:
                if not self._note_refusal(scope, fields, error.cause):
                    raise
        raise RemoteUnavailableError(f"RecMan goes on refusing fields of {scope}", system=System.RECMAN)

    async def _call_with_fields(self, scope: str, query: Mapping[str, str], fields: list[str]) -> Mapping[str, Any]:
        answer = await self._call(
            "/v2/get/", {"scope": scope, **query} | ({"fields": ",".join(fields)} if fields else {})
        )
        # An answer that does not call itself a success must not pass for "there is no such record".
        if not answer.get("data") and not is_success(answer):
            raise RemoteUnavailableError("RecMan answered with neither success nor data", system=System.RECMAN)
        return answer

    def _choose_fields(self, scope: str) -> list[str]:
        """The names to ask for: every spelling that was not refused; what two of them say must agree."""
        if f"{scope}?fields" in self.notes.refused:
            return []
        names = itertools.chain.from_iterable(ASKED.get(scope, ()))
        return [name for name in dict.fromkeys(names) if f"{scope}.{name}" not in self.notes.refused]

    def _note_refusal(self, scope: str, asked: list[str], complaint: str) -> bool:
        """Whether the complaint is about names that were asked for; they are not asked for again.

        All bad fields are named at once, so one corrected call is enough where no other spelling is left to try.
        Source: §2.2 [C].
        """
        # Some scopes take no field list at all and give whole rows. Source: §2.2 [C].
        if asked and "invalid parameter: fields" in complaint.lower():
            self.notes.refused.add(f"{scope}?fields")
            return True
        named = {name.strip().lower() for part in _INVALID_FIELD.findall(complaint) for name in part.split(",")}
        # Compared with what this call asked for: another call may have noted the same refusal meanwhile.
        refused = {f"{scope}.{name}" for name in asked if name.lower() in named}
        self.notes.refused |= refused
        return bool(refused)

    async def _call(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._call_once(path, query)
            except RemoteUnavailableError:
                if attempt == _TRIES:
                    raise
            await self._sleep(_PAUSE_SECONDS * attempt * random.random())  # noqa: S311 - spread, not secrecy
        raise AssertionError("unreachable: the last try returns or raises")

    async def _call_once(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        scope = query.get("scope", "")
        if self._gate is not None:
            await self._gate.enter(scope)
        self.calls += 1
        response = await self._get(path, query)
        answer = await _decode(response)
        complaint = read_complaint(response, answer)
        if complaint is not None:
            error = to_error(response, self._without_key(complaint), scope)
            if self._gate is not None and isinstance(error, RemoteThrottledError | AuthExpiredError):
                await self._gate.rest(error)
            raise error
        if isinstance(answer, list):
            # An empty map is a list in PHP's JSON. Source: §2.4 [I].
            return {"data": answer}
        if not isinstance(answer, dict):
            raise RemoteUnavailableError("RecMan answered with something that is no JSON object", system=System.RECMAN)
        return answer

    @timed("recman", lambda *sent: name_step("GET", sent[-1].get("scope", "")))
    async def _get(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        failure = ""
        try:
            return await self._http.get(self._base + path, params={"key": self._key, **query})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = type(error).__name__
        # Raised out here: the library's error knows the address, and with it the key, even as a mere context.
        raise RemoteUnavailableError(f"RecMan gave no answer ({failure})", system=System.RECMAN)

    def _without_key(self, text: str) -> str:
        """A complaint without our key or anything like one, also as part of an address, at a bearable length."""
        for form in {self._key, quote(self._key, safe="")} - {""}:
            text = text.replace(form, _MASK)
        return _KEY_FORM.sub(_MASK, text)[:_LONGEST_COMPLAINT]


async def _decode(response: httpx.Response) -> Any:
    try:
        return await read_json(response)
    except ValueError:
        return None


def _pack(needed: Sequence[str], extra: Sequence[str]) -> Iterator[list[str]]:
    """The needed ids in as few batches as fit into an address, the last one filled up with others."""
    batch: list[str] = []
    room = _LONGEST_IDS
    for one in needed:
        if batch and len(one) + _COMMA > room:
            yield batch
            batch, room = [], _LONGEST_IDS
        batch.append(one)
        room -= len(one) + _COMMA
    for one in extra if batch else ():
        room -= len(one) + _COMMA
        if room < 0:
            break
        batch.append(one)
    if batch:
        yield batch


def _legs(start: int) -> Iterator[range]:
    """From a page to the end, then the pages before it."""
    yield range(start, _MOST_PAGES + 1)
    yield range(1, start)


def _present(found: Mapping[str, Raw | None]) -> dict[str, Raw]:
    return {one: row for one, row in found.items() if row is not None}
