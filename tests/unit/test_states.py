"""The states of the house: every stored one has a word, every move is drawn once, no query names another."""

import ast
import re
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cache
from itertools import chain, product

import pytest

from app.domain import states
from app.domain.booking import Booking
from app.domain.states import (
    INVOICE_STATES,
    LANE_MOVES,
    TRANSFER_MOVES,
    CheckState,
    EventState,
    FileState,
    JobState,
    KeyState,
    LaneState,
    SweepState,
    TenantState,
    TransferState,
    show_invoice_state,
)
from tests.world.house.source import Module, parse_module, read_house

_STORED = (
    *(CheckState, EventState, FileState, JobState, KeyState, LaneState, SweepState, TenantState),
    TransferState,
)
_KNOWN = {str(state) for kind in _STORED for state in kind}
_MOVE = re.compile(r"^ +(\w+) +──▶ (\w+(?:, \w+)*)(?: {2,}\S|$)", re.MULTILINE)
_IN_SQL = re.compile(r"state (?:=|<>|IN|THEN|NOT IN) (\([^)]*\)|'[a-z_]+')")


def test_every_state_of_a_transfer_is_seen_under_exactly_one_word() -> None:
    seen = {
        show_invoice_state(state, has_warnings=warned, is_old=old, booking=booking)
        for state, warned, old, booking in product(TransferState, (True, False), (True, False), Booking)
    }
    assert seen == set(INVOICE_STATES)


def test_every_transfer_can_still_come_to_its_end_and_every_lane_to_its_work() -> None:
    assert all(TransferState.DONE in _reach(TRANSFER_MOVES, state) for state in TransferState)
    assert all(LaneState.LEASED in _reach(LANE_MOVES, state) for state in LaneState)


def test_every_move_is_drawn_and_no_other() -> None:
    assert _read_drawing(str(states.__doc__)) == _list_moves()
    assert str(states.__doc__).count("──▶") == len(_MOVE.findall(str(states.__doc__)))


def test_a_drawing_with_a_move_less_or_more_is_another() -> None:
    drawing = str(states.__doc__)
    for old, new in (
        ("idle, blocked ", "idle "),
        ("──▶ failed, ignored ", "──▶ failed "),
        ("ready  ", "ready, idle  "),
    ):
        assert old in drawing
        assert _read_drawing(drawing.replace(old, new, 1)) != _list_moves()


def test_no_module_writes_a_state_out() -> None:
    assert not [f"{module.path}:{line}" for module in _modules() for line in _find_written_out(module)]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("transfer/route.py", "key.state == KeyState.REMOVED", 'key.state == "removed"'),
        ("clerk/carry_job.py", "state=EventState.DONE", 'state="done"'),
        ("admin/keys.py", "= KeyState.REMOVED, False", '= "removed", False'),
        ("admin/tenants.py", "tenant.state = state", 'tenant.state = "active"'),
        ("clerk/carry_job.py", "job.state != JobState.RUNNING", 'job.state != "running"'),
    ],
)
def test_a_state_that_is_written_out_in_a_module_is_found(path: str, old: str, new: str) -> None:
    assert len(_find_written_out(read_house("app").changed(path, old, new).modules[path])) == 1


def test_a_state_that_is_written_out_is_found() -> None:
    spoilt = """
if key.state == "removed" or other.state in {"held"}:
    run.finish(session, state="done" if well else "failed")
found = {"state": "waiting"}
words = {"done": "unchanged", "held": "held"}
if row["state"] in {"sending", "unknown"} or row.get("state") == "green":
    pass
"""
    assert len(_find_written_out(parse_module("spoilt.py", spoilt))) == 10


def test_sql_names_no_state_that_is_none() -> None:
    named = {
        state
        for module in _modules()
        for node in module.each(ast.Constant)
        if isinstance(node.value, str) and "state" in node.value
        for found in _IN_SQL.findall(node.value)
        for state in re.findall(r"'(\w+)'", found)
    }
    assert {"leased", "ready", "paused", "sending"} <= named <= _KNOWN


def _list_moves() -> dict[str, set[str]]:
    return {str(one): set(map(str, after)) for one, after in chain(TRANSFER_MOVES.items(), LANE_MOVES.items())}


def _read_drawing(drawing: str) -> dict[str, set[str]]:
    moves: dict[str, set[str]] = defaultdict(set)
    for before, after in _MOVE.findall(drawing):
        moves[before] |= set(after.split(", "))
    return moves


def _reach(moves: object, start: object) -> set[object]:
    assert isinstance(moves, dict)
    found, ahead = {start}, deque([start])
    while ahead:
        for state in moves[ahead.popleft()] - found:
            found.add(state)
            ahead.append(state)
    return found


@cache
def _modules() -> list[Module]:
    # The stand-ins share no code with the service; the two systems have states of their own. The demo is a client.
    others = {"sandbox", "accounting", "recman"}
    return [
        one
        for one in read_house("app")
        if not others & set(one.name.split(".")[:-1]) or one.path.endswith("sandbox/demo.py")
    ]


def _find_written_out(module: Module) -> list[int]:
    suspects = module.among(ast.Compare, ast.keyword, ast.Assign, ast.Dict, ast.Call)
    return [line for node in suspects for line in _lines_of(node)]


def _lines_of(node: ast.AST) -> list[int]:
    match node:
        case ast.Compare(left=left, comparators=[right]) if _is_state(left):
            return _texts(right)
        case ast.keyword(arg="state", value=value) | ast.Assign(targets=[ast.Attribute(attr="state")], value=value):
            return _texts(value)
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            both = zip(targets, values, strict=False)
            set_to = [value for target, value in both if getattr(target, "attr", "") == "state"]
            return [line for value in set_to for line in _texts(value)]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            named = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "state"]
            return [line for value in named for line in _texts(value)] + _state_keys(keys)
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="state"), attr="in_" | "not_in"), args=[right]):
            return _texts(right)
        case _:
            return []


def _is_state(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="state") | ast.Name(id="state") | ast.Subscript(slice=ast.Constant(value="state")):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="state"), *_]):
            return True
        case _:
            return False


def _state_keys(keys: Sequence[ast.expr | None]) -> list[int]:
    """The keys of what is looked up by a state: none is anything else."""
    found = [line for key in keys if key is not None for line in _texts(key)]
    return found if len(found) == len(keys) else []


def _texts(node: ast.expr) -> list[int]:
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    parts = node.elts if isinstance(node, ast.Tuple | ast.Set | ast.List) else [node]
    return [part.lineno for part in parts if isinstance(part, ast.Constant) and part.value in _KNOWN]
