"""The search for secrets can fail: what every world checks at its end would be found if it were there."""

import logging

import structlog

from app.errors import RemoteUnavailableError, System
from app.platform.http import httpx
from tests.world import OURS, World
from tests.world.canary import WORD, Canaries


async def test_secret_in_log_line_exception_answer_or_row_is_found(world: World) -> None:
    canaries = Canaries(world.resources.engine)
    handlers = logging.getLogger().handlers
    canaries.start()
    structlog.stdlib.get_logger("test").info("told", what=f"{WORD}-in-a-log-line")
    try:
        raise RemoteUnavailableError(f"{WORD}-in-an-exception", system=System.RECMAN)  # noqa: TRY301 - to be logged right here
    except RemoteUnavailableError:
        logging.getLogger("test").exception("failed")
    request = httpx.Request("GET", OURS)
    await canaries.hear(httpx.Response(200, text=f"{WORD}-in-an-answer", request=request))
    await world.resources.engine.dispose()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE tenant SET name = 'canary-in-a-row' WHERE name = 'Nordlys'")
    found = await canaries.find()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE tenant SET name = 'Nordlys' WHERE name = 'canary-in-a-row'")
    logging.getLogger().handlers = handlers
    for place in ("in-a-log-line", "in-an-answer", "in-a-row"):
        assert any(f"{WORD}-{place}" in line for line in found), place
    # Of an exception the log shows no text, whatever is in it.
    assert not any(f"{WORD}-in-an-exception" in line for line in found)


async def test_secret_that_is_shown_twice_is_found(world: World) -> None:
    canaries = Canaries(world.resources.engine)
    request = httpx.Request("POST", OURS)
    for status in (201, 200):
        await canaries.hear(httpx.Response(status, json={"token": "rmu_shown"}, request=request))
    assert [place for place in await canaries.find() if "rmu_shown" in place]
