"""The golden invoices: RecMan's raw record in, the exact payload for Unimicro out, as data in `tests/contract/golden`.

A case has `name`, `input` (the raw record), `totals` (net, VAT and gross by hand, independent of our code), and what
comes out: `expected` and `warnings`. Optional: `rate` (base currency per unit, 1 when absent), `recipient`, and `links`
(ids of project and department in Unimicro; both are linked when absent).

`python -m tests.world.golden --write` writes the expectations again; read the difference before you commit it.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.translate_credits import to_credit_head
from app.accounting.unimicro.translate_documents import Currency, to_invoice
from app.domain.documents import Document, DocumentKind
from app.domain.money import dump_json, parse_json
from app.domain.parties import Address, Recipient
from app.domain.reference import Links, RemoteProduct
from app.recman.read.translate import read_invoice

FOLDER = Path(__file__).parent.parent / "contract" / "golden"
CURRENCY_IDS = {"NOK": 1, "EUR": 2, "SEK": 3, "DKK": 4, "USD": 5}
CUSTOMER_ID = 17
_WIDTH = 118
# number: (id, account, VAT type, rate)
_PRODUCTS = {
    "1001": (33, 283, 11, "25"),
    "1002": (34, 283, 11, "25"),
    "2001": (35, 284, 12, "15"),
    "3001": (36, 285, 13, "12"),
    "4001": (37, 286, 14, "0"),
    "5001": (38, 287, 15, "0"),
    "6001": (39, 288, 16, "11.11"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it stands in its file."""

    place: str
    data: dict[str, Any]


def list_files() -> list[Path]:
    """The files of cases."""
    return sorted(FOLDER.glob("*.json"))


def load_cases() -> Iterator[Case]:
    """Every case of every file."""
    for path in list_files():
        for data in parse_json(path.read_bytes()):
            yield Case(place=f"{path.stem}: {data['name']}", data=data)


def read_document(data: dict[str, Any]) -> Document:
    """The case's raw record as a document."""
    document = read_invoice(data["input"])
    if not isinstance(document, Document):
        raise TypeError(f"{data['name']}: {[gap.cause for gap in document.gaps]}")
    return document


def render(data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What goes over the wire for the case, read back, and the causes of the warnings."""
    document = read_document(data)
    reference = f"RM-{document.recman_invoice_id}"
    if document.kind is DocumentKind.CREDIT_NOTE:
        payload, warnings = to_credit_head(document, external_reference=reference, customer_id=CUSTOMER_ID)
    else:
        payload, warnings = to_invoice(
            document,
            to_links(data),
            guid=guid_for("golden", document.recman_invoice_id),
            external_reference=reference,
            currency=Currency(currency_id=CURRENCY_IDS[document.currency], rate=Decimal(data.get("rate", "1"))),
            recipient=to_recipient(data.get("recipient")),
        )
    return parse_json(dump_json(payload)), [warning.cause for warning in warnings]


def to_links(data: dict[str, Any]) -> Links:
    """What the case's document points to in Unimicro."""
    links = data.get("links", {"project": 12, "department": 3})
    products = {
        number: RemoteProduct(
            remote_id=remote_id,
            number=number,
            name=f"Product {number}",
            active=True,
            account_id=account_id,
            vat_type_id=vat_type_id,
            vat_rate=Decimal(rate),
        )
        for number, (remote_id, account_id, vat_type_id, rate) in _PRODUCTS.items()
    }
    return Links(
        customer_id=CUSTOMER_ID,
        project_id=links.get("project"),
        department_id=links.get("department"),
        products=products,
    )


def to_recipient(data: dict[str, Any] | None) -> Recipient | None:
    """The case's recipient, None when it has none."""
    if data is None:
        return None
    addresses = {name: Address(**data.get(name, {})) for name in ("invoice_address", "delivery_address")}
    return Recipient(**{**data, **addresses})


def write_files() -> None:
    """Every file again, with what our code makes of its inputs now."""
    for path in list_files():
        cases = []
        for data in parse_json(path.read_bytes()):
            expected, warnings = render(data)
            cases.append({**data, "expected": expected, "warnings": warnings})
        path.write_text(show(cases) + "\n", encoding="utf-8")


def show(value: Any, indent: int = 0) -> str:
    """JSON for people: what fits on a line stands on one, short neighbours share a line."""
    flat = dump_json(value)
    if len(flat) + indent <= _WIDTH or not isinstance(value, dict | list):
        return flat
    inner = indent + 1
    if isinstance(value, dict):
        parts = [f"{dump_json(name)}: {show(part, inner)}" for name, part in value.items()]
    else:
        parts = [show(part, inner) for part in value]
    lines: list[str] = []
    for part in parts:
        is_short = lines and "\n" not in part and "\n" not in lines[-1]
        if is_short and inner + len(lines[-1]) + len(part) < _WIDTH - 2:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    pad = "\n" + " " * inner
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return opening + pad + f",{pad}".join(lines) + "\n" + " " * indent + closing


def main() -> int:
    """0 when every case comes out as expected, else 1 with the names of the others."""
    if "--write" in sys.argv[1:]:
        write_files()
    wrong = [case.place for case in load_cases() if render(case.data) != (case.data["expected"], case.data["warnings"])]
    sys.stdout.write("".join(f"not as expected: {place}\n" for place in wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
