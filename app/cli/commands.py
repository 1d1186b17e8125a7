"""The command line: run the service, look after it, see it work."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, NoReturn

import typer
from cryptography.fernet import Fernet
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.clerk.customers.report import render_report
from app.cli import options, processes, upkeep
from app.cli.described import tell_description
from app.cli.doctor import examine
from app.cli.door import taken_address
from app.cli.exports import add_export
from app.cli.golive import create_golive_cli
from app.cli.layouts import create_layout_cli
from app.cli.show import (
    MOST_SHOWN,
    console,
    show_findings,
    show_preview,
    show_probe,
    show_settings,
    tell_break,
    tell_erased,
    tell_finding,
    tell_pruned,
    tell_sweep,
)
from app.domain.findings import stops_nothing
from app.domain.reading import SWEPT_SCOPES
from app.domain.states import CheckState, SweepState
from app.errors import ServiceError
from app.platform.logger import configure_logging
from app.settings import Settings, list_settings

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="RecMan → Unimicro: carries invoices, credit notes, customers and projects; nothing lost, nothing twice.\n\n"
    "See it work: `demo`. See what is missing: `doctor`. Run it: `up` (API and worker together), or `migrate`, "
    "then `serve` and `worker` apart, as many of each as you like. Settings are environment variables: `settings`.",
)
keys_cli = typer.Typer(no_args_is_help=True, help="Secrets of keys, hooks and tenants.")
audit_cli = typer.Typer(no_args_is_help=True, help="The audit trail.")
cli.add_typer(keys_cli, name="keys")
cli.add_typer(audit_cli, name="audit")
check_cli = typer.Typer(no_args_is_help=True, help="Checks before a key's first transfer.")
cli.add_typer(check_cli, name="check")
recman_cli = typer.Typer(no_args_is_help=True, help="RecMan's side: learn how an account spells its records.")
cli.add_typer(recman_cli, name="recman")


def main() -> None:
    """The console script: every expected trouble ends as two lines, cause and fix."""
    try:
        cli()
    except ServiceError as error:
        _give_up(error.cause, error.fix)
    except ValidationError as error:
        names = ", ".join(f"RMU_{'_'.join(map(str, part['loc'])).upper()}: {part['msg']}" for part in error.errors())
        _give_up(f"A setting cannot be used: {names}", "Correct it; `recman-unimicro settings` says what each means.")


def _give_up(cause: str, fix: str) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]{cause}[/]\n{fix}", highlight=False)
    sys.exit(1)


def _load_settings() -> Settings:
    settings = Settings()
    configure_logging(style=settings.log_format, level=settings.log_level)
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url
        return
    from app.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres

    with EmbeddedPostgres(settings.data_dir.resolve() / "postgres") as server:
        yield server.url


cli.add_typer(create_golive_cli(_load_settings, _database), name="golive")
cli.add_typer(create_layout_cli(_load_settings), name="layout")
add_export(cli, _load_settings, _database)


@cli.command()
def up() -> None:
    """Run everything in one process: database (embedded unless DATABASE_URL is set), migrations, API and worker."""
    settings = _load_settings()
    # Whoever has the address may be an older version at work: then nothing of its database is changed.
    with taken_address(settings) as sockets, _database(settings) as url:
        processes.run_async(processes.migrate(settings, url))
        processes.run_async(processes.serve_and_work(settings, url, sockets))


@cli.command()
def serve() -> None:
    """Run the API alone; any number may share one Postgres."""
    settings = _load_settings()
    with taken_address(settings) as sockets, _database(settings) as url:
        processes.run_async(processes.serve(settings, url, sockets))


@cli.command()
def worker() -> None:
    """Run a worker alone; any number may share one Postgres."""
    settings = _load_settings()
    with _database(settings) as url:
        processes.run_async(processes.work(settings, url))


@cli.command()
def migrate(*, citus: options.CitusOption = False) -> None:
    """Bring the database schema up to date; safe to run from many machines at once."""
    settings = _load_settings()
    with _database(settings) as url:
        if citus:
            tables = asyncio.run(processes.distribute(settings, url))
            console.print(f"Distributed now: {', '.join(tables) or 'nothing, all was'}.", soft_wrap=True)
        else:
            processes.run_async(processes.migrate(settings, url))
    console.print("The schema is up to date.")


@cli.command()
def demo(
    *,
    exit_: options.ExitOption = False,
    kill_worker: options.KillOption = False,
    repeat: options.RepeatOption = 1,
    shuffle: options.ShuffleOption = None,
    no_hooks: options.NoHooksOption = False,
    trouble_every: options.TroubleOption = 0,
) -> None:
    """See the whole way on made-up data: sandbox RecMan → this service → sandbox Unimicro, on this machine only."""
    from app.sandbox.demo import DemoOptions, run_demo  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres

    wanted = DemoOptions(
        stay=not exit_,
        kill_worker=kill_worker,
        repeat=repeat,
        shuffle=shuffle,
        hooks=not no_hooks,
        trouble_every=trouble_every,
    )
    sys.exit(run_demo(wanted, data_dir=Settings().data_dir.resolve()))


@cli.command()
def sandbox(
    recman_port: Annotated[int, typer.Option(help="Port of the sandbox RecMan.")] = 8101,
    unimicro_port: Annotated[int, typer.Option(help="Port of the sandbox Unimicro.")] = 8102,
    identity_port: Annotated[int, typer.Option(help="Port of its identity server.")] = 8103,
    redirect_uri: options.RedirectOption = "http://127.0.0.1:8000/oauth/unimicro/callback",
) -> None:
    """Run the stand-ins of RecMan and Unimicro on loopback; prints the environment and the steps to a first invoice."""
    from app.sandbox.first_steps import plan_first_steps, render_first_steps  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres
    from app.sandbox.serve import SandboxPorts, serve_sandboxes  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres

    configure_logging(style="text", level="INFO")
    ports = SandboxPorts(recman=recman_port, unimicro=unimicro_port, identity=identity_port)
    steps = plan_first_steps(ports, redirect_uri=redirect_uri, data_dir=Settings().data_dir.resolve())
    print(render_first_steps(steps), flush=True)  # noqa: T201 - to be copied, so nothing may wrap it
    processes.run_async(serve_sandboxes(ports, redirect_uri=redirect_uri))


@cli.command()
def doctor(
    *,
    new_key: options.NewKeyOption = False,
    key: options.LookedKeyOption = None,
    tenant: options.TenantNameOption = None,
) -> None:
    """Say what is missing, each with cause and fix; ends with 1 when anything is. With --key also of that key."""
    if new_key:
        print(Fernet.generate_key().decode())  # noqa: T201 - to be captured by a script
        return
    settings = _load_settings()
    with _database(settings) as url:
        findings = asyncio.run(examine(settings, url))
        if key is not None and stops_nothing(findings):
            findings += asyncio.run(upkeep.check_named_key(settings, url, key=key, tenant=tenant))
    for finding in findings:
        tell_finding(finding)
    sys.exit(0 if stops_nothing(findings) else 1)


@keys_cli.command("rotate-secrets")
def rotate_secrets() -> None:
    """Encrypt every stored secret again, with the first of RMU_ENCRYPTION_KEYS; then the older ones can be dropped."""
    settings = _load_settings()
    with _database(settings) as url:
        counts = asyncio.run(upkeep.rotate_secrets(settings, url))
    for name, count in counts.items():
        console.print(f"{name:10}{count} encrypted again")
    console.print("Drop the older keys from RMU_ENCRYPTION_KEYS when every process runs with the new one.")


@audit_cli.command("verify")
def verify_audit() -> None:
    """Check every chain of the audit trail; ends with 1 and names the first row that does not fit."""
    settings = _load_settings()
    with _database(settings) as url:
        chains = asyncio.run(upkeep.verify_audit(url, pooled=settings.database_pooled))
    for chain in chains:
        whose = f"tenant {chain.tenant_id}" if chain.tenant_id is not None else "the installation"
        console.print(f"{whose}: {chain.rows} rows fit", soft_wrap=True)
    wrong = [tell_break(chain) for chain in chains if not chain.fits]
    if wrong:
        _give_up(" ".join(wrong), "Compare with a backup, and find out who can write to the database.")
    console.print(f"{sum(chain.rows for chain in chains)} rows, every one fits.")


@check_cli.command("customers")
def check_customers(
    *,
    key: options.KeyNameOption,
    tenant: options.TenantNameOption = None,
    form: options.FormatOption = None,
    out: options.OutOption = None,
) -> None:
    """Compare all customers of RecMan and Unimicro; ends with 0 when nothing needs a person. Changes nothing."""
    settings = _load_settings()
    aside = Console(stderr=True, highlight=False, soft_wrap=True)
    with _database(settings) as url:
        end = asyncio.run(
            upkeep.check_customers(
                settings, url, key=key, tenant=tenant, tell=lambda one: aside.print(f"{one.step}: {one.done}")
            )
        )
    if end.check.failure is not None:
        _give_up(end.check.failure["cause"], end.check.failure["fix"])
    if form is not None:
        text = render_report(form, end.head, end.rows)
        sys.stdout.write(text) if out is None else out.write_text(text, encoding="utf-8")
    else:
        show_findings(end.rows)
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in end.head.counts.items() if count)
    aside.print(f"Check {end.check.id} is {end.check.state}: {counts or 'no customers'}.")
    sys.exit(0 if end.check.state == CheckState.GREEN else 1)


@cli.command()
def sweep(*, tenant: options.OwnerOption = None) -> None:
    """Read all of RecMan and look at whatever has changed; goes on with one that was interrupted."""
    _sweep(tenant, None)


@cli.command()
def backfill(
    *,
    first: options.FromOption,
    last: options.ToOption,
    dry_run: options.DryRunOption = False,
    confirm: options.ConfirmOption = None,
    tenant: options.OwnerOption = None,
) -> None:
    """Fetch documents of these days and send those not in Unimicro yet; none outside. Twice does no harm.

    What is dated before its key's go-live day is held for a person, unless --confirm names a dry run that listed it.
    """
    days = upkeep.Days(dated_from=first.date(), dated_to=last.date(), dry_run=dry_run, confirm=confirm)
    _sweep(tenant, days)


def _sweep(tenant: str | None, days: upkeep.Days | None) -> None:
    settings = _load_settings()
    aside = Console(stderr=True, highlight=False, soft_wrap=True)
    with _database(settings) as url:
        end = asyncio.run(upkeep.sweep_recman(settings, url, tenant=tenant, days=days, tell=partial(tell_sweep, aside)))
        if days is not None and days.dry_run:
            pooled = settings.database_pooled
            show_preview(aside, end, *asyncio.run(upkeep.list_preview(url, end, most=MOST_SHOWN, pooled=pooled)))
    table = Table("scope", "counts", box=None, pad_edge=False)
    for scope, counts in sorted(end.counts.items(), key=lambda one: SWEPT_SCOPES.index(one[0])):
        table.add_row(scope, ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))
    console.print(table)
    aside.print(f"{end.kind.capitalize()} {end.id} is {end.state}. What it found is carried by any worker that runs.")
    sys.exit(0 if end.state == SweepState.DONE else 1)


@cli.command()
def prune(*, dry_run: options.CountOnlyOption = False) -> None:
    """Let go of what was kept for long enough, as each tenant's retention says; the scheduler does so every day."""
    settings = _load_settings()
    with _database(settings) as url:
        tell_pruned(asyncio.run(upkeep.prune(url, dry_run=dry_run)), dry_run=dry_run)


