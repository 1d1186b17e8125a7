"""The files of an export as one download, and its documents as a list for people."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.domain.file_documents import from_json
from app.files.exports import load_files
from app.files.layouts import load_layout
from app.files.writing import write_file
from app.platform.db import Session
from app.tables import Export, ExportDocument, ExportFile

_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "zip": "application/zip",
}
_ANY = "application/octet-stream"
# The first day that an archive can name; the same files make the same archive.
_DAY = (1980, 1, 1, 0, 0, 0)
_PEOPLE = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What a browser is given."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """What the file is, by its ending; files of records are bytes of their own letters."""
        return _TYPES.get(self.name.rpartition(".")[2].lower(), _ANY)


async def load_download(session: Session, export: Export, name: str | None) -> Download:
    """The export's file; of several an archive with all, unless one is named.

    Raises:
        NotFoundError: it has none of this name.
    """
    files = await load_files(session, export, name)
    if len(files) == 1:
        return Download(name=files[0].name, content=files[0].content)
    stem = files[-1].name.rpartition(".")[0]
    return Download(name=f"{stem}.zip", content=_pack(files))


def _pack(files: Sequence[ExportFile]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_STORED) as archive:
        for one in files:
            archive.writestr(zipfile.ZipInfo(one.name, _DAY), one.content)
    return out.getvalue()


async def load_sheet(session: Session, export: Export) -> Download:
    """The export's documents as a list for people, as they stand in its files."""
    layout = load_layout(_PEOPLE)
    own = (ExportDocument.tenant_id == export.tenant_id, ExportDocument.export_id == export.id)
    rows = await session.scalars(select(ExportDocument.content).where(*own).order_by(ExportDocument.position))
    out = io.BytesIO()
    write_file(layout, (from_json(one) for one in rows), out)
    return Download(name=f"export-{export.number:06d}.csv", content=out.getvalue())
