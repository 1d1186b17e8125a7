"""The command line: run the service, look after it, see it work."""

import asyncio
import sys
from typing import Annotated

import typer
from cryptography.fernet import Fernet
from rich.console import Console

from app.clerk.customers.report import render_report
from app.cli import options, processes, sweeping, upkeep
from app.cli.described import tell_description
from app.cli.doctor import examine
from app.cli.door import taken_address, verify_ports
from app.cli.exports import add_export
from app.cli.golive import create_golive_cli
from app.cli.layouts import create_layout_cli
from app.cli.show import (
    MOST_SHOWN,
    SweepTeller,
    console,
    show_findings,
    show_preview,
    show_probe,
    show_settings,
    tell_break,
    tell_erased,
    tell_finding,
    tell_pruned,
    tell_sweep_end,
)
from app.cli.start import give_up, load_settings, open_database, run_command, run_on_database
from app.domain.booking import Booking
from app.domain.findings import stops_nothing
from app.domain.reading import SWEPT_SCOPES
from app.domain.states import CheckState, SweepState
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
    """The console script: every trouble ends as two lines, cause and fix."""
    run_command(cli)


@cli.callback()
def about(*, _version: options.VersionOption = False) -> None:
    """What is asked of the program itself; the help that is shown is the program's."""


cli.add_typer(create_golive_cli(load_settings, open_database), name="golive")
cli.add_typer(create_layout_cli(load_settings), name="layout")
add_export(cli, load_settings, open_database)


@cli.command()
def up() -> None:
    """Run everything in one process: database (embedded unless DATABASE_URL is set), migrations, API and worker."""
    settings = load_settings()
    # Whoever has the address may be an older version at work: then nothing of its database is changed.
    with taken_address(settings) as sockets, open_database(settings) as url:
        processes.run_async(processes.migrate(settings, url))
        processes.run_async(processes.serve_and_work(settings, url, sockets))


@cli.command()
def serve() -> None:
    """Run the API alone; any number may share one Postgres."""
    settings = load_settings()
    with taken_address(settings) as sockets, open_database(settings) as url:
        processes.run_async(processes.serve(settings, url, sockets))


@cli.command()
def worker() -> None:
    """Run a worker alone; any number may share one Postgres."""
    settings = load_settings()
    with open_database(settings) as url:
        processes.run_async(processes.work(settings, url))


@cli.command()
def migrate(*, citus: options.CitusOption = False) -> None:
    """Bring the database schema up to date; safe to run from many machines at once."""
    settings = load_settings()
    with open_database(settings) as url:
        if citus:
            tables = asyncio.run(processes.distribute(settings, url))
            console.print(f"Distributed now: {', '.join(tables) or 'nothing, all was'}.", soft_wrap=True)
        else:
            processes.run_async(processes.migrate(settings, url))
    console.print("The schema is up to date.")


@cli.command()
def demo(  # noqa: PLR0913 - one option each
    *,
    exit_: options.ExitOption = False,
    kill_worker: options.KillOption = False,
    repeat: options.RepeatOption = 1,
    shuffle: options.ShuffleOption = None,
    no_hooks: options.NoHooksOption = False,
    trouble_every: options.TroubleOption = 0,
    booking: options.BookingOption = Booking.RENUMBERED,
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
        booking=booking,
    )
    sys.exit(run_demo(wanted, data_dir=Settings().private_data_dir))


@cli.command()
def sandbox(
    recman_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the sandbox RecMan.")] = 8101,
    unimicro_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the sandbox Unimicro.")] = 8102,
    identity_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of its identity server.")] = 8103,
    redirect_uri: options.RedirectOption = "http://127.0.0.1:8000/oauth/unimicro/callback",
) -> None:
    """Run the stand-ins of RecMan and Unimicro on loopback; prints the environment and the steps to a first invoice."""
    from app.sandbox.first_steps import plan_first_steps, render_first_steps  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres
    from app.sandbox.serve import SandboxPorts, serve_sandboxes  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres

    configure_logging(style="text", level="INFO")
    ports = SandboxPorts(recman=recman_port, unimicro=unimicro_port, identity=identity_port)
    steps = plan_first_steps(ports, redirect_uri=redirect_uri, data_dir=Settings().private_data_dir)
    verify_ports(ports.recman, ports.unimicro, ports.identity)
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
    settings = load_settings()
    with open_database(settings) as url:
        findings = asyncio.run(examine(settings, url))
        if key is not None and stops_nothing(findings):
            findings += asyncio.run(upkeep.check_named_key(settings, url, key=key, tenant=tenant))
    for finding in findings:
        tell_finding(finding)
    sys.exit(0 if stops_nothing(findings) else 1)


