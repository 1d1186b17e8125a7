"""What states follow which, in real runs: every move of a transfer or a lane is drawn in `domain/states.py`."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.states import LANE_MOVES, TRANSFER_MOVES
from tests.world import World

_WATCH = (
    "CREATE TABLE seen_move (what text, move text)",
    """CREATE FUNCTION see_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen_move VALUES (TG_TABLE_NAME, OLD.state || '>' || NEW.state);
        RETURN NULL;
    END $$""",
    *(
        f"""CREATE TRIGGER see_move AFTER UPDATE OF state ON {table}
        FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION see_move()"""
        for table in ("transfer", "lane")
    ),
)


async def test_no_run_moves_a_record_in_a_way_that_is_not_drawn(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        for statement in _WATCH:
            await connection.exec_driver_sql(statement)
    await world.fault("error_after", method="POST", path="/api/biz/invoices", times=1)
    for record_id in (5001, 5009):
        await world.hear_of("invoice", record_id)
    await world.settle()
    held = (await world.transfers())["invoice", "5009"]
    for what in ("retry", "ignore", "retry"):
        reason = {"reason": "booked by hand"} if what == "ignore" else None
        answer = await world.call("POST", f"/v1/transfers/{held['id']}/{what}", reason)
        assert answer.is_success, answer.text
        await world.settle()
    await world.hear_of("invoice", 5001)
    await world.settle()
    async with world.resources.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT DISTINCT what, move FROM seen_move")).all()
    seen = {what: {row.move for row in rows if row.what == what} for what in ("transfer", "lane")}
    assert seen["transfer"] <= {f"{old}>{new}" for old, following in TRANSFER_MOVES.items() for new in following}
    assert seen["lane"] <= {f"{old}>{new}" for old, following in LANE_MOVES.items() for new in following}
    assert {
        "waiting>sending",
        "sending>unknown",
        "sending>done",
        "waiting>held",
        "held>ignored",
        "ignored>waiting",
    } <= seen["transfer"]
    assert {"idle>ready", "ready>leased", "leased>idle", "leased>blocked", "blocked>ready"} <= seen["lane"]


async def test_a_move_that_is_not_drawn_is_refused(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    async with world.resources.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="is not drawn: done to ignored"):
            await connection.execute(text("UPDATE transfer SET state = :state"), {"state": "ignored"})
