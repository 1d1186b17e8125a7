"""`recman-unimicro export`: a key's documents into files, as `POST /v1/exports` makes them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer
from rich.table import Table

from app.admin.audit import record_change
from app.admin.keys import load_key
from app.cli import options
from app.cli.show import console
from app.cli.start import run_on_database
from app.cli.upkeep import load_named_key
from app.domain.reasons.codes import Code
from app.errors import ConflictError, RequestError
from app.files.choose import Wanted
from app.files.drop import to_change, write_file_whole
from app.files.exports import ExportOrder, create_export, load_files
from app.files.make import Draft, draft_export
from app.platform.db import translate_away
from app.platform.resources import open_resources
from app.settings import Settings
from app.tables import Export, ExportFile

_ACTOR = "command line"

LayoutOption = Annotated[str | None, typer.Option("--layout", help="The layout; not given: the key's usual one.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Only tell what the file would hold, and what is wrong.")]
IntoOption = Annotated[Path, typer.Option("--into", help="Into this folder; nothing is there before it is whole.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What the command was asked for."""

    key: str
    tenant: str | None
    layout: str | None
    into: Path | None


def add_export(
    cli: typer.Typer,
    load_settings: Callable[[], Settings],
    database: Callable[[Settings], AbstractContextManager[str]],
) -> None:
    """The command `export`."""

    @cli.command()
    def export(
        *,
        key: options.KeyNameOption,
        tenant: options.TenantNameOption = None,
        layout: LayoutOption = None,
        into: IntoOption = Path(),
        dry_run: DryOption = False,
    ) -> None:
        """Put all documents of a key that are ready into files; each goes into one file. Ends with 1 where none can."""
        settings = load_settings()
        wish = _Wish(key=key, tenant=tenant, layout=layout, into=None if dry_run else into)
        with database(settings) as url:
            draft = run_on_database(settings, url, _create_export(settings, url, wish))
        _tell(draft)
        raise typer.Exit(1 if draft.faults else 0)


async def _create_export(settings: Settings, url: str, wish: _Wish) -> Draft:
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources:
        async with resources.sessions() as session:
            key = await load_named_key(session, key=wish.key, tenant=wish.tenant)
        folder = settings.layouts_dir
        async with resources.of_tenant(key.tenant_id).sessions.begin() as session:
            if wish.into is None:
                return await draft_export(session, key, Wanted(), layout=wish.layout, folder=folder)
            order = ExportOrder(wanted=Wanted(), made_by=_ACTOR, layout=wish.layout)
            await asyncio.to_thread(_try_folder, wish.into)
            made, draft = await create_export(session, await load_key(session, key.id), order, folder=folder)
            await record_change(session, to_change(made, actor=_ACTOR))
        async with resources.of_tenant(key.tenant_id).sessions() as session:
            files = await load_files(session, made)
        await asyncio.to_thread(_write, wish.into, made, files)
        return draft


def _try_folder(into: Path) -> None:
    """Make sure that the folder takes files before documents are in one.

    Raises:
        RequestError: it does not.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=into):
            pass
    except OSError as error:
        cause = f"No file can be put into {into}: {error.strerror}"
        raise RequestError(cause, fix="Name another folder with --into; nothing was made.") from error


def _write(into: Path, made: Export, files: Sequence[ExportFile]) -> None:
    try:
        for one in files:
            write_file_whole(into / one.name, one.content)
            console.print(f"{into / one.name}  {one.sha256}", markup=False, highlight=False, soft_wrap=True)
    except OSError as error:
        raise ConflictError(
            f"Export {made.number} was made, and not all of its files could be put into {into}: {error.strerror}",
            fix=f"Take them by GET /v1/exports/{made.id}/file: its documents are in no other file.",
            code=Code.FOLDER_UNUSABLE,
        ) from error


def _tell(draft: Draft) -> None:
    for currency, sums in draft.tally.show()["sums"].items():
        told = f"{sums['documents']} documents, {sums['net_amount']} net, {sums['gross_amount']} gross"
        console.print(f"{currency}: {told}", markup=False, highlight=False)
    if draft.left:
        console.print(f"{draft.left} more are ready.")
    if draft.faults or draft.notes:
        table = Table("document", "what", "fix", box=None, pad_edge=False)
        for one in (*draft.faults, *draft.notes):
            table.add_row(one.number or "the file", one.reason.cause, one.reason.fix)
        console.print(table)
