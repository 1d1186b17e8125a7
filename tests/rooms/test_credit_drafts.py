"""Which credit draft without reference can only be ours: pure, one weak sign at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.documents import DocumentKind, Totals
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import WaitError
from app.tables import Transfer
from app.transfer.plan.credit import list_own_drafts
from app.transfer.plan.situation import DocumentSituation, Past
from app.transfer.run_credit import require_as_seen
from tests.world.builders import make_document, make_reference, make_remote_document

SENT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PAST = Past(
    transfer_id=9,
    unclear=True,
    unclear_since=SENT,
    sent_at=SENT,
    credits_remote_id=17,
    credit_drafts_before=(70,),
)
INVOICE = make_remote_document(remote_id=17, state=DocumentState.ISSUED, number="100001")
DRAFT = make_remote_document(
    remote_id=71, kind=DocumentKind.CREDIT_NOTE, external_reference="", credited_id=17, created_at=SENT
)


def gross(amount: str) -> Totals:
    return Totals(net_amount=Decimal(amount), vat_amount=Decimal(0), gross_amount=Decimal(amount))


def own(draft: RemoteDocument, *others: RemoteDocument, past: Past = PAST) -> list[int]:
    return [one.remote_id for one in list_own_drafts(past, INVOICE, (draft, *others))]


def test_the_whole_of_the_invoice_made_when_we_called_is_ours() -> None:
    assert own(DRAFT) == [71]


def test_the_rest_of_a_partly_credited_invoice_is_ours_too() -> None:
    # Whether Unimicro's own draft is over the whole or over what is left is unknown.
    issued = replace(DRAFT, remote_id=60, state=DocumentState.ISSUED, totals=gross("21000.00"))
    assert own(DRAFT, issued) == [71]
    assert own(replace(DRAFT, totals=gross("93.75")), issued) == [71]


def test_a_time_that_unimicro_does_not_tell_is_no_hindrance() -> None:
    assert own(replace(DRAFT, created_at=None)) == [71]


@pytest.mark.parametrize(
    "sign",
    [
        {"remote_id": 70},
        {"external_reference": "RM-1"},
        {"customer_id": 18},
        {"totals": gross("100.00")},
        {"state": DocumentState.ISSUED},
        {"created_at": SENT - timedelta(minutes=3)},
        {"created_at": SENT + timedelta(minutes=6)},
    ],
)
def test_whatever_speaks_against_it_makes_it_somebody_elses(sign: dict[str, Any]) -> None:
    assert own(replace(DRAFT, **sign)) == []


def test_nothing_is_ours_when_no_call_is_open() -> None:
    assert own(DRAFT, past=replace(PAST, unclear_since=None)) == []


def test_no_draft_is_ours_while_no_credit_was_begun_or_another_id_is_known() -> None:
    assert own(DRAFT, past=replace(PAST, credits_remote_id=None)) == []
    assert own(DRAFT, past=replace(PAST, remote_id=72)) == []
    assert own(DRAFT, past=replace(PAST, remote_id=71)) == [71]


def test_credit_note_that_was_booked_since_the_look_makes_the_next_one_look_again() -> None:
    seen = DocumentSituation(
        document=make_document(),
        reference=make_reference(),
        external_reference="RM-5001",
        go_live=SENT.date(),
        kept_credits=frozenset({60}),
    )
    known, new = (Transfer(remote_id=remote_id, booked_at=SENT) for remote_id in (60, 61))
    begun = Transfer(remote_id=62, booked_at=None)
    require_as_seen([known, begun], seen)
    with pytest.raises(WaitError, match="booked just now"):
        require_as_seen([known, new], seen)
