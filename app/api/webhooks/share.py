"""How many deliveries one hook may be sent: a sender gone wild, or whoever has learnt an address, stops nobody else."""

from dataclasses import dataclass, field
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from app.errors import TooManyDeliveriesError
from app.platform.logger import get_logger
from app.platform.resources import Resources

_log = get_logger(__name__)
# The log is told of each hook once a minute.
_TOLD = RateLimitItemPerMinute(1)


@dataclass(slots=True)
class HookShares:
    """What this process has taken from each hook in the present minute, or whatever time the rate names."""

    counted: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(MemoryStorage()))
    rates: dict[str, RateLimitItem] = field(default_factory=dict)

    def rate_of(self, said: str) -> RateLimitItem:
        """The rate as the library has it, read once."""
        if said not in self.rates:
            self.rates[said] = parse(said)
        return self.rates[said]


async def require_share(resources: Resources, hook_id: UUID) -> None:
    """Count a delivery whose secret was right; not one whose was wrong, or a stranger could use the share up.

    Raises:
        TooManyDeliveriesError: the hook has had its share.
    """
    said = resources.settings.webhook_rate
    if not said:
        return
    shares, place = resources.kept(HookShares), str(hook_id)
    if await shares.counted.hit(shares.rate_of(said), "taken", place):
        return
    if await shares.counted.hit(_TOLD, "told", place):
        _log.warning("hook_over_its_share", hook=place, rate=said)
    fix = "Send it again later: what was sent before is stored. If so many are meant, raise RMU_WEBHOOK_RATE."
    raise TooManyDeliveriesError(f"The hook is sent more than {said.replace('/', ' a ')}", fix=fix)
