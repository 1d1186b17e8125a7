"""The webhook form that we publish is read by our own reader, example by example."""

import json

import pytest

from app.api.webhooks.form import EXAMPLES, RecordChanged
from app.domain.documents import Document
from app.domain.parties import Customer
from app.recman.hook.webhook import parse_hints
from app.recman.read.translate import read_company, read_invoice
from app.web import render_openapi

READERS = {"invoice": (read_invoice, Document), "company": (read_company, Customer)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_read_whole(name: str) -> None:
    example = EXAMPLES[name]
    assert RecordChanged.model_validate(example).event == example["event"]
    decoded = parse_hints(json.dumps(example).encode(), content_type="application/json", path_scope=None, headers={})
    if name == "ping":
        assert decoded.hints == ()
        return
    (hint,) = decoded.hints
    assert hint.record_id == str(example["id"])
    assert hint.scope == example["event"].partition(".")[0]
    assert hint.record == example.get("data")
    if hint.record is not None:
        read, kind = READERS[hint.scope]
        assert isinstance(read(hint.record), kind)


def test_form_and_examples_are_in_the_description() -> None:
    (webhook,) = json.loads(render_openapi())["webhooks"].values()
    assert webhook["post"]["requestBody"]["content"]["application/json"]["examples"].keys() == EXAMPLES.keys()
