"""Every error this service raises on purpose: the HTTP status a door answers with, and the fate a worker gives a lane.

```
ServiceError                        500  retry           something of ours broke
├── RequestError                    422  retry           the caller sent something we cannot use
│   ├── SignatureError              401  retry           a webhook's secret or signature is wrong
│   │   └── TokenError              401  retry           no admin token came, or none that is good
│   ├── ForbiddenError              403  retry           the token's role may not do this
│   ├── NotFoundError               404  retry           no such thing (for this caller)
│   ├── MethodError                 405  retry           the address takes another method
│   ├── ConflictError               409  retry           the thing is in another state than the request supposes
│   ├── ChangedError                412  retry           the thing has changed since the caller looked at it
│   ├── UnseenError                 428  retry           the caller does not say what he looked at
│   ├── StateUsedError              422  retry           a sign-in comes back that has come back already
│   ├── MediaError                  415  retry           the body comes in a form that nobody here reads
│   ├── TooLargeError               413  retry           the body is over the cap
│   ├── TooSlowError                408  retry           the body did not come to its end in time
│   ├── TooManyDeliveriesError      429  retry           a hook sends more than its share: nothing was stored
│   └── TooManyTriesError           429  retry           too many wrong tokens came from one address
├── BusyError                       503  retry           too much is under way: the sender must try again
├── DatabaseAwayError               503  retry           Postgres does not answer: the sender must try again
│   └── SchemaError                 503  retry           it has another schema than this version's
├── NotReadyError                   503  retry           this process cannot do its work as it stands
├── EncryptionKeyMissingError       500  retry           no process starts: secrets could not be stored
├── StartError                      500  retry           no process starts: what it needs around it is not there
├── SecretUnreadableError           500  retry           none of the encryption keys opens what is stored
├── EmbeddedPostgresError           500  retry           no process starts: the Postgres of our own does not
├── HoldError                       409  hold            a person must decide; carries every gap at once
├── WaitError                       409  wait            for another record, at most some seconds; no try spent
│   └── ProvingError                409  wait            for the one document that goes while a key is being proven
├── KeyPausedError                  409  rest            the key rests: its lanes wait some seconds; no try spent
├── StaleLeaseError                 500  stop            another worker owns the lane now
└── RemoteError                     502  retry           the other system; each says whose it is when it is raised
    ├── RemoteRejectedError         502  hold            it said no and will say no again
    │   ├── PeriodLockedError       502  hold            it said no because of the day: the period is locked
    │   └── RemoteMissingError      502  retry, hold     it said that there is no such record: asked again first
    ├── RemoteThrottledError        502  pause           it asks for silence: Unimicro's key, or the tenant's RecMan
    ├── RemoteUnavailableError      502  retry           surely nothing was stored
    │   └── RemoteUnexplainedError  502  retry           it said no in words that are known to pass
    ├── AuthExpiredError            502  rest            until somebody signs in, or enters another API key
    └── OutcomeUnknownError         502  retry           a write got no answer: looked for before it is done again
        └── AlreadyStoredError      502  retry           it was stored earlier: looked for before anything else
```

`app/worker.py` holds the fates as a table.
"""

from enum import StrEnum

from app.domain.reasons.catalogue import CATALOGUE, fix_for
from app.domain.reasons.codes import Code, Reason


