"""What commands print."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.admin.audit import ChainCheck
from app.cli.sweeping import Progress
from app.domain.findings import Finding, Level
from app.domain.reading import SWEPT_SCOPES
from app.domain.states import SweepState
from app.retention.erase import Erased
from app.retention.prune import Pruned
from app.settings import SettingRow
from app.sweep.probe import Finding as Probed
from app.tables import ListedDocument, Sweep

# Nobody who reads what is piped wants it wrapped or cut to the width of a terminal that is not there.
_PIPED_COLUMNS = 10_000
console = Console(width=None if sys.stdout is None or sys.stdout.isatty() else _PIPED_COLUMNS)
# As many rows are shown; the report has all.
MOST_SHOWN = 20


# What is over sooner need not be said.
_SHORT_SECONDS = 1.0
_MARKS = {
    Level.FINE: "[green]ok  [/]",
    Level.NOTE: "[yellow]note[/]",
    Level.NOT_KNOWN: "[yellow]?   [/]",
    Level.ALARM: "[red]bad [/]",
}


def tell_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    """Print which version this is, and end, when it was asked for."""
    if asked:
        print(f"recman-unimicro {version('recman-unimicro')}")  # noqa: T201 - to be captured by a script
        raise typer.Exit


def tell_finding(finding: Finding) -> None:
    """Print what a check found: what it is, what it means for an invoice, and who can mend it and how."""
    console.print(
        f"{_MARKS[finding.level]} {escape(f'{finding.what}: {finding.cause}')}", highlight=False, soft_wrap=True
    )
    if not finding.fix:
        return
    who = f" ({finding.mender.replace('_', ' ')})" if finding.mender else ""
    told = f"{finding.means} {finding.fix}{who}".strip()
    console.print(f"     {told}", markup=False, highlight=False, soft_wrap=True)


def tell_break(chain: ChainCheck) -> str:
    """What is wrong with a chain of the audit trail."""
    if chain.broken is not None:
        return f"Row {chain.broken} of the audit trail was changed or put in, or one before it removed."
    whose = f"of tenant {chain.tenant_id}" if chain.tenant_id is not None else "of the installation"
    return f"The newest {chain.missing} rows {whose} are gone from the audit trail."


def show_preview(aside: Console, preview: Sweep, old: int, rows: Sequence[ListedDocument]) -> None:
    """Print what a backfill's dry run found."""
    table = Table("number", "date", "amount", "", box=None, pad_edge=False)
    for row in rows:
        amount = "" if row.gross_amount is None else f"{row.gross_amount} {row.currency}"
        note = "before the go-live day" if row.before_go_live else ""
        table.add_row(escape(row.number), row.invoice_date.isoformat(), amount, note)
    console.print(table)
    if len(rows) == MOST_SHOWN:
        aside.print(f"The whole list: GET /v1/recman/sweeps/{preview.id}/documents")
    if old:
        aside.print(f"{old} are dated before the go-live day and are held. To send them: --confirm {preview.id}")


@dataclass(slots=True)
class SweepTeller:
    """Prints how far a sweep is, each step once."""

    aside: Console
    last: str = ""

    def __call__(self, progress: Progress) -> None:
        """Print it, unless that was said last."""
        sweep = progress.sweep
        where = f"page {sweep.page}" if sweep.page else "telling"
        waits = progress.pause > _SHORT_SECONDS and sweep.trouble
        told = f"{sweep.scope}: {where}" + (f", waits: {sweep.trouble['cause']}" if waits and sweep.trouble else "")
        if told != self.last and sweep.state == SweepState.RUNNING:
            self.aside.print(told, markup=False)
            self.last = told


def tell_sweep_end(aside: Console, end: Progress) -> None:
    """Print what a sweep found, and whether it is over, or what it waits for and what goes on without us."""
    sweep = end.sweep
    table = Table("scope", "counts", box=None, pad_edge=False)
    for scope, counts in sorted(sweep.counts.items(), key=lambda one: SWEPT_SCOPES.index(one[0])):
        table.add_row(scope, ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))
    console.print(table)
    trouble = sweep.trouble or {}
    if end.waits_long:
        until = end.until.astimezone().isoformat(sep=" ", timespec="minutes")
        aside.print(f"{sweep.kind.capitalize()} {sweep.id} waits: {trouble.get('cause', 'for its turn')}", markup=False)
        aside.print(f"It goes on at {until} with any worker that runs. {trouble.get('fix', '')}".strip(), markup=False)
    elif sweep.state == SweepState.FAILED:
        aside.print(f"{sweep.kind.capitalize()} {sweep.id} has failed: {trouble.get('cause', '')}", markup=False)
        aside.print(trouble.get("fix", ""), markup=False)
    else:
        what = f"{sweep.kind.capitalize()} {sweep.id} is {sweep.state}."
        aside.print(f"{what} What it found is carried by any worker that runs.", markup=False)


def tell_pruned(pruned: Sequence[Pruned], *, dry_run: bool) -> None:
    """Print what was let go, or would be."""
    for one in pruned:
        console.print(f"{one.tenant}: {one.rows} {one.what}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{sum(one.rows for one in pruned)} rows {'would go' if dry_run else 'gone'}.", highlight=False)


def tell_erased(erased: Erased) -> None:
    """Print what went of a record, and what stays."""
    console.print(
        f"Emptied: {erased.bodies} webhook bodies, {erased.attempts} attempts, {erased.transfers} transfers, "
        f"{erased.checks} customer checks, {erased.listed} rows of lists.\n"
        f"{erased.kept} documents in the books, or in files of exports, stay, as law wants it.",
        highlight=False,
        soft_wrap=True,
    )


def show_findings(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what a customer check found and a person should look at."""
    table = Table("finding", "RecMan", "Unimicro", "alike", "why, and what to do", box=None, pad_edge=False)
    wanting = [row for row in rows if row["needs_person"]]
    for row in wanting[:MOST_SHOWN]:
        sides = (f"{row[f'{side}_number']} {row[f'{side}_name']}".strip() for side in ("recman", "remote"))
        alike = "" if row["similarity"] is None else str(row["similarity"])
        cells = (row["kind"].replace("_", " "), *sides, alike, f"{row['cause']}. {row['fix']}")
        table.add_row(*map(escape, cells))
    console.print(table)
    if len(wanting) > MOST_SHOWN:
        console.print(f"and {len(wanting) - MOST_SHOWN} more: --format html --out report.html")


def show_probe(findings: Iterable[Probed]) -> None:
    """Print what a probe learned of each scope."""
    table = Table("scope", "outcome", "by id", "records", "names", box=None, pad_edge=False)
    for one in findings:
        by_id = {None: "", True: "yes", False: "no"}[one.by_id]
        names = ", ".join(name for name in one.fields if "[]" not in name)
        table.add_row(one.scope, one.outcome, by_id, str(one.records), escape(one.detail or names))
    console.print(table)


def show_settings(rows: Iterable[SettingRow]) -> None:
    """Print every setting, secrets masked."""
    table = Table("variable", "value", "from", "meaning", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.variable, row.value, row.source, row.meaning)
    console.print(table)
