"""The description is the API: no operation can forget what all of them have."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from app.api.description import TAGS, describe
from app.api.views import MOST, PROBLEM, problems
from app.domain.reasons.codes import Code

_ROOT = Path(__file__).resolve().parents[2]
# What anybody may be answered who needs a token.
_GUARDED = {"401", "403", "422", "429", "500", "503"}
_VERBS = (
    "accept|approve|backfill|begin|cancel|change|check|choose|confirm|create|decide|end|enter|ignore|link|list|make|open|"
    "probe|put|receive|refresh|release|remove|retry|revoke|rotate|run|send|share|show|skip|start|sweep|take|unshare"
)


@cache
def read_document() -> Any:
    """The committed description; that it is current, a test of the contract holds."""
    return json.loads((_ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))


# What tells how things stand with the status of an error, in a form of its own beside the problem.
_OWN_FORMS = {
    ("/health", "503"): {"application/json"},
    # A browser that comes back from Unimicro is shown a page.
    **{("/oauth/unimicro/callback", status): {"text/html"} for status in ("409", "422", "502")},
}


def list_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in read_document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def list_refusals(operation: dict[str, Any]) -> dict[str, Any]:
    """What an operation may refuse, by status."""
    return {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}


def test_every_refusal_is_a_problem_with_cause_and_fix() -> None:
    told = [
        (method, path, status)
        for method, path, operation in list_operations()
        for status, answer in list_refusals(operation).items()
        if answer["content"].keys() - _OWN_FORMS.get((path, status), set()) != {PROBLEM}
        or answer["content"][PROBLEM] != {"schema": {"$ref": "#/components/schemas/Problem"}}
    ]
    assert told == []
    assert {"code", "cause", "fix"} <= set(read_document()["components"]["schemas"]["Problem"]["required"])
    assert "HTTPValidationError" not in json.dumps(read_document())


def test_whoever_needs_a_token_may_be_told_that_it_is_missing() -> None:
    lacking = {
        (method, path): _GUARDED - set(operation["responses"])
        for method, path, operation in list_operations()
        if path.startswith("/v1/") or operation["security"]
    }
    assert {place: missing for place, missing in lacking.items() if missing} == {}


def test_security_is_said_of_every_operation_and_only_open_doors_have_none() -> None:
    open_doors = {path for _, path, operation in list_operations() if not operation["security"]}
    assert open_doors
    assert not [path for path in open_doors if path.startswith("/v1/")]


def test_every_code_that_is_named_is_one_of_ours() -> None:
    named = {
        word
        for _, _, operation in list_operations()
        for answer in list_refusals(operation).values()
        for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", answer["description"].partition("Codes: ")[2])
    }
    assert len(named) > 60
    assert named <= set(Code)


def test_operations_have_names_of_their_own() -> None:
    names = Counter(operation["operationId"] for _, _, operation in list_operations())
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(rf"({_VERBS})(_[a-z]+)+", name)] == []


def test_every_operation_has_one_tag_that_is_explained() -> None:
    assert [path for _, path, operation in list_operations() if len(operation.get("tags", [])) != 1] == []
    used = {operation["tags"][0] for _, _, operation in list_operations()}
    assert used <= set(TAGS)
    assert [tag["name"] for tag in read_document()["tags"]] == list(TAGS)


def test_every_operation_says_what_it_does() -> None:
    assert [path for _, path, operation in list_operations() if not operation.get("description")] == []


def test_who_made_it_where_it_stands_and_under_which_licence_is_said() -> None:
    assert read_document()["info"].keys() >= {"title", "version", "summary", "description", "contact", "license"}
    assert read_document()["servers"]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_route_that_says_nothing_gets_all_of_it(*, guarded: bool) -> None:
    app, path = FastAPI(), "/v1/new/{one_id}" if guarded else "/new/{one_id}"

    @app.post(path, dependencies=[Depends(HTTPBearer())] if guarded else [], responses=problems(_409="held"))
    async def make_new(one_id: int, order: dict[str, int]) -> None:
        """Nothing."""

    operation = describe(app)()["paths"][path]["post"]
    wanted = {"404", "409", "413", "422", "500", "503"} | (_GUARDED if guarded else set())
    assert set(list_refusals(operation)) == wanted
    assert all(set(answer["content"]) == {PROBLEM} for answer in list_refusals(operation).values())
    assert operation["security"] == ([{"HTTPBearer": []}] if guarded else [])


def test_a_list_is_an_object_with_its_rows_and_what_continues_it() -> None:
    schemas = read_document()["components"]["schemas"]
    answers = {
        (method, path): answer["content"].get("application/json", {}).get("schema", {})
        for method, path, operation in list_operations()
        for status, answer in operation["responses"].items()
        if status.startswith("2") and "content" in answer
    }
    assert [place for place, schema in answers.items() if schema.get("type") == "array"] == []
    pages = [schema["$ref"].rpartition("/")[2] for schema in answers.values() if "Page" in schema.get("$ref", "")]
    assert len(pages) >= 24
    assert {tuple(schemas[page]["required"]) for page in pages} == {("rows", "next")}
    # Whoever names no more than a limit gets the rest by `before` or `after`.
    paged = {page for page in pages if schemas[page]["properties"]["next"] != {"type": "null"}}
    assert paged


def test_what_is_sent_and_answered_has_names_of_its_own() -> None:
    # Of two with one name the framework makes app__api__keys__Name, and a generated client can use neither.
    assert [name for name in read_document()["components"]["schemas"] if not re.fullmatch(r"[A-Za-z]+", name)] == []


def test_limits_of_whole_numbers_are_whole_and_no_larger_than_what_is_taken() -> None:
    text = json.dumps(read_document())
    assert "e+18" not in text
    assert f'"maximum": {MOST}' in text
