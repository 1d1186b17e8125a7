"""RecMan's API: read-only, by id where it can, by pages where it must; every error says who must do what.

Source: facts/recman-api.md §2 [O/C]. The API key travels in the query (RecMan's way), so no error here carries an
address or an exception text of the HTTP library.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from app.domain.money import parse_json
from app.errors import AuthExpiredError, RemoteError, RemoteRejectedError, RemoteThrottledError, RemoteUnavailableError
from app.http import httpx
from app.recman.payloads import read_id

_TRIES = 3
_PAUSE_SECONDS = 0.3
_MOST_PAGES = 200
# How an exhausted quota looks is unknown; asked again after this long. Source: assumed (facts §2.5).
_QUOTA_SECONDS = 900.0
_MASK = "[key]"
_INVALID_FIELD = re.compile(r"invalid field:\s*(\w+)", re.IGNORECASE)
_INVALID_KEY_CODE = "code 2"
_QUOTA_WORDS = ("limit", "quota", "exceed", "too many")
_SERVER_ERROR = 500
_BY_ID = {"company": "companyIds", "project": "projectIds", "invoice": "invoiceIds"}
# Asked for by name; the first part is proven in use, the rest follows RecMan's naming habit. Source: facts §3.1, §3.2.
_COMPANY_FIELDS = ["name", "type", "companyNumber", "vatNumber", "email", "invoiceEmail", "phone", "creditTime"]
_COMPANY_FIELDS += ["invoiceAddress", "deliveryAddress", "visitAddress", "postAddress", "created", "updated"]
_PROJECT_FIELDS = ["name", "number", "companyId", "departmentId", "type", "status", "startDate", "endDate"]
_FIELDS = {"company": _COMPANY_FIELDS, "project": [*_PROJECT_FIELDS, "created", "updated"]}

Sleep = Callable[[float], Awaitable[None]]
Raw = Mapping[str, Any]


class RecmanClient:
    """Reads one RecMan account; remembers which fields and filters the account refused."""

    def __init__(self, http: httpx.AsyncClient, *, base_url: str, api_key: str, sleep: Sleep = asyncio.sleep) -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._key = api_key
        self._sleep = sleep
        self._fields = {scope: list(names) for scope, names in _FIELDS.items()}
        self._without_filter: set[str] = set()

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
        answer = await self._call("/v1.php", {"type": "json", "scope": "department"})
        # A bare map by id; anything else in it, like `success`, is no row.
        rows = answer["data"] if "data" in answer else {key: row for key, row in answer.items() if read_id(key)}
        return tuple(_to_rows(rows))

    async def fetch_page(self, scope: str, page: int) -> list[Raw]:
        """One page of a scope, in RecMan's unstable order."""
        return _to_rows((await self._call_v2(scope, {"page": str(page)})).get("data"))

    async def _fetch(self, scope: str, ids: Sequence[str]) -> dict[str, Raw]:
        wanted = set(ids)
        if not wanted:
            return {}
        if scope not in self._without_filter:
            found = await self._fetch_by_id(scope, wanted)
            if found is not None:
                return found
            self._without_filter.add(scope)
        return await self._fetch_from_pages(scope, wanted)

    async def _fetch_by_id(self, scope: str, wanted: set[str]) -> dict[str, Raw] | None:
        """The records, or None when the account ignores or refuses the filter."""
        try:
            answer = await self._call_v2(scope, {_BY_ID[scope]: ",".join(sorted(wanted)), "page": "1"})
        except RemoteRejectedError as error:
            if "parameter" in error.cause.lower():
                return None
            raise
        rows = _by_id(scope, _to_rows(answer.get("data")))
        return {key: row for key, row in rows.items() if key in wanted} if rows.keys() <= wanted else None

    async def _fetch_from_pages(self, scope: str, wanted: set[str]) -> dict[str, Raw]:
        seen: dict[str, Raw] = {}
        for page in range(1, _MOST_PAGES + 1):
            rows = _by_id(scope, await self.fetch_page(scope, page))
            # A page that adds nothing means that `page` is ignored or the end is reached.
            if not rows.keys() - seen.keys():
                break
            seen |= rows
            if wanted <= seen.keys():
                break
        return {key: row for key, row in seen.items() if key in wanted}

    async def _call_v2(self, scope: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            return await self._call_with_fields(scope, query)
        except RemoteRejectedError as error:
            if not self._drop_fields(scope, error.cause):
                raise
        # All bad fields are named at once, so one corrected call is enough. Source: facts §2.2 [C].
        return await self._call_with_fields(scope, query)

    async def _call_with_fields(self, scope: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        fields = self._fields.get(scope)
        answer = await self._call(
            "/v2/get/", {"scope": scope, **query} | ({"fields": ",".join(fields)} if fields else {})
        )
        # An answer that says nothing must not pass for "there is no such record".
        if not answer.get("success") and "data" not in answer:
            raise RemoteUnavailableError("RecMan answered with neither success nor data")
        return answer

    def _drop_fields(self, scope: str, complaint: str) -> bool:
        """Whether the complaint named fields that can be left out; they are not asked for again."""
        fields = self._fields.get(scope, [])
        refused = {name.lower() for name in _INVALID_FIELD.findall(complaint)}
        kept = [name for name in fields if name.lower() not in refused]
        # Some scopes take no field list at all and give whole rows. Source: facts §2.2 [C].
        if "invalid parameter: fields" in complaint.lower():
            kept = []
        self._fields[scope] = kept
        return len(kept) < len(fields)

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
        return text.replace(self._key, _MASK) if self._key else text


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


def _to_text(part: Any) -> str:
    if isinstance(part, dict):
        code = f"code {part['code']}" if part.get("code") else ""
        return _to_text(part.get("message") or part.get("text")) or code or _to_text(list(part.values()))
    if isinstance(part, list):
        return "; ".join(filter(None, map(_to_text, part)))
    return part if isinstance(part, str) else ""


def _to_error(status: int, complaint: str, scope: str) -> RemoteError:
    said = complaint.lower()
    if status == httpx.codes.TOO_MANY_REQUESTS or any(word in said for word in _QUOTA_WORDS):
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


def _to_rows(data: Any) -> list[Raw]:
    """Rows of a list or of a map by id, whose keys fill in where a row has no id. Source: facts §2.4 [O/C].

    Raises:
        RemoteUnavailableError: neither; taken for "no rows" it would look as if records were gone.
    """
    if not data:
        return []
    if isinstance(data, dict) and all(isinstance(row, dict) for row in data.values()):
        return [{"_key": key, **row} for key, row in data.items()]
    if isinstance(data, dict):
        # One record without its map; the by-id reading may give that. Source: assumed.
        return [data]
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return data
    raise RemoteUnavailableError("RecMan answered with data that is neither a list nor a map of records")


def _by_id(scope: str, rows: Sequence[Raw]) -> dict[str, Raw]:
    found = {}
    for row in rows:
        key = read_id(row.get(f"{scope}Id")) or read_id(row.get("id")) or read_id(row.get("_key"))
        if key is not None:
            found[key] = row
    return found
