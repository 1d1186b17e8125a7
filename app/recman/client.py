"""RecMan's API: read-only, by id where it can, by pages where it must; every error says who must do what.

Source: facts/recman-api.md §2 [O/C]. The API key travels in the query (RecMan's way), so no error here carries an
address or an exception text of the HTTP library.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from app.domain.money import parse_json
from app.errors import AuthExpiredError, RemoteError, RemoteRejectedError, RemoteThrottledError, RemoteUnavailableError
from app.http import httpx
from app.recman.payloads import ASKED, read_id
from app.recman.rows import index_rows, to_rows

_TRIES = 3
_PAUSE_SECONDS = 0.3
_MOST_PAGES = 200
# Pages of the smallest scope hold 100 records (facts §2.7), and the ids must fit into an address.
_MOST_IDS = 100
# Asking again with other names, once for each spelling that a field may have.
_MOST_SPELLINGS = 6
# How an exhausted quota looks is unknown; asked again after this long. Source: assumed (facts §2.5).
_QUOTA_SECONDS = 900.0
_MASK = "[key]"
# The form of a key, and where one stands in an address. Source: facts §5 [I].
_KEY_FORM = re.compile(r"\b\d{12}k[0-9a-f]{38,48}\b|(?<=[?&]key=)[^&\s\"']+", re.IGNORECASE)
_INVALID_FIELD = re.compile(r"invalid fields?\b:?\s*([\w, ]+)", re.IGNORECASE)
_INVALID_KEY_CODE = "code 2"
_REFUSALS = ("invalid scope", "invalid field", "invalid parameter")
_QUOTA_WORDS = ("limit", "quota", "exceed", "too many")
_SERVER_ERROR = 500
_LONGEST_COMPLAINT = 1000
_DEEPEST = 10
_BY_ID = {"company": "companyIds", "project": "projectIds", "invoice": "invoiceIds"}

Sleep = Callable[[float], Awaitable[None]]
Raw = Mapping[str, Any]


class RecmanClient:
    """Reads one RecMan account; `refused` keeps the names that it does not know, also for the account's next client."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        api_key: str,
        refused: set[str] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._key = api_key
        self._sleep = sleep
        self._refused = set() if refused is None else refused

    async def fetch_invoices(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The invoices and credit notes with these ids; those that RecMan does not show are missing.

        Raises:
            RemoteError: RecMan could not be read; see `_call`.
        Source: scope `invoice` [C]; that it can be asked by id is assumed, so pages are the way out.
        """
        return await self._fetch("invoice", ids)

    async def fetch_companies(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The companies with these ids. Source: scope `company`, `companyIds` [C]."""
        return await self._fetch("company", ids)

    async def fetch_projects(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The projects with these ids; archived ones may be missing. Source: scope `project` [O], `projectIds` [C]."""
        return await self._fetch("project", ids)

    async def fetch_departments(self) -> tuple[Raw, ...]:
        """All departments, in v1's spelling. Source: v1.php scope `department` [C]."""
        return await self._fetch_v1("department")

    async def fetch_users(self) -> tuple[Raw, ...]:
        """All present users, in v1's spelling, former ones are missing. Source: v1.php scope `user` [C]."""
        return await self._fetch_v1("user")

    async def fetch_page(self, scope: str, page: int) -> list[Raw]:
        """One page of a scope, in RecMan's unstable order."""
        return to_rows(await self._call_v2(scope, {"page": str(page)}))

    async def _fetch_v1(self, scope: str) -> tuple[Raw, ...]:
        answer = await self._call("/v1.php", {"type": "json", "scope": scope})
        # A bare map by id; anything else in it, like `success`, is no row.
        rows = answer if "data" in answer else {"data": {key: row for key, row in answer.items() if read_id(key)}}
        return tuple(to_rows(rows))

    async def _fetch(self, scope: str, ids: Sequence[str]) -> dict[str, Raw]:
        wanted = list(dict.fromkeys(ids))
        by_id = f"{scope}?{_BY_ID[scope]}"
        found: dict[str, Raw] = {}
        for start in range(0, len(wanted), _MOST_IDS):
            rows = None
            if by_id not in self._refused:
                rows = await self._fetch_by_id(scope, set(wanted[start : start + _MOST_IDS]))
            if rows is None:
                self._refused.add(by_id)
                return await self._fetch_from_pages(scope, set(wanted))
            found |= rows
        return found

    async def _fetch_by_id(self, scope: str, wanted: set[str]) -> dict[str, Raw] | None:
        """The records, or None when the account ignores or refuses the filter."""
        try:
            answer = await self._call_v2(scope, {_BY_ID[scope]: ",".join(sorted(wanted)), "page": "1"})
        except RemoteRejectedError as error:
            if "parameter" in error.cause.lower():
                return None
            raise
        rows = index_rows(scope, to_rows(answer))
        return rows if rows.keys() <= wanted else None

    async def _fetch_from_pages(self, scope: str, wanted: set[str]) -> dict[str, Raw]:
        """The records, from all pages. Source: facts §2.7 [C], the order of pages shifts while they are read.

        Pages that overlap have shifted, so what was not seen may have moved to a page that was read already: everything
        is read a second time then. A shift without overlap goes unseen; a record that is missed is asked for again.
        """
        seen, shifted = await self._walk(scope, wanted)
        if shifted and not wanted <= seen.keys():
            seen |= (await self._walk(scope, wanted - seen.keys()))[0]
        return {key: row for key, row in seen.items() if key in wanted}

    async def _walk(self, scope: str, wanted: set[str]) -> tuple[dict[str, Raw], bool]:
        """What all pages hold, until everything wanted is there; and whether pages overlapped."""
        seen: dict[str, Raw] = {}
        before: set[str] = set()
        shifted = False
        for page in range(1, _MOST_PAGES + 1):
            answer = await self._call_v2(scope, {"page": str(page)})
            rows = index_rows(scope, to_rows(answer))
            # The same page again means that `page` is ignored.
            if not rows or rows.keys() == before:
                break
            shifted = shifted or bool(rows.keys() & seen.keys())
            seen |= rows
            before = set(rows)
            # Some scopes say where the next page is (facts §2.4 [C]); nothing there is the end.
            if wanted <= seen.keys() or not answer.get("nextPage", True):
                break
        return seen, shifted

    async def _call_v2(self, scope: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        for _ in range(_MOST_SPELLINGS):
            fields = self._choose_fields(scope)
            try:
                return await self._call_with_fields(scope, query, fields)
            except RemoteRejectedError as error:
                if not self._note_refusal(scope, fields, error.cause):
                    raise
        raise RemoteUnavailableError(f"RecMan goes on refusing fields of {scope}")

    async def _call_with_fields(self, scope: str, query: Mapping[str, str], fields: list[str]) -> Mapping[str, Any]:
        answer = await self._call(
            "/v2/get/", {"scope": scope, **query} | ({"fields": ",".join(fields)} if fields else {})
        )
        # An answer that says nothing must not pass for "there is no such record".
        if not answer.get("success") and "data" not in answer:
            raise RemoteUnavailableError("RecMan answered with neither success nor data")
        return answer

    def _choose_fields(self, scope: str) -> list[str]:
        """The names to ask for: of each field the first spelling that was not refused."""
        if f"{scope}?fields" in self._refused:
            return []
        open_names = (
            next((name for name in names if f"{scope}.{name}" not in self._refused), None)
            for names in ASKED.get(scope, ())
        )
        return list(dict.fromkeys(filter(None, open_names)))

    def _note_refusal(self, scope: str, asked: list[str], complaint: str) -> bool:
        """Whether the complaint is about names that were asked for; they are not asked for again.

        All bad fields are named at once, so one corrected call is enough where no other spelling is left to try.
        Source: facts §2.2 [C].
        """
        # Some scopes take no field list at all and give whole rows. Source: facts §2.2 [C].
        if asked and "invalid parameter: fields" in complaint.lower():
            self._refused.add(f"{scope}?fields")
            return True
        named = {name.strip().lower() for part in _INVALID_FIELD.findall(complaint) for name in part.split(",")}
        # Compared with what this call asked for: another call may have noted the same refusal meanwhile.
        refused = {f"{scope}.{name}" for name in asked if name.lower() in named}
        self._refused |= refused
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
        response = await self._get(path, query)
        answer = _decode(response)
        complaint = _read_complaint(response, answer)
        if complaint is not None:
            raise _to_error(response.status_code, self._without_key(complaint), query.get("scope", ""))
        if isinstance(answer, list):
            # An empty map is a list in PHP's JSON. Source: facts §2.4 [I].
            return {"data": answer}
        if not isinstance(answer, dict):
            raise RemoteUnavailableError("RecMan answered with something that is no JSON object")
        return answer

    async def _get(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        failure = ""
        try:
            return await self._http.get(self._base + path, params={"key": self._key, **query})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = type(error).__name__
        # Raised out here: the library's error knows the address, and with it the key, even as a mere context.
        raise RemoteUnavailableError(f"RecMan gave no answer ({failure})")

    def _without_key(self, text: str) -> str:
        """A complaint without our key or anything like one, also as part of an address, at a bearable length."""
        for form in {self._key, quote(self._key, safe="")} - {""}:
            text = text.replace(form, _MASK)
        return _KEY_FORM.sub(_MASK, text)[:_LONGEST_COMPLAINT]


def _decode(response: httpx.Response) -> Any:
    try:
        return parse_json(response.content)
    except ValueError:
        return None


def _read_complaint(response: httpx.Response, answer: Any) -> str | None:
    """RecMan's words when it refused, also behind HTTP 200; None when it did not. Source: facts §2.5 [C]."""
    if not isinstance(answer, dict):
        return None if response.is_success else f"HTTP {response.status_code}"
    said = "; ".join(filter(None, (_to_text(answer.get(name)) for name in ("error", "errors", "message"))))
    success = answer.get("success")
    refused = success in (False, 0, "0", "false")
    # v1 and some failures carry no `success`; then words in place of data are a complaint.
    refused = refused or (success is None and "data" not in answer and bool(said))
    return said or "no reason given" if refused or not response.is_success else None


def _to_text(part: Any, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return ""
    if isinstance(part, dict):
        code = f"code {part['code']}" if isinstance(part.get("code"), int | str) and part["code"] else ""
        said = _to_text(part.get("message") or part.get("text"), depth + 1)
        return said or code or _to_text(list(part.values()), depth + 1)
    if isinstance(part, list):
        return "; ".join(filter(None, (_to_text(inner, depth + 1) for inner in part)))
    return part if isinstance(part, str) else ""


def _to_error(status: int, complaint: str, scope: str) -> RemoteError:
    said = complaint.lower()
    is_refusal = any(words in said for words in _REFUSALS)
    if status == httpx.codes.TOO_MANY_REQUESTS or (not is_refusal and any(word in said for word in _QUOTA_WORDS)):
        return RemoteThrottledError(f"RecMan's call quota is used up: {complaint}", retry_after=_QUOTA_SECONDS)
    if status >= _SERVER_ERROR:
        return RemoteUnavailableError(f"RecMan failed: {complaint}", http_status=status)
    if (
        "invalid key" in said
        or said == _INVALID_KEY_CODE
        or status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    ):
        return AuthExpiredError(
            f"RecMan does not accept the API key: {complaint}",
            fix="Make a new API key in RecMan (System Settings, API) and enter it for the tenant.",
        )
    if "invalid scope" in said:
        fix = f"Give the RecMan API key the right to read {scope}, then retry."
        return RemoteRejectedError(f"RecMan refuses to show {scope}: {complaint}", fix=fix, code="recman_scope")
    if not any(word in said for word in ("invalid", "missing", "unknown")):
        # Logical failures without a known reason have been seen to pass. Source: facts §2.5 [C].
        return RemoteUnavailableError(f"RecMan failed: {complaint}", http_status=status)
    return RemoteRejectedError(
        f"RecMan refused: {complaint}", fix="Give the operator this text.", code="recman_refused"
    )
