"""The drawn moves between states, as triggers: in a test no transfer and no lane moves in a way that is not drawn.

Where a test itself sets a state by hand, its statement has no parameters, and goes through.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from app.domain.states import LANE_MOVES, TRANSFER_MOVES


def guard_moves() -> tuple[str, ...]:
    """Statements after which the database refuses every other move of a transfer or a lane."""
    return (*_guard("transfer", TRANSFER_MOVES), *_guard("lane", LANE_MOVES))


def _guard(table: str, moves: Mapping[Any, frozenset[StrEnum]]) -> tuple[str, str]:
    drawn = ", ".join(sorted(f"'{old}>{new}'" for old, following in moves.items() for new in following))
    function = f"""
        CREATE FUNCTION guard_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF OLD.state || '>' || NEW.state NOT IN ({drawn}) THEN
                RAISE EXCEPTION 'move of {table} % is not drawn: % to %', NEW.id, OLD.state, NEW.state;
            END IF;
            RETURN NEW;
        END $$"""
    trigger = f"""
        CREATE TRIGGER guard_{table} BEFORE UPDATE OF state ON {table}
        FOR EACH ROW WHEN (OLD.state <> NEW.state AND current_query() LIKE '%$1%') EXECUTE FUNCTION guard_{table}()"""
    return function, trigger
