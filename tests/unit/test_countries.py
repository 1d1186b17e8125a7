"""Countries as people in RecMan may write them."""

import pytest

from app.admin.rules_file import parse_yaml
from app.domain.countries import COUNTRY_CODES, find_country_code
from app.domain.parties import Customer
from app.recman.read.translate import read_company


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("NO", "no", "NOR", "Norge", "NOREG", "Norway", "Norge (NO)", "NO - Norge", " norge "), "NO"),
        (("SE", "SWE", "Sverige", "Sweden"), "SE"),
        (("Tyskland", "Germany", "Deutschland", "DEU"), "DE"),
        (("Storbritannia", "Storbritannien", "UK", "England", "Great Britain"), "GB"),
        (("Sveits", "Schweiz", "Switzerland"), "CH"),
        (("USA", "United States", "Amerikas forente stater"), "US"),
        (("Nederland", "Holland", "Nederländerna"), "NL"),
        (("Åland", "Åland Islands"), "AX"),
        (("Svalbard", "Svalbard og Jan Mayen"), "SJ"),
        (("", "Oslo", "XX", "47", "Norge eller Sverige"), ""),
    ],
)
def test_country_is_known_by_code_or_name(texts: tuple[str, ...], code: str) -> None:
    assert {find_country_code(text) for text in texts} == {code}


def test_every_country_of_the_world_is_there() -> None:
    assert len(COUNTRY_CODES) == 250
    assert {find_country_code(code.lower()) for code in COUNTRY_CODES} == COUNTRY_CODES


def test_customer_gets_its_country_from_any_of_the_names() -> None:
    company = {"companyId": 201, "companyNumber": "100001", "name": "Zürcher GmbH"}
    found = read_company(company | {"invoiceAddress": {"address1": "Bahnhofstrasse 1", "country": "Sveits"}})
    assert isinstance(found, Customer)
    assert found.invoice_address.country_code == "CH"


def test_norways_code_is_no_lie_of_yaml() -> None:
    rules = parse_yaml("accounting: [{country: NO, vat_code: '5'}, {country: se, vat_code: '52'}]")
    assert [rule.country for rule in rules.accounting] == ["NO", "SE"]
