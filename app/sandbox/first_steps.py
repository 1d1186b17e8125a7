"""What `recman-unimicro sandbox` prints: an environment to copy, and the steps to an invoice in its books."""

import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from app.platform.crypto import new_token
from app.sandbox.recman.store import SANDBOX_KEY
from app.sandbox.serve import SandboxPorts
from app.sandbox.unimicro.options import SandboxOptions
from app.sandbox.unimicro.seed import COMPANIES, create_companies

# The first of the sample invoices: its customer is new to the books, its product is in them.
SAMPLE_INVOICE = "5001"
# As many as are compared before a key can be opened.
_PROOFS = ("5002", "5003")
# The sample data begin in this month.
_GO_LIVE = "2026-10-01"
_CALLBACK_PATH = "/oauth/unimicro/callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """Everything that the printed lines are made of; `command` is our own command line, as this process was started."""

    command: str
    python: str
    public_url: str
    recman: str
    unimicro: str
    identity: str
    data_dir: Path
    token: str
    encryption_key: str


def plan_first_steps(ports: SandboxPorts, *, redirect_uri: str, data_dir: Path) -> FirstSteps:
    """The steps for stand-ins at these ports, with fresh secrets and a fresh folder: the stand-ins begin empty too."""
    script = Path(sys.executable).with_name("recman-unimicro")
    return FirstSteps(
        command=shlex.quote(str(script)) if script.exists() else f"{shlex.quote(sys.executable)} -m app",
        python=shlex.quote(sys.executable),
        public_url=redirect_uri.removesuffix(_CALLBACK_PATH),
        recman=f"http://127.0.0.1:{ports.recman}",
        unimicro=f"http://127.0.0.1:{ports.unimicro}",
        identity=f"http://127.0.0.1:{ports.identity}",
        data_dir=data_dir / f"sandbox-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        token=new_token("rmu"),
        encryption_key=Fernet.generate_key().decode(),
    )


def render_first_steps(steps: FirstSteps) -> str:
    """The text for a person.

    Shape: prose at the margin, commands indented; each block of commands works when it is copied as it is.
    """
    return _TEXT.format(
        steps=steps,
        environment="\n".join(f"  export {name}={shlex.quote(value)}" for name, value in to_environment(steps).items()),
        recman_key=SANDBOX_KEY,
        company=COMPANIES[0][0],
        company_key=next(iter(create_companies(SandboxOptions()))),
        go_live=_GO_LIVE,
        invoice=SAMPLE_INVOICE,
        proofs=" ".join(_PROOFS),
    )


def to_environment(steps: FirstSteps) -> dict[str, str]:
    """The service's settings against the stand-ins, by variable; less patient than the real systems need."""
    options = SandboxOptions()
    return {
        "RMU_DATA_DIR": str(steps.data_dir),
        "RMU_PUBLIC_URL": steps.public_url,
        "RMU_PORT": str(urlsplit(steps.public_url).port or 80),
        "RMU_BOOTSTRAP_TOKEN": steps.token,
        "RMU_ENCRYPTION_KEYS": steps.encryption_key,
        "RMU_UNIMICRO_ISSUER": steps.identity,
        "RMU_UNIMICRO_API_BASE": f"{steps.unimicro}/",
        "RMU_UNIMICRO_ALLOWED_HOSTS": urlsplit(steps.unimicro).netloc,
        "RMU_UNIMICRO_CLIENT_ID": options.client_id,
        "RMU_UNIMICRO_CLIENT_SECRET": options.client_secret,
        "RMU_UNIMICRO_READ_LAG_SECONDS": "0.5",
        "RMU_RECMAN_API_BASE": steps.recman,
        "RMU_RECMAN_DEBOUNCE_SECONDS": "1",
        "RMU_RECMAN_SWEEP_HOURS": "0",
    }


_TEXT = """\
Sandbox RecMan:   {steps.recman}
Sandbox Unimicro: {steps.unimicro}, its sign-in {steps.identity}
Both are on this machine only and forget everything when this command ends. Copy the indented lines.

1. In a second terminal: the environment, then the service (its own Postgres, API and worker).

  unset DATABASE_URL
{environment}
  {steps.command} up

2. In a third terminal, once {steps.public_url}/health/ready answers: two shorthands,
then the RecMan account as a tenant, and the secret address to which RecMan sends its webhooks.

  api={steps.public_url}
  ask() {{ curl -sS -H "Authorization: Bearer {steps.token}" -H "Content-Type: application/json" "$@"; }}
  pick() {{ {steps.python} -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }}
  tenant=$(ask -d '{{"name": "Sandbox", "recman_api_key": "{recman_key}"}}' "$api/v1/tenants" | pick id)
  hook=$(ask -d '{{"name": "RecMan"}}' "$api/v1/hooks?tenant=$tenant" | pick address)

3. Sign in to Unimicro: `curl` does it here, for the sandbox asks for no password. With a browser, leave that line out
and open the address that `echo` shows; it brings you back to the service.

  begun=$(ask -d '{{}}' "$api/v1/keys/connect?tenant=$tenant")
  pending=$(printf '%s' "$begun" | pick pending_id)
  url=$(printf '%s' "$begun" | pick authorize_url)
  echo "$url"
  curl -sSL --cookie '' "$url"

4. Make a key to the company {company}, and compare the customers of both sides. The sandbox's books have
none yet, so the check ends `green`. Where it ends with `findings`, the key waits until they are mended or somebody
accepts them: ask -d '{{"name": "Me", "reason": "looked at"}}' "$api/v1/keys/$key/customer-check/accept?tenant=$tenant"
Who sends the invoices is asked, never assumed: here RecMan does, and an accountant accepts that the books number by
themselves and make a KID where the invoice has none.

  word='"name": "An accountant", "reason": "made-up books"'
  accepted=$(printf '"acceptance": {{%s, "day": "{go_live}"}}, "kid_acceptance": {{%s}}' "$word" "$word")
  order=$(printf '{{"pending_id": "%s", "company_key": "%s", "name": "First", "go_live": "{go_live}", %s, %s}}' \\
    "$pending" {company_key} '"sender": "recman", "booking": "renumbered"' "$accepted")
  key=$(ask -d "$order" "$api/v1/keys?tenant=$tenant" | pick id)
  ask -X POST "$api/v1/keys/$key/customer-check?tenant=$tenant"

5. Send webhooks as RecMan would: invoice {invoice} is new, and two more are.

  tell() {{ curl -sS -H "Content-Type: application/json" -d "$1" "$hook"; }}
  webhook='{{"scope": "invoice", "operation": "insert", "invoiceId": %s}}'
  for id in {invoice} {proofs}; do tell "$(printf "$webhook" "$id")"; done

6. Some seconds later the invoices are in Unimicro: the overview says so, and the stand-in's books show them
(a browser opens them as well).

  ask "$api/v1/invoices?tenant=$tenant"
  curl -sS {steps.unimicro}/sandbox/books

7. A new key is proven first: its documents go one at a time, and each is compared. After three equal ones (`missing` is
0) an administrator opens it; a difference would have stopped it, with both values.

  ask "$api/v1/keys/$key?tenant=$tenant" | pick proof
  ask -d '{{"name": "Me", "reason": "three invoices compared"}}' "$api/v1/keys/$key/open?tenant=$tenant"

Every door of the service: {steps.public_url}/docs   Calls that RecMan got: {steps.recman}/sandbox/recman/calls
All sample webhooks: ask -d "{{\\"url\\": \\"$hook\\"}}" {steps.recman}/sandbox/recman/send
Ctrl-C here ends the sandboxes, and in the second terminal the service. The next start prints new lines.
"""
