"""Organisation numbers: one number in every dress, and a person's number nowhere."""

import time
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounting.unimicro.translate import from_customer, from_recipient, to_customer
from app.domain.org_numbers import (
    clean_org_number,
    hide_person_numbers,
    is_same_org_number,
    is_valid_org_number,
    list_groupings,
    parse_org_number,
)
from app.platform.masks import mask
from app.recman.read.translate import read_company
from tests.world.builders import make_customer

DRESSES = [
    (
        "974760673",
        "NO974760673MVA",
        "974 760 673 mva",
        "974.760.673",
        "974\u00a0760\u00a0673",
        "Org.nr. 974760673 MVA",
        "Org: 974760673",
        "Organisasjonsnummer 974 760 673",
        "Foretaksregisteret NO 974 760 673 MVA",
        "974760673MVA (NO)",
        "VAT no. NO974760673MVA",
        "0192:974760673",
        "NO974760673VAT",
    ),
    ("SE556677889901", "556677-8899", "SE 556677-8899", "Org.nr 556677-8899", "165566778899", "0007:5566778899"),
    ("12 34 56 74", "DK12345674", "DK-12 34 56 74", "CVR-nr. 12345674", "12345674", "0184:12345674"),
    ("CHE-123.456.788", "CHE123456788", "CHE-123.456.788 MWST", "UID CHE-123.456.788 TVA", "CH123456788"),
    ("2077474-0", "FI20774740", "Y-tunnus 2077474-0"),
    ("BE 0403.019.261", "BE403019261"),
    ("EL 094259216", "GR094259216"),
    ("FR 40 303 265 045", "FR40303265045", "SIREN FR40303265045"),
    ("NL004495445B01", "NL 0044.95.445 B01", "BTW NL004495445B01"),
    ("IT00743110157", "P. IVA IT00743110157", "Partita IVA: IT 00743110157"),
    ("DE136695976", "USt-IdNr. DE136695976", "Steuernummer DE 136 695 976"),
    ("PL5261040828", "NIP: PL 526-104-08-28"),
    ("ATU13585627", "UID: ATU 13585627"),
    ("CZ25123891", "DIČ CZ25123891"),
    ("ESA13585625", "CIF ES-A13585625"),
    ("GB980780684", "VAT Reg No GB 980 7806 84", "XI980780684"),
]
# A number, the country of its customer, and another dress of it.
HOME = [
    ("303 265 045", "FR", "FR40303265045"),
    ("303 265 045 00011", "FR", "303265045"),
    ("004495445", "NL", "NL004495445B01"),
    ("A13585625", "ES", "ESA13585625"),
    ("U13585627", "AT", "ATU13585627"),
    ("NIP 5261040828", "PL", "PL5261040828"),
    ("IČO 25123891", "CZ", "CZ25123891"),
    ("12 34 56 74", "DK", "DK12345674"),
    ("Y-tunnus 2077474-0", "FI", "FI20774740"),
    ("Kt. 550169-2829", "IS", "5501692829"),
    ("556677-8899", "SE", "SE556677889901"),
    ("123.456.788", "CH", "CHE-123.456.788 MWST"),
]
# Made up; the check digits are right.
PERSON = "15108695088"


@pytest.mark.parametrize("dresses", DRESSES, ids=[one[0] for one in DRESSES])
def test_number_is_the_same_in_every_dress(dresses: tuple[str, ...]) -> None:
    for one, other in combinations(dresses, 2):
        assert is_same_org_number(one, other), (one, other)
        assert is_same_org_number(clean_org_number(other), clean_org_number(one)), (one, other)


@pytest.mark.parametrize(("text", "country", "other"), HOME, ids=[one[2] for one in HOME])
def test_number_as_its_own_country_writes_it_is_the_same(text: str, country: str, other: str) -> None:
    assert is_same_org_number(text, other, country_code=country)
    assert is_valid_org_number(text, country_code=country)
    assert any(digits in other for digits in list_groupings(text, country_code=country))


@pytest.mark.parametrize(
    "text",
    [
        "974\u2212760\u2212673",
        "\u200b974\u00ad760_673",
        "\uff19\uff17\uff14\uff17\uff16\uff10\uff16\uff17\uff13",
        "Orgnr: 974760673 (underenhet)",
        "974760673 – Oslo kommune",
        "Bedrift nr. 974 760 673, Oslo",
        "Enhet: 974 760 673 MVA",
    ],
)
def test_words_around_a_number_are_no_part_of_it(text: str) -> None:
    assert clean_org_number(text) == "974760673"


def test_numbers_of_two_organisations_are_two() -> None:
    for ours, theirs in combinations(DRESSES, 2):
        assert not is_same_org_number(ours[0], theirs[0])
    assert not is_same_org_number("974760673", "974760681")


def test_digits_of_two_countries_are_two_organisations() -> None:
    assert not is_same_org_number("DK20774740", "FI20774740")
    assert not is_same_org_number("974760673", "DE974760673")
    assert is_same_org_number("136695976", "DE136695976", country_code="DE")


def test_nothing_is_nobodys_number() -> None:
    assert not is_same_org_number("", "")
    assert not is_same_org_number("-", "")
    assert not is_same_org_number(PERSON, PERSON)


