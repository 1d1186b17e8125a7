"""The catalogue of reasons: every code once, every fix something to do, no code written out elsewhere."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.domain.reasons.after_booking import ROWS as AFTER_BOOKING
from app.domain.reasons.catalogue import CATALOGUE, REFUSED, fix_for, mended_by
from app.domain.reasons.codes import Code
from app.domain.reasons.credits import ROWS as CREDITS
from app.domain.reasons.documents import ROWS as DOCUMENTS
from app.domain.reasons.kids import ROWS as KIDS
from app.domain.reasons.old_documents import ROWS as OLD_DOCUMENTS
from app.domain.reasons.rows import Change, Mender, Row, Text
from tests.world.house.source import Module, parse_module, read_house

_ROOT = Path(__file__).resolve().parents[2]
_PLACE = re.compile(r"\{(\w+)\}")
_DOOR = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}:.-]*[\w}])")
# Parts of an address that are the reader's to fill in.
_OPEN = {"transfer_id", "key_id", "tenant_id", "department_id", "export_id"}
# Codes that can be nothing else: whatever lists them steers by them.
_LONG = {code.value for code in Code if "_" in code.value} - {"sign_in_again"}


def test_every_code_has_exactly_one_row() -> None:
    assert set(CATALOGUE) | set(REFUSED) == set(Code)
    assert not set(CATALOGUE) & set(REFUSED)


def test_every_row_has_a_mender_a_sentence_and_something_to_do() -> None:
    for row in CATALOGUE.values():
        assert row.mender in Mender
        assert row.sentence.en.endswith(".")
        assert all(text.endswith(".") and len(text) > 20 for text in _texts(row)), row.code
    assert all(refusal.sentence.en.endswith(".") for refusal in REFUSED.values())


def test_what_nobody_can_mend_says_so_and_nothing_else_does() -> None:
    assert not [(row.code, case) for row in CATALOGUE.values() for case in _wrong_about_nobody(row)]


def test_a_case_that_says_the_wrong_thing_about_its_mender_is_found() -> None:
    waits = CATALOGUE[Code.WAITS]
    assert set(_wrong_about_nobody(replace(waits, menders={}))) == set(waits.cases)
    assert _wrong_about_nobody(replace(waits, mender=Mender.CLERK)) == [""]


def test_only_cases_that_are_there_have_menders_and_only_others_than_their_rows() -> None:
    for row in CATALOGUE.values():
        assert set(row.menders) <= set(row.cases), row.code
        assert row.mender not in row.menders.values(), row.code


def test_an_operator_is_the_mender_only_of_what_an_operator_does() -> None:
    told = [text.en for row in CATALOGUE.values() for _, text, mender in _fixes(row) if mender is Mender.OPERATOR]
    does = re.compile(r"(?i)\ban operator [a-z]+s\b|\bset [A-Z_]+ to\b|developer portal")
    assert not [text for text in told if not does.search(text) or re.search(r"(?i)\bgive the operator\b", text)]


def test_a_comparison_of_customers_asks_for_no_retry() -> None:
    compared = [row.cases["compared"].en for row in CATALOGUE.values() if "compared" in row.cases]
    assert len(compared) == 8
    assert not [text for text in compared if "retry" in text]


@pytest.mark.parametrize("row", [*DOCUMENTS, *OLD_DOCUMENTS, *CREDITS, *AFTER_BOOKING, *KIDS], ids=lambda row: row.code)
def test_nobody_is_told_to_correct_a_document_in_recman(row: Row) -> None:
    texts = [row.fix.en, *(text.en for case, text in row.cases.items() if case != "party")]
    assert not [
        text for text in texts if re.search(r"(?i)\b(correct|mend|change|complete|set right)\b[^.;]*in RecMan", text)
    ]


def test_every_door_that_a_text_names_is_there() -> None:
    told = {door for module in _modules() for text in _strings(module) for door in _doors(text)}
    assert {("PUT", "/v1/rules"), ("POST", "/v1/transfers/{}/ignore"), ("PATCH", "/v1/keys/{}")} <= told
    assert told <= _open_doors()


def test_a_door_that_is_not_there_is_found() -> None:
    assert _doors("Then PUT /v1/keys/{id}/rules, or POST /v1/transfers/{x}/retry.") - _open_doors() == {
        ("PUT", "/v1/keys/{}/rules")
    }


def test_every_change_mends_something_and_only_what_says_so() -> None:
    assert all(mended_by(change) for change in Change)
    assert mended_by(Change.CUSTOMER_LINKED) == {
        Code.CUSTOMER_NUMBER_CLASH,
        Code.CUSTOMER_NUMBER_NOT_KEPT,
        Code.CUSTOMER_NUMBER_TWICE,
        Code.CUSTOMER_UNDER_OTHER_NUMBER,
    }


def test_every_code_and_every_change_is_used() -> None:
    used = {name for module in _modules() for name in _attributes(module)}
    assert {code.name for code in Code} <= {name for kind, name in used if kind == "Code"}
    assert {change.name for change in Change} <= {name for kind, name in used if kind == "Change"}


def test_no_code_is_written_out_beside_the_catalogue() -> None:
    found = [f"{module.path}:{line}" for module in _modules() for line in _written_out(module)]
    assert not found


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("transfer/plan/basics.py", "Reason(code=Code.KID_INVALID,", 'Reason(code="kid_invalid",'),
        ("transfer/plan/go_live.py", "gap.code == Code.BEFORE_GO_LIVE", 'gap.code == "before_go_live"'),
        ("admin/keys.py", "code=Code.DOCUMENTS_UNDER_WAY", 'code="documents_under_way"'),
    ],
)
def test_a_code_that_is_written_out_in_a_module_is_found(path: str, old: str, new: str) -> None:
    assert len(_written_out(read_house("app").changed(path, old, new).modules[path])) == 1


def test_a_code_that_is_written_out_is_found() -> None:
    spoilt = """
