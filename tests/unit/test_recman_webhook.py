"""Webhook bodies to hints: what the contract files cannot say well, one thing a test; and nothing ever raises."""

import random
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import dump_json
from app.recman.hook.events import find_scope, is_test_word, read_event
from app.recman.hook.webhook import MOST_RECORDS, Decoded, Hint, parse_hints
from app.recman.read.translate import read_company, read_invoice


def decode(body: Any, *, path: str | None = None, content_type: str = "application/json") -> Decoded:
    raw = body if isinstance(body, bytes) else dump_json(body).encode()
    return parse_hints(raw, content_type=content_type, path_scope=path, headers={})


def read(body: Any, **more: Any) -> list[tuple[str, str]]:
    return [(hint.scope, hint.record_id) for hint in decode(body, **more).hints]


def record_of(body: Any, **more: Any) -> Any:
    (hint,) = decode(body, **more).hints
    return hint.record


# ---- event names


@pytest.mark.parametrize("separator", [".", ":", "_", "-", "/", " "])
@pytest.mark.parametrize(
    ("word", "operation"),
    [("create", "insert"), ("new", "insert"), ("Changed", "update"), ("EDIT", "update"), ("removed", "delete")],
)
def test_separators_and_synonyms(separator: str, word: str, operation: str) -> None:
    assert read_event(f"invoice{separator}{word}") == ("invoice", operation)
    assert read_event(f"{word}{separator}customers") == ("company", operation)


@pytest.mark.parametrize(
    "name", ["companyContact.updated", "company_contact/new", "InvoiceLineDeleted", "projectMembers"]
)
def test_part_of_a_record_is_not_the_record(name: str) -> None:
    assert read_event(name)[0] is None


@pytest.mark.parametrize("text", ["New Company AS", "invoice for october", "a company " * 20])
def test_strict_reading_finds_nothing_in_prose(text: str) -> None:
    assert read_event(text, strict=True) == (None, None)


@pytest.mark.parametrize(
    ("word", "scope"), [("Invoices", "invoice"), ("companies", "company"), ("credit-notes", "invoice")]
)
def test_scopes_in_plural(word: str, scope: str) -> None:
    assert find_scope(word) == scope


def test_a_form_in_latin_1_keeps_its_letters() -> None:
    form = "event=company.updated&data[companyId]=201&data[name]=%C6rfugl+AS&data[city]=%C5lesund"
    latin = record_of(form.encode(), content_type="application/x-www-form-urlencoded; charset=iso-8859-1")
    assert (latin["name"], latin["city"]) == ("Ærfugl AS", "Ålesund")


def test_a_clear_body_goes_before_a_word_in_the_address_that_nobody_knows() -> None:
    assert read({"event": "invoice.updated", "id": 5001}, path="order") == [("invoice", "5001")]
    assert "unknown scope “order” in the address" in decode({"id": 5001}, path="order").note


def test_long_texts_are_no_test_words() -> None:
    assert is_test_word("Ping!")
    assert not is_test_word("ping" * 1000)


# ---- which record


def test_a_word_in_a_records_own_text_does_not_choose_the_scope() -> None:
    assert read({"companyId": 5, "name": "Project", "topic": "A new invoice"}) == [("company", "5")]
    assert read({"projectId": 3, "type": "customer", "id": 99}) == [("project", "3")]
    assert read({"projectId": 3, "topic": "New company website"}, path="project") == [("project", "3")]


def test_type_chooses_the_scope_when_the_ids_agree_or_say_nothing() -> None:
    assert read({"type": "company", "companyId": 7, "projectId": 3}) == [("company", "7")]
    assert read({"type": "creditNote", "id": 7}) == [("invoice", "7")]


def test_foreign_lists_of_a_named_record_are_no_hints() -> None:
    assert read({"scope": "company", "companyId": 7, "projectIds": [1, 2, 3]}) == [("company", "7")]


def test_records_of_one_delivery_are_merged() -> None:
    (hint,) = decode([{"event": "invoice.created", "id": 5}, {"event": "invoice.updated", "id": "05"}]).hints
    assert (hint.record_id, hint.operation) == ("5", "update")


def test_more_records_than_allowed_are_not_read_to_the_end() -> None:
    body = {"scope": "invoice", "ids": list(range(1, MOST_RECORDS + 500))}
    assert len(decode(body).hints) == MOST_RECORDS + 1


def test_repeated_ids_are_one_record() -> None:
    assert read({"scope": "invoice", "ids": [5] * 90_000}) == [("invoice", "5")]


# ---- whose copy


COMPANY = {"companyId": 7, "companyNumber": "100001", "name": "Ærfugl AS"}


def test_copy_is_kept_where_the_scope_is_said() -> None:
    for body in (
        {"scope": "company", "data": COMPANY},
        {"event": "company.updated", "data": COMPANY},
        {"company": COMPANY},
    ):
        assert record_of(body) == COMPANY
    assert record_of(COMPANY, path="company") == COMPANY


def test_copy_is_not_believed_where_only_an_id_speaks() -> None:
    assert record_of(COMPANY) is None
    assert record_of({"companyId": 7, "projectId": 3, "number": "9", "name": "x"}) is None


