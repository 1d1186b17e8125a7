"""A key that books in a way which only a proven company allows: the rows as keys and `golive` leave them."""

from uuid import UUID

from sqlalchemy import text

from app.admin.answers import record_answer
from app.domain.answers import Answer, How, Question, Way
from app.domain.booking import Booking, sender_of
from app.tables import Key
from tests.world.world import World

# What `golive` must have found before a key may book so, and what else of a company is known in tests.
PROVEN = {
    Booking.VOUCHER: {Question.VOUCHER_MAKES_HEADS: Way.ONE_HEAD, Question.VOUCHER_KID: Way.KEPT},
    Booking.OWN_NUMBER: {
        Question.NUMBER_POSTED: Way.TAKEN,
        Question.KID_KEPT: Way.KEPT,
        Question.NUMBER_TWICE: Way.REFUSED,
    },
}
CREDIT_NOTES = {Question.VOUCHER_CREDIT_NOTES: Way.ONE_HEAD}
CURRENCY = {Question.VOUCHER_CURRENCY: Way.KEPT}


async def choose_booking(world: World, booking: Booking, *proven: dict[Question, Way]) -> None:
    """Let the key's documents get into the books so, with what is known of its company."""
    async with world.resources.sessions.begin() as session:
        await session.execute(
            text("UPDATE key SET booking = :booking, sender = :sender WHERE tenant_id = :tenant_id AND id = :id"),
            {"booking": booking, "sender": sender_of(booking), **_name(world)},
        )
    for answers in (PROVEN.get(booking, {}), *proven):
        for question, way in answers.items():
            await answer(world, question, way)


async def answer(world: World, question: Question, way: Way) -> None:
    """What `golive` has found of the key's company."""
    async with world.resources.sessions.begin() as session:
        named = _name(world)
        key = await session.get_one(Key, (named["tenant_id"], named["id"]))
        given = Answer(question=question, answer=way, how=How.TRIED, answered_by="a test")
        await record_answer(session, tenant_id=key.tenant_id, company_key=key.company_key, given=given)


async def forget_kid_acceptance(world: World) -> None:
    """As if nobody had accepted that Unimicro makes a KID where a document has none."""
    async with world.resources.sessions.begin() as session:
        forgotten = text("UPDATE key SET kid_acceptance = NULL WHERE tenant_id = :tenant_id AND id = :id")
        await session.execute(forgotten, _name(world))


def _name(world: World) -> dict[str, UUID]:
    return {"tenant_id": world.tenant_id, "id": UUID(str(world.key_id))}
