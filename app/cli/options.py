"""The options of the commands, each with its help."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.clerk.customers.report import ReportForm
from app.cli.show import tell_version
from app.domain.booking import Booking

# typer wants options as parameters with defaults; the aliases keep the commands readable.
ExitOption = Annotated[bool, typer.Option("--exit", help="End by itself: 0 when all went as intended, else 1.")]
KillOption = Annotated[bool, typer.Option("--kill-worker", help="kill -9 the worker in the middle, start another.")]
RepeatOption = Annotated[int, typer.Option(min=1, max=10, help="Deliver every webhook this often.")]
ShuffleOption = Annotated[int | None, typer.Option(help="Deliver in a random order made from this number.")]
NoHooksOption = Annotated[bool, typer.Option("--no-hooks", help="Send no webhook: a sweep finds everything.")]
TroubleOption = Annotated[
    int, typer.Option("--trouble-every", min=0, help="Each n-th webhook is lost, doubled or late; then sweep.")
]
VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=tell_version, help="Say which version this is.")
]
BookingOption = Annotated[Booking, typer.Option(help="How the key's documents get into the books.")]
NewKeyOption = Annotated[bool, typer.Option("--new-key", help="Only print a fresh encryption key.")]
WriteOption = Annotated[bool, typer.Option("--write", help="Write openapi/openapi.json.")]
CheckOption = Annotated[bool, typer.Option("--check", help="End with 1 when the file is not current.")]
RedirectOption = Annotated[str, typer.Option(help="Where the sandbox sign-in may send people back.")]
KeyNameOption = Annotated[str, typer.Option("--key", help="The key's name.")]
LookedKeyOption = Annotated[str | None, typer.Option("--key", help="Look at the key of this name, too.")]
TenantNameOption = Annotated[
    str | None, typer.Option("--tenant", help="Its tenant's name, if several have such a key.")
]
OwnerOption = Annotated[str | None, typer.Option("--tenant", help="The tenant's name, if there are several.")]
FromOption = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")]
ToOption = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day, included.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only count and list them.")]
ConfirmOption = Annotated[
    int | None,
    typer.Option(help="The number of a dry run of the same days: what it listed is sent, also before the go-live day."),
]
FormatOption = Annotated[ReportForm | None, typer.Option("--format", help="Write the whole report in this form.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Into this file instead of the console.")]
CitusOption = Annotated[
    bool, typer.Option("--citus", help="Distribute the tables by tenant as well (docs/scale.md); once is enough.")
]
CountOnlyOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
ScopeArgument = Annotated[
    Literal["company", "project", "invoice"], typer.Argument(help="What the record is in RecMan.")
]
RecordArgument = Annotated[str, typer.Argument(help="RecMan's id of the record.")]
