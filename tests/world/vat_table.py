"""Every VAT code × buyer × rule × product: booked on which code and account, or held why. `--write` writes the file.

The company is the stand-in's, read as a key's is; each of its VAT codes has a product of its own.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.accounting.unimicro.translate_products import VatTable
from app.domain.buyers import Buyer, find_country
from app.domain.parties import Address
from app.domain.reasons.codes import Reason
from app.domain.reference import Reference, RemoteAccount, RemoteProduct, RemoteVatType
from app.domain.rules import Rules
from app.transfer.plan.products import choose_product
from app.transfer.plan.sale import Sale
from tests.world.builders import make_document, make_line, make_reference
from tests.world.unimicro_session import Session, sandbox

FILE = Path(__file__).parents[1] / "cases" / "vat_table.txt"

DAY = date(2026, 11, 2)
# What each buyer's address and organisation number are in RecMan.
BUYERS = {
    "Norwegian company": ("NO", "0182", "310456101"),
    "Norwegian person": ("NO", "0182", ""),
    "nothing known": ("", "", ""),
    "number alone": ("", "", "974760673"),
    "Svalbard": ("NO", "9170", "974760673"),
    "Swedish company": ("SE", "11122", "SE556677889901"),
    "Danish number": ("", "", "DK12345674"),
    "US person": ("US", "10001", ""),
}
OUTPUT = ("3", "31", "32", "33", "5", "6", "51", "52", "0")
# The account of each code's product; a code without one of its own is on 3000.
_ACCOUNTS = {"31": 3020, "33": 3030, "5": 3100, "52": 3110, "6": 3200}
_WIDTH = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One grid of the table: what RecMan's line says, by which rules, in which company.

    Units: `rate` is the line's in per cent; None: the rate of the product's own code.
    """

    title: str
    rules: Rules
    rate: Decimal | None = None
    vat_code: str = ""
    account: str = ""
    company: Mapping[str, Any] = field(default_factory=dict)


async def load_reference() -> Reference:
    """The stand-in's company, and a product for each of its VAT codes and each fault."""
    async with sandbox() as session:
        table = await _read_table(session)
    known = {code: types[0] for code, types in table.types.items()}
    twisted = {
        "locked 3": replace(known["3"], remote_id=903, code="L3", is_locked=True),
        "hidden 5": replace(known["5"], remote_id=905, code="H5", is_visible=False),
        "expired 6": replace(
            known["6"],
            remote_id=906,
            code="E6",
            periods=tuple(replace(one, last=date(2026, 10, 31)) for one in known["6"].periods),
        ),
    }
    accounts = {**table.accounts, 3199: replace(table.accounts[3100], remote_id=993, number=3199, is_locked=True)}
    types = {**table.types, **{one.code: (one,) for one in twisted.values()}}
    products = [*_list_products(known, accounts), *_list_odd_products(known, twisted, accounts)]
    by_number = {product.number: (product,) for product in products}
    return make_reference(products=by_number, vat_types=types, accounts=accounts)


async def _read_table(session: Session) -> VatTable:
    types = await session.get("vattypes", expand="VatTypePercentages")
    return VatTable.from_rows(types, await session.get("accounts"), default_account_id=None)


def _list_products(
    known: Mapping[str, RemoteVatType], accounts: Mapping[int, RemoteAccount]
) -> Iterator[RemoteProduct]:
    for code in OUTPUT:
        yield _make_product(code, known[code], accounts[_ACCOUNTS.get(code, 3000)])


def _list_odd_products(
    known: Mapping[str, RemoteVatType], twisted: Mapping[str, RemoteVatType], accounts: Mapping[int, RemoteAccount]
) -> Iterator[RemoteProduct]:
    yield _make_product("input 1", known["1"], accounts[3000])
    for name, vat_type in twisted.items():
        yield _make_product(name, vat_type, accounts[3000])
    yield _make_product("no VAT", None, accounts[3000])
    yield _make_product("account 1500", known["5"], accounts[1500])
    yield _make_product("locked 3100", known["5"], accounts[3199])


def _make_product(number: str, vat_type: RemoteVatType | None, account: RemoteAccount) -> RemoteProduct:
    return RemoteProduct(
        remote_id=1,
        number=number,
        name=f"Product {number}",
        active=True,
        account_id=account.remote_id,
        vat_type_id=None if vat_type is None else vat_type.remote_id,
        vat_rate=None if vat_type is None else vat_type.rate,
    )


def list_sections(reference: Reference) -> Iterator[Section]:
    """Every grid, in order."""
    rates = {code: reference.vat_types[code][0].rate for code in OUTPUT}
    mapped = [{"recman": code, "unimicro": code} for code in OUTPUT]
    yield Section(title="no rule; the line has the product's rate and no code", rules=Rules())
    for rate in ("0", "25"):
        yield Section(title=f"no rule; the line has {rate} % and no code", rules=Rules(), rate=Decimal(rate))
    yield Section(title="no rule; the line has a code that nobody has mapped", rules=Rules(), vat_code="S0")
    for code in OUTPUT:
        rules = Rules.model_validate({"vat_codes": mapped})
        title = f"no rule; the line has code {code}, mapped to {code}"
        yield Section(title=title, rules=rules, rate=rates[code], vat_code=code)
    for code in OUTPUT:
        rules = Rules.model_validate({"accounting": [{"text": "hours", "vat_code": code}]})
        yield Section(title=f"a rule for the line's text names {code}", rules=rules, rate=rates[code])
    for code in ("5", "6", "51", "52"):
        rules = Rules.model_validate({"accounting": [{"vat_rate": 0, "vat_code": code}]})
        yield Section(title=f"a rule for all lines of 0 % names {code}", rules=rules, rate=Decimal(0))
    yield from _list_rule_sections(mapped, rates)
    yield from _list_company_sections()


