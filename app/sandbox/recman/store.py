"""What the sandbox RecMan remembers: its records, who called, how often today, and which trouble is ordered."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Literal

import httpx
from fastapi import Depends, Request

from app.sandbox.samples import Record, load_samples

SANDBOX_KEY = "sandbox-recman-key"
ID_FIELDS = {
    "company": "companyId",
    "project": "projectId",
    "invoice": "invoiceId",
    "department": "department_id",
    "user": "user_id",
    "corporation": "corporationId",
    "job": "jobId",
    "log": "logId",
}

Call = tuple[str, tuple[tuple[str, str], ...]]


class FaultKind(StrEnum):
    """The trouble RecMan can be told to make; finer faults belong to the sandbox Unimicro."""

    UNAVAILABLE = "unavailable"
    HTTP200_FAILURE = "http200_failure"
    HANG = "hang"


@dataclass(slots=True)
class Fault:
    """Trouble for the next `times` calls; a hang lasts `seconds` before the answer comes."""

    kind: FaultKind
    times: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OddAnswer:
    """What version 2 answers instead of records, to calls about these scopes and with this parameter; empty: to any."""

    body: Record
    status: int
    scopes: frozenset[str]
    parameter: str

    def answers(self, params: Mapping[str, str]) -> bool:
        """Whether a call with these parameters gets it."""
        is_of_scope = not self.scopes or params.get("scope", "") in self.scopes
        return is_of_scope and (not self.parameter or self.parameter in params)


def today_utc() -> date:
    """The day the quota counts for. Source: assumed; RecMan's reset hour is unknown."""
    return datetime.now(UTC).date()


def open_loopback_http() -> httpx.AsyncClient:
    """A client for sending webhooks; deaf to proxy settings, because it never leaves the machine."""
    return httpx.AsyncClient(timeout=10, trust_env=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecmanOptions:
    """The ways in which the real RecMan may differ from our guess.

    Source: docs/facts/recman.md §2.2 (fields, id filters), §2.4 (data), §2.7 (page size, unstable pages), §2.8 (quota);
    the sign of credit notes and the refused parameters of invoices are assumed. `more_fields`: names that an account
    has besides, such as a customer's GLN. `log_needs_segment`: a log is read of one company, contact, candidate,
    project or user alone, as RecMan's page says; code that reads it without was seen to work (§2.2, §3.6).
    """

    keys: frozenset[str] = frozenset({SANDBOX_KEY})
    daily_quota: int = 200
    page_size: int = 1000
    data_shape: Literal["map", "list"] = "map"
    invoice_ids_filter: Literal["honour", "ignore", "refuse"] = "honour"
    scopes_without_fields: frozenset[str] = frozenset({"invoice"})
    refused_scopes: frozenset[str] = frozenset()
    unstable_pages: bool = False
    after_last_page: Literal["nothing", "first"] = "nothing"
    more_fields: frozenset[str] = frozenset()
    log_needs_segment: bool = False
    credit_sign: Literal["positive", "negative"] = "positive"
    today: Callable[[], date] = today_utc
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    open_http: Callable[[], httpx.AsyncClient] = open_loopback_http


class RecmanStore:
    """One made-up RecMan account in memory, filled with the samples."""

    def __init__(self, options: RecmanOptions) -> None:
        self.options = options
        self.reset()

    def reset(self) -> None:
        """Back to the samples: changed records, counted calls, used quota, faults and odd answers are forgotten."""
        self.samples = load_samples()
        self.records = {
            scope: {str(record[ID_FIELDS[scope]]): record for record in records}
            for scope, records in self.samples.records.items()
        }
        self.calls: Counter[Call] = Counter()
        self.used: Counter[tuple[date, str]] = Counter()
        self.fault: Fault | None = None
        self.odd_answer: OddAnswer | None = None

    def put_record(self, scope: str, record_id: str, record: Record) -> None:
        """Add or replace one raw record; a replaced one keeps its place in the order."""
        self.records[scope][record_id] = deepcopy(record)

    def remove_record(self, scope: str, record_id: str) -> bool:
        """Whether there was such a record; it is gone now."""
        return self.records[scope].pop(record_id, None) is not None

    def record_call(self, path: str, params: Mapping[str, str]) -> None:
        """Count a call by path and parameters; the key is never kept."""
        shown = tuple(sorted((name, value) for name, value in params.items() if name != "key"))
        self.calls[path, shown] += 1

    def take_quota(self, key: str) -> bool:
        """Whether the key had a call left today; the call is counted."""
        slot = (self.options.today(), key)
        self.used[slot] += 1
        return self.used[slot] <= self.options.daily_quota

    def take_fault(self) -> Fault | None:
        """The trouble this call must meet, if any is still ordered."""
        if self.fault is None or self.fault.times < 1:
            return None
        self.fault.times -= 1
        return self.fault

    def find_odd_answer(self, params: Mapping[str, str]) -> OddAnswer | None:
        """What is answered to such a call instead of records, if anything."""
        odd = self.odd_answer
        return odd if odd is not None and odd.answers(params) else None


def get_store(request: Request) -> RecmanStore:
    """The store of the app that is being called."""
    store: RecmanStore = request.app.state.store
    return store


StoreDep = Annotated[RecmanStore, Depends(get_store)]
