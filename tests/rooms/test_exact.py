"""Orders are taken at their word: what is of another kind than the description says is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.api.hooks import NewHook
from app.api.jobs import Wanted
from app.api.key_views import KeyChange
from app.api.recman import BackfillOrder, ReadingChange
from app.api.tenants import TenantChange
from app.api.tokens import TokenOrder
from app.api.views import Order
from app.domain.exact import Exact
from app.domain.rules import Rules
from app.web import create_app

_MAY = {"name": "Kari", "role": "viewer"}


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (Wanted, {"ids": ["5"]}),
        (Wanted, {"ids": [5.5]}),
        (Wanted, {"ids": [True]}),
        (Wanted, {"everything": 1}),
        (Wanted, {"everything": "yes"}),
        (NewHook, {"name": "RecMan", "record_first": "no"}),
        (BackfillOrder, {"dated_from": 5, "dated_to": "2026-11-01"}),
        (BackfillOrder, {"dated_from": "2026-11-01T00:00:00", "dated_to": "2026-11-01"}),
        (TokenOrder, {**_MAY, "expires_at": 1795000000}),
        (TokenOrder, {**_MAY, "expires_at": "1795000000"}),
        (TenantChange, {"retention": {"bodies_days": "90"}}),
        (ReadingChange, {"most_changes": "500"}),
        (ReadingChange, {"shares": {"sweeps": 5.5}}),
        (ReadingChange, {"sweep_hours": "24"}),
        (KeyChange, {"settings": {"send_customer_number": "yes"}}),
        (KeyChange, {"go_live": 20261201}),
        (Rules, {"accounts": [{"recman": "3000", "unimicro": "3100"}]}),
        (Rules, {"attach_files": "true"}),
    ],
)
def test_a_value_of_another_kind_is_refused_also_deep_inside(model: type[Exact], sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(sent)


def test_what_json_can_only_say_as_text_is_taken_as_text() -> None:
    order = BackfillOrder.model_validate({"dated_from": "2026-11-01", "dated_to": "2026-11-30"})
    assert (order.dated_from.month, order.dated_to.day) == (11, 30)
    assert TokenOrder.model_validate({**_MAY, "expires_at": "2027-01-01T00:00:00+01:00"}).expires_at is not None
    rules = Rules.model_validate({"departments": [{"recman": "7", "dimensions": {"5": "OSLO"}}]})
    assert rules.departments[0].dimensions == {5: "OSLO"}
    assert ReadingChange.model_validate({"sweep_hours": 24}).sweep_hours == 24
    assert Wanted.model_validate({"ids": [5.0]}).ids == [5]


def test_every_body_is_one_that_takes_its_own_kinds_alone() -> None:
    assert callable(create_app)  # every room is loaded
    models = _list_models(Order)
    assert len(models) >= 25
    loose = {
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        for part in _list_parts(field.annotation)
        if not issubclass(part, Exact)
    }
    assert loose == set()


def _list_models(model: type[Exact]) -> set[type[Exact]]:
    return {model, *(one for below in model.__subclasses__() for one in _list_models(below))}


def _list_parts(annotation: Any) -> list[type[Any]]:
    """The models that a field may hold."""
    if isinstance(annotation, type):
        return [annotation] if hasattr(annotation, "model_fields") else []
    return [part for inner in getattr(annotation, "__args__", ()) for part in _list_parts(inner)]
