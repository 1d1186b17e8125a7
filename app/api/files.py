"""Lists as files for a spreadsheet."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query, Response

CSV = "text/csv"


class ListForm(StrEnum):
    """What a list is written as."""

    JSON = "json"
    CSV = "csv"


Form = Annotated[ListForm, Query(alias="format", description="csv: a file for a spreadsheet")]


# What such a list's description says of it.
AS_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


def to_file(name: str, text: str) -> Response:
    """The answer that a browser keeps under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(text, media_type=f"{CSV}; charset=utf-8", headers=headers)
