"""Turning preset invoice numbers on and off in a company's settings. Source: docs/facts/unimicro.md §4.3 C.

That there is a field and an action is known [O]; what turns it on, and whether anything turns it off, is not.
"""

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.ledger_switches import PresetTurned
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES

_SETTINGS = ENTITIES["CompanySettings"]
_FIELD = "PresetCustomerInvoiceNumber"


def update_settings(books: Books, settings_id: int, body: Record) -> None:
    """Changed settings, that one as the switch says."""
    if _FIELD in body and books.switches.preset_turned is not PresetTurned.PUT:
        body = {name: value for name, value in body.items() if name != _FIELD}
    save_body(books, _SETTINGS, body | {"ID": settings_id})


def act_on_preset(books: Books) -> Record:
    """The settings once the action was called.

    Raises:
        AnswerError: 400 where nobody may turn it through the API.
    """
    turned = books.switches.preset_turned
    if turned is PresetTurned.REFUSED:
        raise refused("PresetCustomerInvoiceNumber cannot be changed.", entity="CompanySettings", field=_FIELD)
    is_on = not books.settings[_FIELD] if turned is PresetTurned.TOGGLED else True
    return books.update("CompanySettings", 1, {_FIELD: is_on})
