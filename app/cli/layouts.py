"""`recman-unimicro layout`: which layouts of files there are, and whether a real file is as one of them says."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.show import console
from app.errors import RequestError
from app.files.layout_check import Comparison, choose_layout, compare_with_sample
from app.files.layouts import Evidence, load_layout, load_layouts
from app.settings import Settings

SampleArgument = Annotated[Path, typer.Argument(help="A file that another system has made, or Unimicro has taken.")]
LayoutOption = Annotated[
    str, typer.Option("--layout", help="The layout's name; not given: the one that the file is most like.")
]
NameArgument = Annotated[str, typer.Argument(help="The layout's name.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every difference, not only the first.")]
# A file of ten thousand invoices has a tenth of it.
_MOST_BYTES = 100_000_000


def create_layout_cli(load_settings: Callable[[], Settings]) -> typer.Typer:
    """The commands below `layout`."""
    made = typer.Typer(no_args_is_help=True, help="Layouts of files: what there are, and a real file beside one.")
    _add_list(made, load_settings)
    _add_show(made, load_settings)
    _add_check(made, load_settings)
    return made


def _add_list(made: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    @made.command("list")
    def list_() -> None:
        """List the layouts: ours, and those of RMU_LAYOUTS_DIR; of each, how many of its fields are assumed."""
        for layout in load_layouts(load_settings().layouts_dir).values():
            fields = [one.evidence for record in layout.records for one in record.fields]
            known = ", ".join(f"{fields.count(one)} {one}" for one in Evidence if one in fields)
            _say(f"{layout.name} {layout.version}  {layout.title}, .{layout.extension}: {known}")


def _add_show(made: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    @made.command()
    def show(name: NameArgument) -> None:
        """Print a layout as TOML, to begin one of your own with (another name, in the folder of RMU_LAYOUTS_DIR)."""
        _say(load_layout(name, load_settings().layouts_dir).text.rstrip())


def _add_check(made: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    @made.command()
    def check(sample: SampleArgument, *, layout: LayoutOption = "", all_: AllOption = False) -> None:
        """Compare a real file with a layout; ends with 1 where they differ, and points at the first place."""
        folder, content = load_settings().layouts_dir, _read(sample)
        if layout:
            compared: Comparison | None = compare_with_sample(load_layout(layout, folder), content)
        else:
            compared = choose_layout(load_layouts(folder).values(), content, extension=sample.suffix.removeprefix("."))
        if compared is None:
            raise RequestError(f"No layout makes files that end in {sample.suffix!r}", fix="Name one with --layout.")
        _tell(compared, all_=all_)
        sys.exit(1 if compared.differences else 0)


def _read(sample: Path) -> bytes:
    try:
        with sample.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise RequestError(f"{sample} cannot be read: {error.strerror}", fix="Name a file that can be read.") from error
    if len(content) > _MOST_BYTES:
        raise RequestError(
            f"{sample} is larger than {_MOST_BYTES} bytes", fix="Take a part of it: some rows are enough."
        )
    return content


def _tell(compared: Comparison, *, all_: bool) -> None:
    rows = ", ".join(f"{count} of {record}" for record, count in compared.rows.items())
    _say(f"Compared with the layout {compared.layout}; rows: {rows or 'none'}.")
    if not compared.differences:
        _say("The file is as the layout says, and its sums agree. Which of two fields alike is which, it cannot tell.")
        return
    shown = compared.differences if all_ else compared.differences[:1]
    for difference in shown:
        _say(difference.text)
    if len(shown) < len(compared.differences):
        _say(f"And {len(compared.differences) - len(shown)} other kinds of difference: see them with --all.")


def _say(text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
