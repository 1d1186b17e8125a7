"""The golden vouchers: the documents of `golden` as the journal entry that goes over the wire.

`python -m tests.world.golden_vouchers --write` writes the expectations again; read the difference before you commit it.
"""

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.translate_vouchers import NewVoucher, to_voucher
from app.domain.documents import Document
from app.domain.money import dump_json, parse_json
from app.domain.vouchers import Share, share_out
from tests.world.golden import CURRENCY_IDS, Case, load_cases, read_document, show, to_links

FILE = Path(__file__).parent.parent / "contract" / "golden_vouchers.json"
SUB_ACCOUNT_ID = 901
DEPARTMENTS = {"20": 4}


def share(data: dict[str, Any]) -> tuple[Document, tuple[Share, ...]]:
    """The case's document, and what of it goes where."""
    document, products = read_document(data), to_links(data).products
    bookings = {line.key: products[line.product_number] for line in document.lines if line.product_number}
    return document, share_out(document, bookings, DEPARTMENTS)


def render(data: dict[str, Any]) -> dict[str, Any]:
    """What goes over the wire for the case, read back."""
    document, shares = share(data)
    new = NewVoucher(
        document=document,
        links=replace(to_links(data), line_departments=DEPARTMENTS),
        guid=guid_for("golden", document.recman_invoice_id),
        external_reference=f"RM-{document.recman_invoice_id}",
        shares=shares,
        currency_id=CURRENCY_IDS[document.currency],
        rate=Decimal(data.get("rate", "1")),
        credited_number="100017",
    )
    payload: dict[str, Any] = parse_json(dump_json(to_voucher(new, account_id=SUB_ACCOUNT_ID)[0]))
    return payload


def list_cases() -> list[Case]:
    """Every case whose lines make its claim, and which claims something: no other goes as a voucher as it is."""
    found = []
    for case in load_cases():
        document, shares = share(case.data)
        claim = document.totals.gross_amount
        if claim > 0 and claim == sum(one.amount for one in shares):
            found.append(case)
    return found


def load_expected() -> dict[str, Any]:
    """The expected entries by the case's place."""
    found: dict[str, Any] = parse_json(FILE.read_bytes())
    return found


def main() -> int:
    """0 when every case comes out as expected, else 1 with the names of the others."""
    rendered = {case.place: render(case.data) for case in list_cases()}
    if "--write" in sys.argv[1:]:
        chosen = load_expected() if FILE.exists() else rendered
        FILE.write_text(
            show({place: rendered[place] for place in chosen if place in rendered}) + "\n", encoding="utf-8"
        )
    expected = load_expected()
    wrong = [place for place, entry in expected.items() if rendered.get(place) != entry]
    sys.stdout.write("".join(f"not as expected: {place}\n" for place in wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
