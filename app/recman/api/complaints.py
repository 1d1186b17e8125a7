"""What RecMan says when it refuses, in all the ways it says so, and the error that each of them means. Pure.

Source: docs/facts/recman.md §2.5 [C].
"""

from collections.abc import Mapping
from typing import Any

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.remarks import hide_persons
from app.errors import (
    AuthExpiredError,
    RemoteError,
    RemoteRejectedError,
    RemoteThrottledError,
    RemoteUnavailableError,
    RemoteUnexplainedError,
    System,
)
from app.platform.http import httpx

# How an exhausted quota looks is unknown; asked again after this long. Source: assumed (§2.5).
_QUOTA_SECONDS = 900.0
_LONGEST_WAIT_SECONDS = 86_400.0
_INVALID_KEY_CODE = "code 2"
_REFUSALS = ("invalid scope", "invalid field", "invalid parameter")
_QUOTA_WORDS = ("limit", "quota", "exceed", "too many")
# Words of a refusal that asking again does not change. Source: assumed beyond those in §2.5.
_RIGHT_WORDS = ("scope", "denied", "not allowed", "no access", "permission", "forbidden")
_FINAL_WORDS = ("invalid", "missing", "unknown", "not supported", *_RIGHT_WORDS)
_SERVER_ERROR = 500
_NO_WORD = "no reason given"
_DEEPEST = 10


def read_complaint(response: httpx.Response, answer: Any) -> str | None:
    """RecMan's words when it refused, also behind HTTP 200; None when it did not. Source: §2.5 [C]."""
    if not isinstance(answer, dict):
        return None if response.is_success else f"HTTP {response.status_code}"
    errors = "; ".join(filter(None, (_to_text(answer.get(name)) for name in ("error", "errors"))))
    said = "; ".join(filter(None, (errors, _to_text(answer.get("message")))))
    refused = answer.get("success") in (False, 0, "0", "false") or not response.is_success
    # v1 and some failures carry no `success`; then words in place of data are a complaint, and so is an error that
    # stands beside no data at all.
    refused = refused or (not answer.get("data") and bool(errors if is_success(answer) else said))
    return said or _NO_WORD if refused else None


def is_success(answer: Mapping[str, Any]) -> bool:
    """Whether an answer calls itself a success: only then is what it does not show not there. Source: §1.3."""
    return answer.get("success") in (True, 1, "1", "true")


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


def to_error(response: httpx.Response, complaint: str, scope: str) -> RemoteError:
    """The error that a complaint means; it says whose key, right or patience it is."""
    status = response.status_code
    said, shown = complaint.lower(), hide_persons(complaint)
    is_refusal = any(words in said for words in _REFUSALS)
    if status == httpx.codes.TOO_MANY_REQUESTS or (not is_refusal and any(word in said for word in _QUOTA_WORDS)):
        return RemoteThrottledError(
            f"RecMan's call quota is used up: {shown}", system=System.RECMAN, retry_after=_read_wait(response)
        )
    if status >= _SERVER_ERROR:
        return RemoteUnavailableError(f"RecMan failed: {shown}", system=System.RECMAN)
    if status == httpx.codes.FORBIDDEN and said in (f"http {status}", _NO_WORD):
        # No words at all: a used up quota may look so, and it stops everything. Source: assumed (§2.5).
        return RemoteThrottledError(
            "RecMan forbids every call (HTTP 403)", system=System.RECMAN, retry_after=_read_wait(response)
        )
    if "invalid key" in said or said == _INVALID_KEY_CODE or status == httpx.codes.UNAUTHORIZED:
        return AuthExpiredError(
            f"RecMan does not accept the API key: {shown}",
            system=System.RECMAN,
            fix=fix_for(Code.SIGN_IN_AGAIN, "recman"),
        )
    if any(word in said for word in _RIGHT_WORDS) or status == httpx.codes.FORBIDDEN:
        return RemoteRejectedError(
            f"RecMan refuses to show {scope}: {shown}",
            system=System.RECMAN,
            fix=fix_for(Code.RECMAN_SCOPE, scope=scope),
            code=Code.RECMAN_SCOPE,
        )
    if not any(word in said for word in _FINAL_WORDS):
        # Logical failures without a known reason have been seen to pass. Source: §2.5 [C].
        return RemoteUnexplainedError(f"RecMan failed: {shown}", system=System.RECMAN)
    return RemoteRejectedError(
        f"RecMan refused: {shown}", system=System.RECMAN, fix=fix_for(Code.RECMAN_REFUSED), code=Code.RECMAN_REFUSED
    )


def _read_wait(response: httpx.Response) -> float:
    """The seconds that RecMan asks for, or a guess when it names none."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT_SECONDS) if asked.isascii() and asked.isdecimal() else _QUOTA_SECONDS
