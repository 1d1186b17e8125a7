"""RecMan's customers beside Unimicro's: every kind of finding."""

from typing import Any

import pytest

from app.clerk.customers.compare import Comparison, compare_customers
from app.clerk.customers.findings import Action, CustomerFinding, Kind, count_kinds, is_green
from app.domain.gaps import Gaps
from app.domain.names import NameIndex, compare_names
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteCustomer
from tests.world.builders import make_customer, make_reference

ORG, OTHER_ORG, WRONG_ORG = "310456101", "311877208", "310456102"


def make_remote(**changes: Any) -> RemoteCustomer:
    values: dict[str, Any] = {"remote_id": 17, "number": "100001", "name": "Ærfugl Bemanning AS", "org_number": ORG}
    return RemoteCustomer(**values | changes)


def compare(
    *companies: Customer | Gaps, remotes: tuple[RemoteCustomer, ...] = (), **more: Any
) -> list[CustomerFinding]:
    sides = Comparison(companies=companies, remotes=remotes, reference=make_reference(), **more)
    return compare_customers(sides)


def kinds(findings: list[CustomerFinding]) -> list[tuple[Kind, Action]]:
    return [(finding.kind, finding.action) for finding in findings]


OURS = make_customer(org_number=ORG)
# What RecMan and Unimicro hold, and what the check must say of it; True: a person must decide.
CASES: dict[str, tuple[Customer, tuple[RemoteCustomer, ...], list[tuple[Kind, Action, bool]]]] = {
    "same number and organisation number": (OURS, (make_remote(),), [(Kind.AGREE, Action.LINK, False)]),
    "same number and name, one without organisation number": (
        make_customer(name="ÆRFUGL bemanning as"),
        (make_remote(),),
        [(Kind.AGREE, Action.LINK, False)],
    ),
    "same number, other organisation number": (
        OURS,
        (make_remote(org_number=OTHER_ORG),),
        [(Kind.NUMBER_CLASH, Action.FIX_IN_RECMAN, True)],
    ),
    "same number, other name": (
        make_customer(),
        (make_remote(name="Noe helt annet AS", org_number=""),),
        [(Kind.NUMBER_CLASH, Action.FIX_IN_RECMAN, True)],
    ),
    "same organisation number under another number": (
        OURS,
        (make_remote(number="100009", name="Ærfugl Holding AS"),),
        [(Kind.OTHER_NUMBER, Action.FIX_IN_RECMAN, True)],
    ),
    "only in RecMan": (OURS, (), [(Kind.ONLY_IN_RECMAN, Action.CREATE, False)]),
    "only in RecMan, and outside the series": (
        make_customer(number="42", org_number=ORG),
        (),
        [(Kind.OUTSIDE_SERIES, Action.FIX_IN_RECMAN, True)],
    ),
    "a number that is no number": (
        make_customer(number="K-1", org_number=ORG),
        (),
        [(Kind.OUTSIDE_SERIES, Action.FIX_IN_RECMAN, True)],
    ),
    "both only in one": (
        OURS,
        (make_remote(number="100009", name="Vestfold Rør AS", org_number=OTHER_ORG),),
        [(Kind.ONLY_IN_RECMAN, Action.CREATE, False), (Kind.ONLY_IN_UNIMICRO, Action.LEAVE, False)],
    ),
    "invalid organisation number": (
        make_customer(org_number=WRONG_ORG),
        (),
        [(Kind.INVALID_ORG_NUMBER, Action.FIX_IN_RECMAN, True), (Kind.ONLY_IN_RECMAN, Action.CREATE, False)],
    ),
    "invalid organisation number of one that agrees": (
        make_customer(org_number=WRONG_ORG),
        (make_remote(org_number=WRONG_ORG),),
        [(Kind.INVALID_ORG_NUMBER, Action.FIX_IN_RECMAN, True), (Kind.AGREE, Action.LINK, False)],
    ),
    "an invalid organisation number tells nothing": (
        make_customer(org_number="000000000"),
        (make_remote(number="100009", name="Vestfold Rør AS", org_number="000000000"),),
        [
            (Kind.INVALID_ORG_NUMBER, Action.FIX_IN_RECMAN, True),
            (Kind.ONLY_IN_RECMAN, Action.CREATE, False),
            (Kind.ONLY_IN_UNIMICRO, Action.LEAVE, False),
        ],
    ),
    "nearly the same name under another number": (
        make_customer(),
        (make_remote(number="100009", name="Bemanning Ærfugl A/S", org_number=ORG),),
        [(Kind.LOOK_ALIKE, Action.FIX_IN_RECMAN, True), (Kind.ONLY_IN_RECMAN, Action.CREATE, False)],
    ),
    "the same name with another organisation number": (
        OURS,
        (make_remote(number="100009", org_number=OTHER_ORG),),
        [(Kind.ONLY_IN_RECMAN, Action.CREATE, False), (Kind.ONLY_IN_UNIMICRO, Action.LEAVE, False)],
    ),
    "inactive in Unimicro": (OURS, (make_remote(active=False),), [(Kind.INACTIVE, Action.LEAVE, False)]),
    "twice in Unimicro": (
        OURS,
        (make_remote(), make_remote(remote_id=18)),
        [(Kind.NUMBER_CLASH, Action.FIX_IN_RECMAN, True)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_finding(case: str) -> None:
    company, remotes, expected = CASES[case]
    findings = compare(company, remotes=remotes)
    assert [(found.kind, found.action, found.needs_person) for found in findings] == expected
    assert is_green(findings) is not any(needs for *_, needs in expected)
    assert all(found.cause for found in findings)
    assert all(found.fix for found in findings if found.needs_person)


def test_pair_shows_both_sides_and_how_alike_they_are() -> None:
    (found,) = compare(OURS, remotes=(make_remote(number="100009", name="Ærfugl Bemanning Norge AS"),))
    assert (found.recman_number, found.remote_number) == ("100001", "100009")
    assert (found.recman_org_number, found.remote_org_number) == (ORG, ORG)
    assert found.similarity is not None
    assert 70 < found.similarity < 100
    assert "100009" in found.fix
    assert "retry" not in found.fix
    (alone,) = compare(OURS)
    assert alone.similarity is None


def test_number_twice_in_recman_is_a_clash_of_both() -> None:
    findings = compare(OURS, make_customer(recman_company_id="202", name="Tvilling AS"), remotes=(make_remote(),))
    assert kinds(findings) == [(Kind.NUMBER_CLASH, Action.FIX_IN_RECMAN)] * 2
    assert all("Tvilling AS" in found.cause and "Ærfugl" in found.cause for found in findings)


def test_linked_customer_agrees_whatever_its_number() -> None:
    remote = make_remote(number="100777", name="Omdøpt AS", org_number="")
    (found,) = compare(OURS, remotes=(remote,), links={"201": 17})
    assert (found.kind, found.action, found.remote_number) == (Kind.AGREE, Action.LEAVE, "100777")


def test_link_to_a_customer_that_is_gone_needs_a_person() -> None:
    (found,) = compare(OURS, links={"201": 99})
    assert (found.kind, found.needs_person) == (Kind.LINK_BROKEN, True)


def test_company_that_cannot_be_read_says_what_is_missing() -> None:
    gap = Reason(code=Code.RECORD_MISSING, cause="Company: the number is missing", fix="…")
    (found,) = compare(Gaps(recman_id="208", name="Uten Nummer AS", gaps=(gap,)))
    assert (found.kind, found.recman_name, found.needs_person) == (Kind.INCOMPLETE, "Uten Nummer AS", True)
    assert "number is missing" in found.cause


def test_unimicro_numbers_on_its_own_under_policy_linked() -> None:
    outside = make_customer(number="42", org_number=ORG)
    assert kinds(compare(outside, policy=NumberPolicy.LINKED)) == [(Kind.ONLY_IN_RECMAN, Action.CREATE)]
    stranger = make_remote(name="Vestfold Rør AS", org_number=OTHER_ORG)
    found = compare(OURS, remotes=(stranger,), policy=NumberPolicy.LINKED)
    assert kinds(found) == [(Kind.ONLY_IN_RECMAN, Action.CREATE), (Kind.ONLY_IN_UNIMICRO, Action.LEAVE)]
    suggestion = compare(OURS, remotes=(make_remote(number="100009"),), policy=NumberPolicy.LINKED)
    assert kinds(suggestion) == [(Kind.OTHER_NUMBER, Action.LINK)]
    assert suggestion[0].needs_person
    assert "customer-links" in suggestion[0].fix


def test_no_customer_is_made_under_policy_match_only() -> None:
    (found,) = compare(OURS, policy=NumberPolicy.MATCH_ONLY)
    assert (found.kind, found.action, found.needs_person) == (Kind.ONLY_IN_RECMAN, Action.LEAVE, True)
    (agreed,) = compare(OURS, remotes=(make_remote(),), policy=NumberPolicy.MATCH_ONLY)
    assert agreed.action is Action.LINK


def test_what_a_person_must_look_at_comes_first_and_every_kind_is_counted() -> None:
    clash = make_customer(recman_company_id="203", number="100003", org_number=OTHER_ORG)
    findings = compare(OURS, clash, remotes=(make_remote(), make_remote(remote_id=3, number="100003", org_number="")))
    assert [found.needs_person for found in findings] == sorted((f.needs_person for f in findings), reverse=True)
    counts = count_kinds(findings)
    assert set(counts) == {kind.value for kind in Kind}
    assert sum(counts.values()) == len(findings)


def test_names_are_alike_whatever_order_signs_and_legal_form() -> None:
    assert compare_names("Bodø Helsehus AS", "helsehus, BODØ A/S") == 100
    assert compare_names("Equinor ASA", "Equnior") > 80
    assert compare_names("Bodø Helsehus AS", "Vestfold Rør AS") < 50
    index = NameIndex({1: "Bodø Helsehus AS", 2: "Equinor ASA", 3: "Vestfold Rør AS"})
    assert index.find_nearest("Equnior AS", least=80) == (2, 86)
    assert index.find_nearest("Ingen av dem", least=80) is None
