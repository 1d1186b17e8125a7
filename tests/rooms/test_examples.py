"""What the description shows as an example of a body works when it is pasted."""

import pytest
from fastapi.routing import APIRoute

from app.web import ROOMS
from tests.world.examples import list_examples

_BODIES = [
    pytest.param(route, id=route.path)
    for room in ROOMS
    for route in room.router.routes
    if isinstance(route, APIRoute) and route.body_field is not None
]


@pytest.mark.parametrize("route", _BODIES)
def test_an_example_of_a_body_is_taken(route: APIRoute) -> None:
    method = next(iter(route.methods or ()))
    assert route.body_field is not None
    example = list_examples()[method, route.path]
    _, wrong = route.body_field.validate(example, {}, loc=("body",))
    assert not wrong, (example, wrong)