@given(
    st.text(alphabet="0123456789ABCDEFINOSTVY .-:/", max_size=20), st.sampled_from(["", "NO", "SE", "IT", "XX", "BE"])
)
def test_whatever_is_written_is_read_and_found_again_by_its_own_text(text: str, country_code: str) -> None:
    cleaned = clean_org_number(text, country_code=country_code)
    is_valid_org_number(text, country_code=country_code)
    found = parse_org_number(text, country_code=country_code)
    assert bool(found.digits) is bool(cleaned)
    assert not cleaned or is_same_org_number(cleaned, cleaned, country_code=country_code)


@pytest.mark.parametrize("dresses", DRESSES[:5], ids=[one[0] for one in DRESSES[:5]])
def test_one_of_the_groupings_is_in_every_dress(dresses: tuple[str, ...]) -> None:
    for asked, there in product(dresses, dresses):
        assert any(digits in there for digits in list_groupings(asked)), (asked, there)


@pytest.mark.parametrize(
    "text",
    [
        PERSON,
        "151086 95088",
        "15.10.86 95088",
        "151086\u00a095088",
        "151086\u201395088",
        "151086/95088",
        "151086_95088",
        "151086 950 88",
        "\uff11\uff15\uff11\uff10\uff18\uff16\uff19\uff15\uff10\uff18\uff18",
    ],
)
@pytest.mark.parametrize("country", ["", "NO", "SE"])
def test_persons_number_is_one_in_every_dress(text: str, country: str) -> None:
    assert clean_org_number(text, country_code=country) == ""
    assert clean_org_number(f"Kari, f. {text}", country_code=country) == ""
    shown = hide_person_numbers(f"Kari, f. {text}, Oslo")
    assert (shown.startswith("Kari, f. "), any(map(str.isdecimal, shown))) == (True, False)


@pytest.mark.parametrize("text", ["ORG" * 20_000 + "1", "ORGNR" * 20_000, "MOMSREG" * 10_000 + "!", "1" * 60_000])
def test_long_texts_are_read_in_no_time(text: str) -> None:
    begun = time.perf_counter()
    clean_org_number(text)
    hide_person_numbers(text)
    assert time.perf_counter() - begun < 5


def test_groupings_of_what_is_no_number() -> None:
    assert list_groupings(PERSON) == list_groupings("-") == ()
    assert list_groupings("0") == ("0",)


@pytest.mark.parametrize(
    ("number", "country", "valid"),
    [
        ("310456101", "", True),
        ("NO 310 456 101 MVA", "NO", True),
        ("310456102", "", False),
        ("31045610", "", False),
        ("310456102", "NO", False),
        ("DK12345674", "", True),
        ("DK12345675", "", False),
        ("SE556703748501", "SE", True),
        ("5567037485", "SE", True),
        ("5567037485", "", False),
        ("SE5567037485", "", True),
        ("CHE-123.456.788 MWST", "CH", True),
        ("CHE-123.456.789", "CH", False),
        ("000000000", "", False),
        ("", "", True),
    ],
)
def test_organisation_numbers_by_their_check_digits(number: str, country: str, *, valid: bool) -> None:
    assert is_valid_org_number(number, country_code=country) is valid


@pytest.mark.parametrize(
    "text", [PERSON, "151086 95088", "Fnr. 151086-95088", "NO15108695088", "974760673 / 15108695088", "99999999999"]
)
def test_persons_number_is_no_organisations(text: str) -> None:
    assert clean_org_number(text) == ""
    assert clean_org_number(text, country_code="NO") == ""
    assert parse_org_number(text).digits == ""


@pytest.mark.parametrize(("text", "country"), [("IT00743110157", ""), ("00743110157", "IT"), ("FR40303265045", "FR")])
def test_eleven_digits_of_another_countrys_vat_number_stay(text: str, country: str) -> None:
    assert clean_org_number(text, country_code=country) == text


def test_persons_number_abroad_is_known_by_its_check_digits() -> None:
    assert clean_org_number(PERSON, country_code="SE") == ""


def test_persons_number_is_neither_sent_nor_compared_nor_told() -> None:
    company = {"companyId": 201, "companyNumber": "100001", "name": "Ola Nordmann", "vatNumber": PERSON}
    found = read_company(company | {"companyRegNumber": "974760673"})
    assert getattr(found, "org_number", None) == "974760673"
    found = read_company(company)
    assert PERSON not in repr(found)
    row = {"ID": 17, "CustomerNumber": 100001, "OrgNumber": "151086 95088", "Info": {"Name": "Ola Nordmann"}}
    assert from_customer(row).org_number == ""
    assert from_recipient(row).org_number == ""
    _, warnings = to_customer(make_customer(peppol_address=PERSON), guid="g", send_number=False)
    assert [warning.code for warning in warnings] == ["peppol_unclear"]
    assert PERSON not in warnings[0].cause
    assert mask({"OrgNumber": PERSON, "CustomerOrgNumber": "974760673"}) == {
        "OrgNumber": "•••",
        "CustomerOrgNumber": "974760673",
    }
    assert hide_person_numbers("Fnr 151086-95088, tlf 22334455") == "Fnr •••, tlf 22334455"