Reason(code="no_key", cause=cause, fix=fix)
if gap.code == "totals_differ" or reason["code"] in {"no_key"}:
    raise ConflictError(cause, code=f"sign_in_{state}")
Transfer.reasons.contains([{"code": "before_go_live"}])
class RottenError(ServiceError):
    code = "rotten"
_MENDED = ("rule_unusable",)
"""
    assert len(_written_out(parse_module("spoilt.py", spoilt))) == 7


def test_every_code_that_the_api_description_names_is_one() -> None:
    listed = {
        word
        for doors in _description()["paths"].values()
        for door in doors.values()
        for answer in door["responses"].values()
        for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", answer["description"].partition("Codes: ")[2])
    }
    assert {"name_taken", "sweep_running"} <= listed <= set(Code)


def test_every_fix_is_given_what_its_text_asks_for() -> None:
    for module in _modules():
        for code, case, given in _fix_calls(module):
            text = CATALOGUE[code].cases[case].en if case else CATALOGUE[code].fix.en
            wanted = set(_PLACE.findall(text))
            assert given <= wanted, f"{module.path}: {code} has no place for {given - wanted}"
            assert wanted - given <= _OPEN, f"{module.path}: {code} lacks {wanted - given - _OPEN}"


def test_a_place_in_a_text_is_filled_in_or_left_to_the_reader() -> None:
    assert fix_for(Code.PRODUCT_UNKNOWN, number="7777").startswith("Create product 7777 in Unimicro")
    assert "POST /v1/transfers/{transfer_id}/retry" in fix_for(Code.IGNORED)
    assert "POST /v1/transfers/12/retry" in fix_for(Code.IGNORED, transfer_id=12)


def _fixes(row: Row) -> list[tuple[str, Text, Mender]]:
    """Every fix of a row with its case and its mender."""
    others = [(case, text, row.menders.get(case, row.mender)) for case, text in row.cases.items()]
    return [("", row.fix, row.mender), *others]


def _wrong_about_nobody(row: Row) -> list[str]:
    """The cases that say that there is nothing to do, and have a mender, or the other way round."""
    wrong = []
    for case, text, mender in _fixes(row):
        says_so = text.en.startswith("Nothing to do")
        # Something is to be done only if the reader thinks that what happened is wrong.
        may_be_right = text.en.startswith("Nothing to do, if that is right.")
        if says_so is not (mender is Mender.NOBODY) and not may_be_right:
            wrong.append(case)
    return wrong


def _texts(row: Row) -> list[str]:
    return [row.fix.en, *(text.en for text in row.cases.values())]


@cache
def _modules() -> list[Module]:
    return [one for one in read_house("app") if not one.name.startswith("sandbox")]


def _strings(module: Module) -> Iterator[str]:
    for text in module.each(ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in text.values)
    yield from (node.value for node in module.each(ast.Constant) if isinstance(node.value, str))


def _doors(text: str) -> set[tuple[str, str]]:
    named = _DOOR.findall(text) if "/v1" in text else ()
    return {(method, re.sub(r"\{[^}]*\}", "{}", path)) for method, path in named if path.startswith("/v1")}


@cache
def _description() -> Any:
    return json.loads((_ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))


@cache
def _open_doors() -> frozenset[tuple[str, str]]:
    paths = _description()["paths"].items()
    return frozenset((method.upper(), re.sub(r"\{[^}]*\}", "{}", path)) for path, doors in paths for method in doors)


def _attributes(module: Module) -> set[tuple[str, str]]:
    return {(node.value.id, node.attr) for node in module.each(ast.Attribute) if isinstance(node.value, ast.Name)}


def _fix_calls(module: Module) -> Iterator[tuple[Code, str, set[str]]]:
    """The calls whose row, case and values can be read off."""
    for node in module.each(ast.Call):
        match node:
            case ast.Call(func=ast.Name(id="fix_for"), args=[ast.Attribute(attr=name), *cases], keywords=keywords):
                given = {keyword.arg for keyword in keywords}
                known = [str(case.value) for case in cases if isinstance(case, ast.Constant)]
                if None not in given and len(known) == len(cases):
                    yield Code[name], "".join(known), {str(one) for one in given}
            case _:
                pass


def _written_out(module: Module) -> list[int]:
    suspects = module.among(ast.Compare, ast.keyword, ast.Dict, ast.Assign, ast.Tuple)
    return [line for node in suspects for line in _lines_of(node)]


def _lines_of(node: ast.AST) -> list[int]:
    match node:
        case ast.Compare(left=ast.Attribute(attr="code") | ast.Subscript(slice=ast.Constant(value="code"))):
            return [line for right in node.comparators for line in _text_lines(right)]
        case ast.keyword(arg="code", value=value):
            return _text_lines(value)
        case ast.Dict(keys=[ast.Constant(value="code")], values=[value]):
            return _text_lines(value)
        case ast.Assign(targets=[ast.Name(id="code")], value=value):
            return _text_lines(value)
        case ast.Tuple():
            return [part.lineno for part in node.elts if isinstance(part, ast.Constant) and part.value in _LONG]
        case _:
            return []


def _text_lines(node: ast.expr) -> list[int]:
    parts = node.elts if isinstance(node, ast.Tuple | ast.Set | ast.List) else [node]
    return [part.lineno for part in parts if isinstance(part, ast.Constant | ast.JoinedStr) and not _is_other(part)]


def _is_other(node: ast.Constant | ast.JoinedStr) -> bool:
    """Whether it is no text."""
    return isinstance(node, ast.Constant) and not isinstance(node.value, str)
