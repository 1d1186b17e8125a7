"""One run of `golive` at a time in a company: two would take back what the other one has just made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from app.errors import ConflictError
from app.platform.leases import Lead, claim_lead, record_office, release_lead
from app.platform.resources import Resources
from app.tables import Key

# Of a lease this part passes before it is prolonged.
_PART = 1 / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """The right to try things in one company, until its lease runs out; whoever lives prolongs it."""

    resources: Resources
    company_key: str
    company_name: str
    lead: Lead = field(default_factory=Lead)
    # Whoever claims waits for nobody: of two that ask at once for one run, one would be told that another run leads.
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def office(self) -> str:
        """What is led: whoever's key it is, the company is one."""
        return f"golive {self.company_key}"

    async def require(self) -> None:
        """Make sure that nobody else tries things there, from now until the lease runs out.

        Raises:
            ConflictError: another run does.
        """
        seconds = self.resources.settings.lease_seconds
        async with self._asking, self.resources.sessions.begin() as session:
            is_alone = await claim_lead(session, self.lead, self.office, seconds=seconds)
        if not is_alone:
            cause = f"Another run of `golive` tries things in {self.company_name} right now"
            fix = f"Wait until it has ended; where it was killed, {seconds:.0f} seconds. Then run this again."
            raise ConflictError(cause, fix=fix)

    async def prolong(self) -> None:
        """Say again and again that this run lives; whether it is still alone, its next step asks."""
        while True:
            await asyncio.sleep(self.resources.settings.lease_seconds * _PART)
            with suppress(ConflictError):
                await self.require()


@asynccontextmanager
async def alone_in_company(resources: Resources, key: Key) -> AsyncIterator[Alone]:
    """While open, no other run of `golive` tries anything in the key's company.

    Raises:
        ConflictError: one does so now.
    """
    alone = Alone(resources=resources, company_key=key.company_key, company_name=key.company_name)
    async with resources.sessions.begin() as session:
        await record_office(session, alone.office)
    await alone.require()
    prolonging = asyncio.create_task(alone.prolong())
    try:
        yield alone
    finally:
        prolonging.cancel()
        with suppress(asyncio.CancelledError):
            await prolonging
        async with resources.sessions.begin() as session:
            await release_lead(session, alone.lead, alone.office)
