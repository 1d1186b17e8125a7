"""The made-up names and secrets that every world has."""

from typing import Any

TOKEN = "rmu_canary-operator-token"
RECMAN_KEY = "canary-recman-key"
CLIENT_SECRET = "canary-client-secret"
OURS = "http://ours.test"
RECMAN = "http://recman.test"
UNIMICRO = "http://unimicro.test"
# Its identity server: another host, no path.
IDENTITY = "http://login.unimicro.test"
COMPANY = "Nordlys Bemanning AS"
# The second company that the same sign-in may work in.
OTHER = "Nordlys Konsulent AS"
# Before every sample and case: what a test is not about is not old.
GO_LIVE = "2026-01-01"
# After every sample.
LATE = "2026-12-01"
# RecMan sends, the books have numbers of their own, and whoever must has accepted both.
RENUMBERED: dict[str, Any] = {
    "sender": "recman",
    "booking": "renumbered",
    "acceptance": {"name": "Anne Regnskap", "reason": "a test of other things", "day": GO_LIVE},
    "kid_acceptance": {"name": "Anne Regnskap", "reason": "a test of other things"},
}