class ServiceError(Exception):
    """The root: has a code, a cause, a fix and the HTTP status a door answers with."""

    code = Code.INTERNAL
    status = 500

    def __init_subclass__(cls, *, code: Code | None = None, status: int | None = None) -> None:
        super().__init_subclass__()
        cls.code, cls.status = code or cls.code, status or cls.status

    def __init__(self, cause: str, *, fix: str = "", code: Code | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix
        self.code = code or type(self).code

    @property
    def reason(self) -> Reason:
        """The same for people, as a transfer keeps it."""
        row = CATALOGUE.get(self.code)
        return Reason(code=self.code, cause=self.cause, fix=self.fix or (row.fix.en if row is not None else ""))


class System(StrEnum):
    """One of the two systems between which we stand; the value is its name for people."""

    RECMAN = "RecMan"
    UNIMICRO = "Unimicro"


class RequestError(ServiceError, code=Code.BAD_REQUEST, status=422):
    """The request cannot be used as it is."""


class SignatureError(RequestError, code=Code.NOT_SIGNED_IN, status=401):
    """A secret, signature or token does not check out."""


class TokenError(SignatureError):
    """No admin token came, or none that is good; the caller is told how one is sent."""


class ForbiddenError(RequestError, code=Code.FORBIDDEN, status=403):
    """The caller is known but may not do this."""


class NotFoundError(RequestError, code=Code.NOT_FOUND, status=404):
    """There is no such thing, or none this caller may see."""


class MethodError(RequestError, code=Code.METHOD_NOT_ALLOWED, status=405):
    """The address takes another method."""


class ConflictError(RequestError, code=Code.CONFLICT, status=409):
    """The thing is in another state than the request supposes."""


class ChangedError(RequestError, code=Code.CHANGED_MEANWHILE, status=412):
    """The thing has changed since the caller looked at it."""


class UnseenError(RequestError, code=Code.IF_MATCH_MISSING, status=428):
    """The caller must say which state of the thing the change is meant for."""


class StateUsedError(RequestError, code=Code.STATE_USED):
    """The sign-in has come back already; whoever only loads its page again has done nothing wrong."""


class MediaError(RequestError, code=Code.MEDIA_UNSUPPORTED, status=415):
    """The body comes in a form that is not read here."""


class TooLargeError(RequestError, code=Code.TOO_LARGE, status=413):
    """The body is over the cap."""


class TooManyTriesError(RequestError, code=Code.TOO_MANY_TRIES, status=429):
    """Too many wrong tokens came from one address."""


class TooSlowError(RequestError, code=Code.TOO_SLOW, status=408):
    """The body did not come to its end in time."""


class TooManyDeliveriesError(RequestError, code=Code.TOO_MANY_DELIVERIES, status=429):
    """A hook is sent more than its share; nothing of this delivery was stored."""


class BusyError(ServiceError, code=Code.BUSY, status=503):
    """As much is under way as the process can hold; nothing was done, so the sender must try again."""


class DatabaseAwayError(ServiceError, code=Code.DATABASE_AWAY, status=503):
    """Postgres does not answer; nothing was stored, so the sender must try again."""


class SchemaError(DatabaseAwayError):
    """The database has another schema than this version was written for; `case` names what mends it."""

    def __init__(self, cause: str, *, case: str = "schema") -> None:
        super().__init__(cause, fix=fix_for(Code.DATABASE_AWAY, case))


class NotReadyError(ServiceError, code=Code.NOT_READY, status=503):
    """This process answers, but what it needs to do its work is not there; the cause lists all of it."""


class EncryptionKeyMissingError(ServiceError, code=Code.ENCRYPTION_KEY_MISSING):
    """Secrets cannot be stored without a key."""


class StartError(ServiceError, code=Code.CANNOT_START):
    """A process cannot start: the database, or the address to listen on, is not as it needs them."""


class SecretUnreadableError(ServiceError, code=Code.SECRET_UNREADABLE):
    """A stored secret cannot be read with the present keys, or belongs to another row."""


class EmbeddedPostgresError(ServiceError, code=Code.EMBEDDED_POSTGRES):
    """The embedded Postgres cannot be used; says why and what to do about it."""

    def __str__(self) -> str:
        return f"{self.cause}. {self.fix}"


class HoldError(ServiceError, code=Code.HELD, status=409):
    """A person must decide; `gaps` holds everything that is missing, not just the first thing found."""

    def __init__(self, gaps: tuple[Reason, ...]) -> None:
        super().__init__("; ".join(gap.cause for gap in gaps), fix="; ".join(gap.fix for gap in gaps))
        self.gaps = gaps


class WaitError(ServiceError, code=Code.WAITS, status=409):
    """Another record must come first; the lane waits without spending a try, at most `seconds`.

    `while_open`: only as long as something of the other one is open; it need not be booked. `has_own_fix`: whoever
    raised it has said what a person must do; else nobody need do anything.
    """

    def __init__(
        self, cause: str, *, scope: str, record_id: str, seconds: float, fix: str = "", while_open: bool = False
    ) -> None:
        super().__init__(cause, fix=fix or fix_for(Code.WAITS))
        self.has_own_fix = bool(fix)
        self.scope = scope
        self.record_id = record_id
        self.seconds = seconds
        self.while_open = while_open


class ProvingError(WaitError, code=Code.KEY_PROVING):
    """The key is being proven: another of its documents is under way, and they go one at a time."""


class KeyPausedError(ServiceError, code=Code.KEY_PAUSED, status=409):
    """The key rests (throttled, paused by a person, or waiting for a sign-in); its lanes wait `seconds`."""

    def __init__(self, cause: str, *, seconds: float, fix: str, code: Code | None = None) -> None:
        super().__init__(cause, fix=fix, code=code)
        self.seconds = seconds


class StaleLeaseError(ServiceError, code=Code.STALE_LEASE):
    """This worker no longer owns the lane; whatever it was about to write must not be written."""


class RemoteError(ServiceError, code=Code.REMOTE, status=502):
    """Something the other system said or did not say; the cause carries its text without stack trace.

    Its words are searched for persons where they come in (domain.remarks), for causes are stored, shown and sent on.
    Whose it is stands in `system` from the beginning and for good: one of RecMan's that passed for Unimicro's would
    pause a key, and with it all of its lanes, for a quota of the other system.
    """

    def __init__(self, cause: str, *, system: System, fix: str = "", code: Code | None = None) -> None:
        super().__init__(cause, fix=fix, code=code)
        self._system = system

    @property
    def system(self) -> System:
        """Whose error it is."""
        return self._system


class RemoteRejectedError(RemoteError, code=Code.REMOTE_REJECTED):
    """The other system refused and would refuse again."""


class PeriodLockedError(RemoteRejectedError, code=Code.PERIOD_LOCKED):
    """The other system refused because of the day: its period is locked."""


class RemoteMissingError(RemoteRejectedError, code=Code.REMOTE_MISSING):
    """The other system said, in its own words, that it has no such record; one such answer alone is a weak sign."""


class RemoteThrottledError(RemoteError, code=Code.REMOTE_THROTTLED):
    """Too many calls; `retry_after` seconds of silence are asked for."""

    def __init__(
        self, cause: str, *, system: System, retry_after: float, fix: str = "", code: Code | None = None
    ) -> None:
        super().__init__(cause, system=system, fix=fix or fix_for(Code.REMOTE_THROTTLED), code=code)
        self.retry_after = retry_after


class RemoteUnavailableError(RemoteError, code=Code.REMOTE_UNAVAILABLE):
    """The other system could not be reached, or failed on a read: nothing was stored."""


class RemoteUnexplainedError(RemoteUnavailableError):
    """The other system answered and said no, in words that are not known to be its last."""


class AuthExpiredError(RemoteError, code=Code.SIGN_IN_AGAIN):
    """The sign-in is no longer good; the key waits until an administrator signs in again."""


class OutcomeUnknownError(RemoteError, code=Code.OUTCOME_UNKNOWN):
    """A write may or may not have been stored; look it up before doing anything again."""


class AlreadyStoredError(OutcomeUnknownError, code=Code.ALREADY_PROCESSED):
    """The other system says that it has stored this very write before; which record that is, a look must tell."""
