"""Very many customers on both sides of the first-transfer check, and what it costs to compare them."""

import time
import tracemalloc

from app.clerk.customers.compare import Comparison, compare_customers
from app.clerk.customers.findings import count_kinds
from app.domain.org_numbers import is_valid_org_number
from app.domain.parties import Address, Customer
from app.domain.reference import RemoteCustomer
from tests.world.builders import make_reference


def make_many(count: int) -> Comparison:
    """Half agree, a quarter has the organisation number elsewhere, a quarter is new; names from few words."""
    words = [
        "Nord",
        "Sør",
        "Vest",
        "Bygg",
        "Helse",
        "Havn",
        "Transport",
        "Vikar",
        "Bemanning",
        "Eiendom",
        "Rør",
        "Fisk",
    ]

    def name(n: int) -> str:
        return f"{words[n % 12]} {words[n // 12 % 12]} {words[n // 144 % 12]} {n // 50} AS"

    def org(n: int) -> str:
        return next(
            text for text in (f"{300_000_000 + n * 100 + more}" for more in range(100)) if is_valid_org_number(text)
        )

    companies = [
        Customer(
            recman_company_id=str(n + 1),
            number=str(100_000 + n),
            name=name(n),
            org_number=org(n) if n % 4 < 3 else "",
            invoice_address=Address(city="Oslo", country_code="NO"),
        )
        for n in range(count)
    ]
    remotes = [
        RemoteCustomer(
            remote_id=n + 1,
            number=str(100_000 + n if n % 4 < 2 else 300_000 + n),
            name=name(n) if n % 4 < 3 else name(n + 7),
            org_number=org(n) if n % 4 < 3 else "",
        )
        for n in range(count)
    ]
    return Comparison(companies=companies, remotes=remotes, reference=make_reference())


def measure_seconds(sides: Comparison) -> float:
    """CPU seconds of the comparison, whose end is checked."""
    started = time.process_time()
    findings = compare_customers(sides)
    took = time.process_time() - started
    counts = count_kinds(findings)
    assert counts["agree"] == len(sides.companies) // 2
    assert counts["other_number"] == len(sides.companies) // 4
    return took


def measure_megabytes(sides: Comparison) -> float:
    """The most memory that the comparison needs beside its two sides."""
    tracemalloc.start()
    try:
        findings = compare_customers(sides)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(findings) >= len(sides.companies)
    return peak / 2**20