@cli.command()
def erase(
    scope: options.ScopeArgument, record_id: options.RecordArgument, *, tenant: options.OwnerOption = None
) -> None:
    """Take a person's data by RecMan's record: `erase company 201`. What law keeps stays; the audit trail says so."""
    settings = _load_settings()
    with _database(settings) as url:
        tell_erased(asyncio.run(upkeep.erase(url, scope=scope, record_id=record_id, tenant=tenant)))


@recman_cli.command()
def probe(*, tenant: options.OwnerOption = None) -> None:
    """Learn in at most ten calls which scopes, names and filters an account has; ends with 1 when one is refused."""
    settings = _load_settings()
    with _database(settings) as url:
        findings = asyncio.run(upkeep.probe_recman(settings, url, tenant=tenant))
    show_probe(findings)
    needed = {one.outcome for one in findings if one.scope in SWEPT_SCOPES}
    sys.exit(1 if "refused" in needed else 0)


@cli.command()
def openapi(*, write: options.WriteOption = False, check: options.CheckOption = False) -> None:
    """Print, write or check the description of our REST API; the list of its codes is written and checked with it."""
    tell_description(write=write, check=check)


@cli.command()
def settings() -> None:
    """List every setting: its variable, value (secrets masked), where it comes from, and what it means."""
    show_settings(list_settings(Settings()))
