"""A probe: a few calls that learn how a tenant's RecMan account spells its records. Values are never kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.reading import SWEPT_SCOPES, Purpose
from app.domain.reasons.codes import Code
from app.errors import (
    AuthExpiredError,
    ConflictError,
    RemoteRejectedError,
    RemoteThrottledError,
    RemoteUnavailableError,
    RemoteUnexplainedError,
)
from app.platform.resources import Resources
from app.reading.quota import Gate, open_gate
from app.reading.records import KnownAccounts, open_client
from app.recman.api.client import RecmanClient
from app.recman.api.notes import RecmanNotes
from app.recman.api.rows import index_rows
from app.recman.read.dialect import list_fields
from app.recman.read.spellings import Raw
from app.sweep.profiles import record_profile
from app.tables import Tenant

MOST_CALLS = 10
# By how much they matter: what does not fit into the calls is left out. Products have no proven scope
# (docs/facts/recman.md §3.4).
_FURTHER_SCOPES = ("department", "product", "user")
_V1_SCOPES = frozenset({"department", "user"})


@dataclass(slots=True)
class _Purse:
    """Lets a client make so many calls and no more."""

    gate: Gate
    left: int = MOST_CALLS

    async def enter(self, scope: str) -> None:
        if self.left < 1:
            raise _PurseEmptyError
        self.left -= 1
        await self.gate.enter(scope)

    async def rest(self, error: RemoteThrottledError | AuthExpiredError) -> None:
        await self.gate.rest(error)


class _PurseEmptyError(Exception):
    """The probe may make no more calls; RecMan itself is not tired."""


@dataclass(slots=True)
class Finding:
    """What the probe learnt of one scope; `by_id` None: not tried."""

    scope: str
    outcome: str
    detail: str = ""
    by_id: bool | None = None
    records: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


async def probe_account(resources: Resources, tenant: Tenant) -> list[Finding]:
    """Learn which scopes, names and filters the account has, in at most ten calls, and keep it as its profile.

    Raises:
        ConflictError: the tenant has no RecMan API key.
        RemoteError: RecMan cannot be reached, does not take the key, or gives no more calls today.
    """
    purse = _Purse(open_gate(resources.sessions, resources.settings, tenant, purpose=Purpose.CUSTOMERS))
    # With notes of its own: what was refused once may be allowed by now.
    notes = RecmanNotes()
    client = open_client(resources, tenant, gate=purse, notes=notes)
    if client is None:
        fix = "Enter a RecMan API key for the tenant (PATCH /v1/tenants/{id})."
        raise ConflictError("There is no RecMan API key to probe with", fix=fix, code=Code.NO_RECMAN_API_KEY)
    findings = await _probe(client, notes)
    async with resources.sessions.begin() as session:
        for one in findings:
            values = {
                name: getattr(one, name) for name in ("outcome", "detail", "by_id", "records", "fields", "refused")
            }
            await record_profile(session, tenant_id=tenant.id, scope=one.scope, **values)
    resources.kept(KnownAccounts).notes[tenant.id] = notes
    return findings


async def _probe(client: RecmanClient, notes: RecmanNotes) -> list[Finding]:
    findings: list[Finding] = []
    try:
        # Invoices first: they matter most.
        for scope in (*reversed(SWEPT_SCOPES), *_FURTHER_SCOPES):
            rows = await _read(client, scope, findings)
            first = _find_id(scope, rows, findings[-1]) if rows and scope in SWEPT_SCOPES else None
            if first is not None:
                await _try_by_id(client, scope, first, findings[-1])
    except (_PurseEmptyError, RemoteThrottledError, AuthExpiredError, RemoteUnavailableError) as error:
        # What was not reached is not reported; what was paid for is kept.
        if not isinstance(error, _PurseEmptyError) and not any(one.fields for one in findings):
            raise
    for one in findings:
        one.refused = sorted(name for name in notes.refused if name.startswith((f"{one.scope}.", f"{one.scope}?")))
    return findings


async def _read(client: RecmanClient, scope: str, findings: list[Finding]) -> Sequence[Raw]:
    try:
        rows = await client.fetch_v1(scope) if scope in _V1_SCOPES else (await client.fetch_page(scope, 1)).rows
    except (RemoteRejectedError, RemoteUnexplainedError) as error:
        findings.append(Finding(scope, "refused", detail=error.cause))
        return ()
    outcome = "readable" if rows else "empty"
    findings.append(Finding(scope, outcome, records=len(rows), fields=list_fields(rows)))
    return rows


def _find_id(scope: str, rows: Sequence[Raw], finding: Finding) -> str | None:
    """The id of any record; that there is none is what a probe is there to tell."""
    try:
        return next(iter(index_rows(scope, rows)), None)
    except RemoteUnavailableError as error:
        finding.detail = error.cause
        return None


async def _try_by_id(client: RecmanClient, scope: str, record_id: str, finding: Finding) -> None:
    """Whether records can be asked for by id: else each new one costs a reading of pages."""
    try:
        finding.by_id = await client.try_by_id(scope, record_id)
    except RemoteRejectedError as error:
        finding.by_id, finding.detail = False, error.cause
