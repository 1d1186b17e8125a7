"""The life of an order: sums, registering with a number.

Source: docs/facts/unimicro.md §3.4 (names, states, actions [o/O]). That POST takes the generic draft status as invoices
do, and that registering gives the number, is assumed.
"""

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.lines import finish_lines
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.series_numbers import take_number
from app.sandbox.unimicro.switches import LineVat

DRAFT, REGISTERED = 41001, 41002

_ORDER = ENTITIES["CustomerOrder"]


def create_order(books: Books, body: Record) -> int:
    """The id of the stored order, a draft."""
    order_id = save_body(books, _ORDER, body | {"ID": 0})
    books.update(_ORDER.name, order_id, {"StatusCode": DRAFT})
    _finish(books, order_id)
    return order_id


def update_order(books: Books, order_id: int, body: Record) -> None:
    """A changed order with its sums; that it may be changed until it is transferred is assumed."""
    save_body(books, _ORDER, body | {"ID": order_id})
    _finish(books, order_id)


def _finish(books: Books, order_id: int, *, is_issued: bool = False) -> None:
    changes = finish_lines(books, _ORDER.name, books.tables[_ORDER.name][order_id], is_issued=is_issued)
    books.update(_ORDER.name, order_id, {name: value for name, value in changes.items() if name in _ORDER.fields})


def delete_order(books: Books, order_id: int) -> None:
    """A deleted draft; only a draft can be deleted (assumed, as for invoices)."""
    if books.tables[_ORDER.name][order_id]["StatusCode"] != DRAFT:
        raise refused("Only drafts can be deleted.", entity=_ORDER.name, entity_id=order_id)
    books.update(_ORDER.name, order_id, {"Deleted": True})


def register_order(books: Books, order_id: int) -> None:
    """The order numbered and in state 41002.

    Raises:
        AnswerError: 400 when it is no draft.
    """
    if books.tables[_ORDER.name][order_id]["StatusCode"] != DRAFT:
        raise refused("The transition is not legal.", entity=_ORDER.name, field="StatusCode", entity_id=order_id)
    if books.switches.line_vat is LineVat.PRODUCT_AT_ISSUE:
        _finish(books, order_id, is_issued=True)
    number = int(take_number(books, "CustomerOrder"))
    books.update(_ORDER.name, order_id, {"StatusCode": REGISTERED, "OrderNumber": number})
