"""What people say about a key's documents: who sends them, how they are booked, what is accepted; with who said so."""

from collections.abc import Mapping
from typing import Any

from app.admin.proving import require_provable
from app.admin.sending import Answer, verify_answer
from app.api.doors import Door
from app.api.key_views import Acceptance, KeyChange, KidAcceptance, NewKeyOrder
from app.api.views import Order
from app.domain.booking import Booking, Sender
from app.platform.db import load_now
from app.tables import Key

# What is said about who sends a key's documents and how they get into the books.
ANSWERS = {"mode", "sender", "booking", "acceptance", "kid_acceptance"}


async def say_words(door: Door, wish: NewKeyOrder | KeyChange) -> dict[str, Any]:
    """What was accepted, with who said so here and when."""
    said: dict[str, Acceptance | KidAcceptance | None] = {
        "acceptance": wish.acceptance,
        "kid_acceptance": wish.kid_acceptance,
    }
    return {name: await sign(door, word) for name, word in said.items() if word is not None}


async def sign(door: Door, word: Order) -> dict[str, Any]:
    """A word as it is kept: with the token that said it, and when."""
    now = await load_now(door.session)
    return {**word.model_dump(mode="json"), "at": now.isoformat(), "by": door.caller.actor}


async def answer_of(door: Door, key: Key, values: Mapping[str, Any]) -> dict[str, Any]:
    """Who sends, as it is said or follows from an acceptance, which RecMan's documents alone need.

    Raises:
        RequestError, ConflictError: see `verify_answer` and `require_provable`.
    """
    if not values.keys() & ANSWERS:
        return {}
    sender = values.get("sender", key.sender)
    if sender is None and "acceptance" in values:
        sender = Sender.RECMAN
    mode, booking = values.get("mode", key.mode), Booking(values.get("booking", key.booking))
    answer = Answer(
        mode=mode,
        sender=sender,
        booking=booking,
        acceptance=values.get("acceptance", key.acceptance),
    )
    verify_answer(answer)
    # What a file key's documents are booked by, nobody has to try out; the file's import is confirmed by a person.
    if mode == "full" and ("booking" in values or mode != key.mode):
        await require_provable(door.session, tenant_id=key.tenant_id, company_key=key.company_key, booking=booking)
    return {} if sender is None else {"sender": sender}