@pytest.mark.parametrize(
    "body",
    [
        {"event": "order.created", "data": {"orderId": 5, "companyId": 7, "number": "9", "name": "x"}},
        {"scope": "job", "data": {"companyId": 7, "number": "9", "name": "x"}},
        {"event": "companyContact.updated", "data": {"companyId": 7, "name": "Ola", "email": "o@x.no"}},
        {"jobId": 5, "companyId": 7, "number": "9", "name": "x", "email": "o@x.no"},
    ],
)
def test_copy_of_something_else_is_not_believed_even_when_it_is_read_again_as_the_company(body: Any) -> None:
    """Stored bodies are read a second time with the hint's scope in place of the address."""
    for path in (None, "company"):
        assert read(body, path=path) == [("company", "7")]
        assert record_of(body, path=path) is None


def test_event_words_do_not_become_the_records_own() -> None:
    flat = {"type": "company.updated", **COMPANY}
    assert record_of(flat) == COMPANY
    assert record_of({"name": "CompanyUpdated", "companyId": 7, "companyNumber": "1", "email": "a@b.no"}) == {
        "companyId": 7,
        "companyNumber": "1",
        "email": "a@b.no",
    }
    invoice = {"scope": "invoice", "invoiceId": 5, "number": "1", "type": "creditNote", "kid": "2"}
    assert record_of({"id": "evt_1", **invoice}) == invoice


def test_a_companys_own_words_stay() -> None:
    assert record_of({**COMPANY, "name": "New Project", "type": "customer"}, path="company") == {
        **COMPANY,
        "name": "New Project",
        "type": "customer",
    }


def test_disagreeing_ids_inside_a_copy_stay_for_the_reader_to_find() -> None:
    record = record_of({"event": "invoice.updated", "data": {"invoiceId": 5, "id": 6, "number": "1"}})
    assert any("says two things" in gap.cause for gap in read_invoice(record).gaps)  # type: ignore[union-attr]


def test_copy_without_an_id_gets_the_hints() -> None:
    record = record_of({"event": "company.updated", "id": "7", "data": {"name": "A", "companyNumber": "1"}})
    assert read_company(record).recman_company_id == "7"


# ---- hostile bodies


def test_costs_stay_bounded() -> None:
    form = urlencode([("ids[]", n) for n in range(9000)]).encode()
    assert len(read(b"scope=invoice&" + form, content_type="application/x-www-form-urlencoded")) <= MOST_RECORDS + 1
    assert "too many fields" in decode(b"a=1&" * 10_001, content_type="application/x-www-form-urlencoded").note
    assert "deep" in decode(b'{"a":' * 5000).note


def test_note_holds_nothing_that_cannot_be_stored_or_logged() -> None:
    for note in (decode({"scope": "x\x00\ny" * 90}).note, decode({}, path="x\x00\ny" * 90).note):
        assert note.isprintable()
        assert len(note) < 120


SCOPES = st.sampled_from(["invoice", "Company", "creditNote", "candidate", "companyContact", "x"])
KEYS = st.sampled_from(
    ["event", "scope", "type", "name", "id", "invoiceId", "companyIds", "data", "record", "5", "0", "lines"]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 10**20) | st.text(max_size=8) | SCOPES
BODIES = st.recursive(
    LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=4), max_leaves=8
)


def list_faults(decoded: Decoded) -> list[Any]:
    """What of a reading nobody could work with: hints and a word why there are none exclude each other."""
    names = [(hint.scope, hint.record_id) for hint in decoded.hints]
    faults: list[Any] = [hint for hint in decoded.hints if not is_sound(hint)]
    faults += [decoded.note] if bool(decoded.note) == bool(decoded.hints) else []
    return faults + [name for name in set(names) if names.count(name) > 1]


def is_sound(hint: Hint) -> bool:
    """Whether it names a record by an id as RecMan gives them, and carries nothing that cannot be stored."""
    is_known = hint.scope in {"invoice", "project", "company", "product", "department"}
    is_id = hint.record_id.isdecimal() and hint.record_id[0] != "0"
    is_doing = hint.operation in {"insert", "update", "delete", "unknown"}
    return is_known and is_id and is_doing and (hint.record is None or bool(dump_json(hint.record).encode()))


@given(BODIES, st.sampled_from([None, "invoice", "company"]))
def test_any_document_is_read(body: Any, path: str | None) -> None:
    decoded = decode(body, path=path)
    assert isinstance(decoded, Decoded)
    assert isinstance(decoded.note, str)
    assert list_faults(decoded) == []


@given(st.binary(max_size=60), st.sampled_from(["", "application/json", "application/x-www-form-urlencoded"]))
def test_any_bytes_are_read(body: bytes, content_type: str) -> None:
    decoded = decode(body, content_type=content_type, path="invoice")
    assert isinstance(decoded, Decoded)
    assert isinstance(decoded.note, str)
    assert list_faults(decoded) == []


def test_reading_a_copy_again_gives_the_same_copy() -> None:
    """The parts of a delivery about many records are stored one by one and read again later."""
    order = random.Random(7)
    names = ["companyNumber", "name", "email", "phone", "creditTime", "vatNumber"]
    for _ in range(50):
        company: dict[str, Any] = {"companyId": 7} | {name: f"{name}-1" for name in order.sample(names, 3)}
        (hint,) = decode({"scope": "company", "data": [company]}).hints
        assert record_of(hint.record, path="company") == hint.record
