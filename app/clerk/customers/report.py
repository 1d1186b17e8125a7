"""A customer check as a file for people (CSV, HTML) or programs (JSON). Pure.

Names come from two systems and anybody may have typed them: no cell of the CSV begins a formula, no name is HTML.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Any

from app.domain.cells import to_cell
from app.domain.money import dump_json


class ReportForm(StrEnum):
    """What a report is written as."""

    CSV = "csv"
    JSON = "json"
    HTML = "html"


MEDIA_TYPES: Mapping[ReportForm, str] = {
    ReportForm.CSV: "text/csv; charset=utf-8",
    ReportForm.JSON: "application/json",
    ReportForm.HTML: "text/html; charset=utf-8",
}
COLUMNS = {
    "kind": "finding",
    "action": "action",
    "needs_person": "needs a person",
    "recman_number": "RecMan number",
    "recman_name": "RecMan name",
    "recman_org_number": "RecMan organisation number",
    "remote_number": "Unimicro number",
    "remote_name": "Unimicro name",
    "remote_org_number": "Unimicro organisation number",
    "similarity": "names alike (0-100)",
    "cause": "why",
    "fix": "what to do",
    "recman_company_id": "RecMan id",
    "remote_id": "Unimicro id",
}
_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2em}table{border-collapse:collapse}"
    "th,td{border:1px solid #ccc;padding:.3em .5em;text-align:left;vertical-align:top}th{background:#eee}"
    "tr.person{background:#fff3e0}"
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHead:
    """Whose check it is and how it ended."""

    key: str
    company: str
    state: str
    ended_at: str
    counts: Mapping[str, int]
    accepted: str = ""


def render_report(form: ReportForm, head: ReportHead, rows: Sequence[Row]) -> str:
    """The whole report in one of the forms."""
    return _WRITERS[form](head, rows)


def _to_csv(_head: ReportHead, rows: Sequence[Row]) -> str:
    sink = io.StringIO()
    # The mark tells spreadsheets that the letters are UTF-8.
    sink.write("\ufeff")
    writer = csv.writer(sink)
    writer.writerow(COLUMNS.values())
    writer.writerows([to_cell(value) for value in _cells(row)] for row in rows)
    return sink.getvalue()


def _to_json(head: ReportHead, rows: Sequence[Row]) -> str:
    names = {"key": head.key, "company": head.company, "state": head.state, "ended_at": head.ended_at}
    return dump_json({**names, "accepted": head.accepted, "counts": dict(head.counts), "findings": list(rows)})


def _to_html(head: ReportHead, rows: Sequence[Row]) -> str:
    title = escape(f"Customer check of {head.key} ({head.company})")
    counts = "".join(f"<li>{escape(_plain(kind))}: {count}</li>" for kind, count in head.counts.items() if count)
    header = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS.values())
    accepted = f"<p>{escape(head.accepted)}</p>" if head.accepted else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"</head><body><h1>{title}</h1><p>{escape(head.state)}, {escape(head.ended_at)}</p>{accepted}<ul>{counts}</ul>"
        f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(map(_to_html_row, rows))}</tbody></table>"
        "</body></html>\n"
    )


def _to_html_row(row: Row) -> str:
    style = ' class="person"' if row.get("needs_person") else ""
    return f"<tr{style}>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(row))}</tr>"


def _cells(row: Row) -> Iterable[str]:
    return (_show(name, row.get(name)) for name in COLUMNS)


def _show(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else _plain(value) if name in {"kind", "action"} else str(value)


def _plain(word: str) -> str:
    return word.replace("_", " ")


_WRITERS = {ReportForm.CSV: _to_csv, ReportForm.JSON: _to_json, ReportForm.HTML: _to_html}
