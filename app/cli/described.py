"""The description of our REST API, and the list of its codes: printed, written, or compared with what is committed."""

from pathlib import Path

from app.errors import ConflictError

_ROOT = Path(__file__).resolve().parents[2]
_OPENAPI = _ROOT / "openapi" / "openapi.json"
_ERRORS = _ROOT / "docs" / "errors.md"


def tell_description(*, write: bool, check: bool) -> None:
    """Print the description; with `write` write both files, with `check` compare them.

    Raises:
        ConflictError: a file is not what the code says.
    """
    from app.web import render_errors, render_openapi  # noqa: PLC0415 - building every route takes a second, which no other command needs

    texts = {_OPENAPI: render_openapi(), _ERRORS: render_errors()}
    for path, text in texts.items():
        if write:
            path.write_text(text, encoding="utf-8")
        elif check and path.read_text(encoding="utf-8") != text:
            raise ConflictError(f"{path.name} is not current", fix="Run `make openapi` and commit it.")
    if not write and not check:
        print(texts[_OPENAPI], end="")  # noqa: T201 - to be captured by a script
