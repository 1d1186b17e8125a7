"""What an answer of Unimicro's means: a record, a list, a refusal, or nothing that can be believed. Pure.

Source: docs/facts/unimicro.md §5.1 [O/T].
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.accounting.unimicro.complaints import is_about_lock, read_complaint
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import (
    AlreadyStoredError,
    OutcomeUnknownError,
    PeriodLockedError,
    RemoteMissingError,
    RemoteRejectedError,
    RemoteThrottledError,
    RemoteUnavailableError,
    System,
)
from app.platform.http import httpx, read_json
from app.platform.masks import mask_said

_RETRY_AFTER_SECONDS = 30.0
_RETRY_AFTER_CAP = 3600.0
# These and everything from 500 up: on a write it may have been stored.
_PASSING, _SERVER_ERROR = frozenset({408, 425}), 500
_MISSING = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})
_LARGEST_ID = 2**63 - 1
_GUID_WORD = "_createguid"
# What reading an answer comes to that is JSON, but not of the form that was meant.
ODD_ANSWER = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def is_record(answer: Any) -> bool:
    """Whether the answer is one record with its id."""
    found = answer.get("ID") if isinstance(answer, dict) else None
    return isinstance(found, int) and not isinstance(found, bool) and abs(found) <= _LARGEST_ID


def to_rows(answer: Any, route: str) -> list[dict[str, Any]]:
    """The records of a list.

    Raises:
        RemoteUnavailableError: it is none.
    """
    if not isinstance(answer, list) or not all(map(is_record, answer)):
        raise RemoteUnavailableError(
            f"Unimicro answered the list of {route} with something else", system=System.UNIMICRO
        )
    return answer


def no_record(route: str) -> RemoteUnavailableError:
    """The error for an answer that should be one record."""
    return RemoteUnavailableError(f"Unimicro answered {route} with something that is no record", system=System.UNIMICRO)


async def decode(response: httpx.Response) -> Any:
    """The body as JSON where it is, else as text; None when there is none."""
    if not response.content:
        return None
    try:
        return await read_json(response)
    except ValueError:
        return response.text


def judge(response: httpx.Response, answer: Any, *, is_write: bool, sent: Any = None) -> Any:
    """The answer of a success; whom `sent` names is not named by an error.

    Raises:
        RemoteMissingError, RemoteRejectedError: Unimicro says no.
        RemoteThrottledError: it asks for a pause.
        OutcomeUnknownError: what became of the call is not known.
        AlreadyStoredError: it was stored, earlier.
    """
    status = response.status_code
    if response.is_success:
        if isinstance(answer, str):
            raise OutcomeUnknownError("Unimicro answered with something that is no JSON", system=System.UNIMICRO)
        return answer
    said = read_complaint(answer) or f"HTTP {status} without an explanation"
    shown = mask_said(said, sent, answer)
    if is_write and _GUID_WORD in said:
        raise AlreadyStoredError(f"Unimicro has this already: {shown}", system=System.UNIMICRO)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RemoteThrottledError(
            "Unimicro asks for a pause (too many calls)",
            system=System.UNIMICRO,
            retry_after=read_retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC)),
        )
    if status >= _SERVER_ERROR or status in _PASSING:
        raise OutcomeUnknownError(f"Unimicro failed: {shown}", system=System.UNIMICRO)
    if not _is_own(response, answer):
        # A proxy's page, or a service that is just starting: it says nothing about the record.
        raise OutcomeUnknownError(f"Something else than Unimicro answered {status}", system=System.UNIMICRO)
    raise _refusal(status, said, shown)


def _is_own(response: httpx.Response, answer: Any) -> bool:
    """Whether Unimicro itself has said no: no redirect, no page, and of a 404 only its own JSON with words in it.

    Source: docs/facts/unimicro.md §5.1 for the shapes; that a 404 of Unimicro's always has a body is assumed.
    """
    is_page = "html" in response.headers.get("Content-Type", "").lower() or str(answer).lstrip().startswith("<")
    if is_page or response.status_code < httpx.codes.BAD_REQUEST:
        return False
    return response.status_code not in _MISSING or (isinstance(answer, dict) and bool(read_complaint(answer)))


def _refusal(status: int, said: str, shown: str) -> RemoteRejectedError:
    if status == httpx.codes.FORBIDDEN:
        return RemoteRejectedError(
            f"Unimicro refused: {shown}",
            system=System.UNIMICRO,
            fix=fix_for(Code.RIGHTS_MISSING),
            code=Code.RIGHTS_MISSING,
        )
    if status in _MISSING:
        fix = fix_for(Code.REMOTE_MISSING)
        return RemoteMissingError(f"Unimicro has no such record: {shown}", system=System.UNIMICRO, fix=fix)
    cause = f"Unimicro refused: {shown}"
    if is_about_lock(said):
        return PeriodLockedError(cause, system=System.UNIMICRO, fix=fix_for(Code.PERIOD_LOCKED))
    return RemoteRejectedError(cause, system=System.UNIMICRO, fix=fix_for(Code.REMOTE_REJECTED))


def read_retry_after(value: str | None, *, now: datetime) -> float:
    """Seconds to wait, from seconds or an HTTP date; 30 when missing or unreadable, an hour at most."""
    if value is None:
        return _RETRY_AFTER_SECONDS
    try:
        seconds = float(value) if value.strip().isdecimal() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError):
        return _RETRY_AFTER_SECONDS
    return min(max(seconds, 1.0), _RETRY_AFTER_CAP)
