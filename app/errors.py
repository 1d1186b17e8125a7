"""Every error this service raises on purpose, and what becomes of it.

ServiceError
├── RequestError             422  the caller sent something we cannot use
│   ├── SignatureError       401  a webhook's secret or signature is wrong, or a token is
│   ├── ForbiddenError       403  the token's role may not do this
│   ├── NotFoundError        404  no such thing (for this caller)
│   ├── ConflictError        409  the thing is in another state than the request supposes
│   └── TooLargeError        413  the body is over the cap
├── DatabaseAwayError        503  Postgres does not answer: the sender must try again
├── HoldError                held: a person must decide; carries every gap at once
├── WaitError                wait for another record, no try spent
├── StaleLeaseError          stop: another worker owns the lane now
└── RemoteError              the other system
    ├── RemoteRejectedError    held: it said no (4xx) and will say no again
    │   └── RemoteMissingError looked for once more by all that is known: it said that there is no such record
    ├── RemoteThrottledError   pause the key (or the tenant's RecMan), no try spent (429; no token is taken)
    ├── RemoteUnavailableError retry: surely nothing was stored
    ├── AuthExpiredError       pause the key until somebody signs in
    └── OutcomeUnknownError    a write got no answer: look before doing it again
"""

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason


class ServiceError(Exception):
    """The root: has a code, a cause, a fix and the HTTP status a door answers with."""

    code = Code.INTERNAL
    status = 500

    def __init__(self, cause: str, *, fix: str = "", code: Code | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix
        self.code = code or type(self).code


class RequestError(ServiceError):
    """The request cannot be used as it is."""

    code = Code.BAD_REQUEST
    status = 422


class SignatureError(RequestError):
    """A secret, signature or token does not check out."""

    code = Code.NOT_SIGNED_IN
    status = 401


class ForbiddenError(RequestError):
    """The caller is known but may not do this."""

    code = Code.FORBIDDEN
    status = 403


class NotFoundError(RequestError):
    """There is no such thing, or none this caller may see."""

    code = Code.NOT_FOUND
    status = 404


class MethodError(RequestError):
    """The address takes another method."""

    code = Code.METHOD_NOT_ALLOWED
    status = 405


class ConflictError(RequestError):
    """The thing is in another state than the request supposes."""

    code = Code.CONFLICT
    status = 409


class TooLargeError(RequestError):
    """The body is over the cap."""

    code = Code.TOO_LARGE
    status = 413


class TooManyTriesError(RequestError):
    """Too many wrong tokens came from one address."""

    code = Code.TOO_MANY_TRIES
    status = 429


class DatabaseAwayError(ServiceError):
    """Postgres does not answer; nothing was stored, so the sender must try again."""

    code = Code.DATABASE_AWAY
    status = 503


class HoldError(ServiceError):
    """A person must decide; `gaps` holds everything that is missing, not just the first thing found."""

    code = Code.HELD
    status = 409

    def __init__(self, gaps: tuple[Reason, ...]) -> None:
        super().__init__("; ".join(gap.cause for gap in gaps), fix="; ".join(gap.fix for gap in gaps))
        self.gaps = gaps


class WaitError(ServiceError):
    """Another record must come first; the lane waits without spending a try, at most `seconds`.

    `while_open`: only as long as something of the other one is open; it need not be booked.
    """

    code = Code.WAITS
    status = 409

    def __init__(
        self,
        cause: str,
        *,
        scope: str,
        record_id: str,
        seconds: float,
        fix: str = "",
        while_open: bool = False,
    ) -> None:
        super().__init__(cause, fix=fix or fix_for(Code.WAITS))
        self.scope = scope
        self.record_id = record_id
        self.seconds = seconds
        self.while_open = while_open


class KeyPausedError(ServiceError):
    """The key rests (throttled, paused by a person, or waiting for a sign-in); its lanes wait `seconds`."""

    code = Code.KEY_PAUSED
    status = 409

    def __init__(self, cause: str, *, seconds: float, fix: str, code: Code | None = None) -> None:
        super().__init__(cause, fix=fix, code=code)
        self.seconds = seconds


class StaleLeaseError(ServiceError):
    """This worker no longer owns the lane; whatever it was about to write must not be written."""

    code = Code.STALE_LEASE


class RemoteError(ServiceError):
    """Something the other system said or did not say; the cause carries its text without stack trace."""

    code = Code.REMOTE
    status = 502
    system = "Unimicro"

    def __init__(self, cause: str, *, fix: str = "", code: Code | None = None, http_status: int | None = None) -> None:
        super().__init__(cause, fix=fix, code=code)
        self.http_status = http_status


class RemoteRejectedError(RemoteError):
    """The other system refused and would refuse again."""

    code = Code.REMOTE_REJECTED


class RemoteMissingError(RemoteRejectedError):
    """The other system said, in its own words, that it has no such record; one such answer alone is a weak sign."""

    code = Code.REMOTE_MISSING


class RemoteThrottledError(RemoteError):
    """Too many calls; `retry_after` seconds of silence are asked for."""

    code = Code.REMOTE_THROTTLED

    def __init__(
        self,
        cause: str,
        *,
        retry_after: float,
        http_status: int | None = 429,
        fix: str = "",
        code: Code | None = None,
    ) -> None:
        super().__init__(cause, fix=fix or fix_for(Code.REMOTE_THROTTLED), http_status=http_status, code=code)
        self.retry_after = retry_after


class RemoteUnavailableError(RemoteError):
    """The other system could not be reached, or failed on a read: nothing was stored."""

    code = Code.REMOTE_UNAVAILABLE


class AuthExpiredError(RemoteError):
    """The sign-in is no longer good; the key waits until an administrator signs in again."""

    code = Code.SIGN_IN_AGAIN


class OutcomeUnknownError(RemoteError):
    """A write may or may not have been stored; look it up before doing anything again."""

    code = Code.OUTCOME_UNKNOWN