def _list_rule_sections(mapped: list[dict[str, str]], rates: Mapping[str, Decimal | None]) -> Iterator[Section]:
    both: dict[str, Any] = {"vat_codes": mapped, "accounting": [{"text": "hours", "vat_code": "52"}]}
    yield Section(
        title="a rule for the line's text names 52; the line has code 5, mapped to 5",
        rules=Rules.model_validate(both),
        rate=Decimal(0),
        vat_code="5",
    )
    abroad = [{"country": country, "vat_rate": 0, "vat_code": "52"} for country in ("SE", "DK", "US")]
    abroad.append({"country": "SJ", "vat_code": "5"})
    yield Section(
        title="rules name 52 for SE, DK and US at 0 %, and 5 for SJ",
        rules=Rules.model_validate({"accounting": abroad}),
        rate=Decimal(0),
    )
    for code in ("1", "99", "L3", "H5", "E6"):
        rules = Rules.model_validate({"accounting": [{"text": "hours", "vat_code": code}]})
        yield Section(title=f"a stored rule names {code}", rules=rules, rate=rates.get(code, Decimal(0)))
    for number, named in ((3200, []), (3000, []), (1500, []), (7740, []), (7740, [7740]), (3199, []), (3999, [])):
        rules = Rules.model_validate({"accounting": [{"text": "hours", "account": number}], "sales_accounts": named})
        title = f"a stored rule names account {number}" + (", an account of sales by the rules" if named else "")
        yield Section(title=f"{title}, and no code; the line has 0 %", rules=rules, rate=Decimal(0))
    yield Section(title="no rule; the line has account 3100 and no code", rules=Rules(), account="3100")
    yield Section(title="no rule; the line has the unknown account 4711", rules=Rules(), account="4711")


def _list_company_sections() -> Iterator[Section]:
    planned = {"vat_registered": False, "vat_planned": True}
    for title, company in (
        ("a company before its registration", planned),
        ("a company on its first day as a registered one", {**planned, "taxable_from": DAY}),
        ("a company without VAT", {"vat_registered": False}),
    ):
        yield Section(title=f"{title}; no rule; the line has 0 %", rules=Rules(), rate=Decimal(0), company=company)


def render(reference: Reference) -> str:
    """The whole table as it is committed."""
    told: dict[str, str] = {}
    grids = [list(_render_section(section, reference, told)) for section in list_sections(reference)]
    reasons = [f"{code}: {cause}" for code, cause in sorted(told.items())]
    head = ["product | booked on code @ account, or held: codes of the reasons | buyers"]
    return "\n".join([*head, *(line for grid in grids for line in ["", *grid]), "", "What reasons say:", *reasons, ""])


def _render_section(section: Section, reference: Reference, told: dict[str, str]) -> Iterator[str]:
    reference = replace(reference, **section.company)
    yield f"## {section.title}"
    for number, (product,) in reference.products.items():
        buyers: dict[str, list[str]] = {}
        for name in BUYERS:
            buyers.setdefault(_render_cell(_to_sale(section, product, name, reference), told), []).append(name)
        rows = [(cell, "all buyers" if names == list(BUYERS) else ", ".join(names)) for cell, names in buyers.items()]
        for cell, names in rows:
            yield f"{number:<12} | {cell:<{_WIDTH}} | {names}"


def _to_sale(section: Section, product: RemoteProduct, buyer: str, reference: Reference) -> Sale:
    rate = product.vat_rate if section.rate is None else section.rate
    line = make_line(
        product_number=product.number,
        text="Hours of October",
        vat_rate=rate or Decimal(0),
        vat_code=section.vat_code,
        account=section.account,
    )
    document = make_document(lines=(line,), invoice_date=DAY)
    country, postal_code, org_number = BUYERS[buyer]
    where = Buyer(find_country(Address(postal_code=postal_code, country_code=country), org_number))
    return Sale(document=document, buyer=where, reference=reference, rules=section.rules)


def _render_cell(sale: Sale, told: dict[str, str]) -> str:
    chosen = choose_product(sale.document.lines[0], sale)
    if isinstance(chosen, RemoteProduct):
        account = sale.reference.find_account(chosen.account_id)
        code = sale.reference.code_of(chosen.vat_type_id)
        return f"{code or 'no code'} @ {account.number if account is not None else '?'}"
    return "held: " + _tell(chosen, told)


def _tell(gaps: tuple[Reason, ...], told: dict[str, str]) -> str:
    for gap in gaps:
        told.setdefault(gap.code, gap.cause)
    return ", ".join(gap.code for gap in gaps)


def main() -> int:
    """0 when the committed table is what our code makes of it, else 1."""
    table = render(asyncio.run(load_reference()))
    if "--write" in sys.argv[1:]:
        FILE.write_text(table, encoding="utf-8")
    sys.stdout.write(table)
    return int(FILE.read_text(encoding="utf-8") != table)


if __name__ == "__main__":
    sys.exit(main())