@keys_cli.command("rotate-secrets")
def rotate_secrets() -> None:
    """Encrypt every stored secret again, with the first of RMU_ENCRYPTION_KEYS; then the older ones can be dropped."""
    settings = load_settings()
    with open_database(settings) as url:
        counts = run_on_database(settings, url, upkeep.rotate_secrets(settings, url))
    for name, count in counts.items():
        console.print(f"{name:10}{count} encrypted again")
    console.print("Drop the older keys from RMU_ENCRYPTION_KEYS when every process runs with the new one.")


@audit_cli.command("verify")
def verify_audit() -> None:
    """Check every chain of the audit trail; ends with 1 and names the first row that does not fit."""
    settings = load_settings()
    with open_database(settings) as url:
        chains = run_on_database(settings, url, upkeep.verify_audit(url, pooled=settings.database_pooled))
    for chain in chains:
        whose = f"tenant {chain.tenant_id}" if chain.tenant_id is not None else "the installation"
        console.print(f"{whose}: {chain.rows} rows fit", soft_wrap=True)
    wrong = [tell_break(chain) for chain in chains if not chain.fits]
    if wrong:
        give_up(" ".join(wrong), "Compare with a backup, and find out who can write to the database.")
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
    settings = load_settings()
    aside = Console(stderr=True, highlight=False, soft_wrap=True)
    with open_database(settings) as url:
        end = run_on_database(
            settings,
            url,
            upkeep.check_customers(
                settings, url, key=key, tenant=tenant, tell=lambda one: aside.print(f"{one.step}: {one.done}")
            ),
        )
    if end.check.failure is not None:
        give_up(end.check.failure["cause"], end.check.failure["fix"])
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
    days = sweeping.Days(dated_from=first.date(), dated_to=last.date(), dry_run=dry_run, confirm=confirm)
    _sweep(tenant, days)


def _sweep(tenant: str | None, days: sweeping.Days | None) -> None:
    settings = load_settings()
    aside = Console(stderr=True, highlight=False, soft_wrap=True)
    tell = SweepTeller(aside)
    with open_database(settings) as url:
        work = sweeping.sweep_recman(settings, url, tenant=tenant, days=days, tell=tell)
        end = run_on_database(settings, url, work)
        if days is not None and days.dry_run:
            pooled = settings.database_pooled
            found = asyncio.run(sweeping.list_preview(url, end.sweep, most=MOST_SHOWN, pooled=pooled))
            show_preview(aside, end.sweep, *found)
    tell_sweep_end(aside, end)
    sys.exit(0 if end.sweep.state == SweepState.DONE else 1)


@cli.command()
def prune(*, dry_run: options.CountOnlyOption = False) -> None:
    """Let go of what was kept for long enough, as each tenant's retention says; the scheduler does so every day."""
    settings = load_settings()
    with open_database(settings) as url:
        work = upkeep.prune(url, dry_run=dry_run, pooled=settings.database_pooled)
        tell_pruned(run_on_database(settings, url, work), dry_run=dry_run)


@cli.command()
def erase(
    scope: options.ScopeArgument, record_id: options.RecordArgument, *, tenant: options.OwnerOption = None
) -> None:
    """Take a person's data by RecMan's record: `erase company 201`. What law keeps stays; the audit trail says so."""
    settings = load_settings()
    with open_database(settings) as url:
        pooled = settings.database_pooled
        work = upkeep.erase(url, scope=scope, record_id=record_id, tenant=tenant, pooled=pooled)
        tell_erased(run_on_database(settings, url, work))


@recman_cli.command()
def probe(*, tenant: options.OwnerOption = None) -> None:
    """Learn in at most ten calls which scopes, names and filters an account has; ends with 1 when one is refused."""
    settings = load_settings()
    with open_database(settings) as url:
        findings = run_on_database(settings, url, upkeep.probe_recman(settings, url, tenant=tenant))
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
    show_settings(list_settings(load_settings()))
