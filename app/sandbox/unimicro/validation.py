"""What is wrong with a body before anything is stored: types, lengths, needed fields, references.

Source: docs/facts/unimicro.md §3.1-§3.6 for lengths, §5.1 for shapes. Assumed: over-long text is refused (§5.3),
a wrong JSON type is refused with a bare string.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from app.sandbox.unimicro.answers import Record, broken_reference, invalid, malformed, to_validation
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kinds import Entity, Field, Kind
from app.sandbox.unimicro.schema import ENTITIES

Path = tuple[str | int, ...]
Problem = tuple[Path, Record]

# Source: §3.1 (create minimum) [O]; for the others assumed.
_NEEDED = {"BusinessRelation": ("Name",), "Product": ("Name",), "Project": ("Name",), "Department": ("Name",)}
_NEEDED["CustomerInvoice"] = ("InvoiceDate",)
_NEEDED_RELATIONS = {"Customer": ("Info", "BusinessRelationID"), "CustomerInvoice": ("Customer", "CustomerID")}


def verify_body(books: Books, entity: Entity, body: Record) -> None:
    """Nothing when the whole tree may be stored.

    Raises:
        AnswerError: 400 shape 4 for a wrong JSON type, 400 shape 3 with every bad value, 500 for a wrong id.
    """
    nodes = list(walk(entity, body, ()))
    for _, spec, node in nodes:
        _verify_types(spec, node)
    problems = [problem for path, spec, node in nodes for problem in _find_problems(path, spec, node)]
    if problems:
        raise invalid(body, problems)
    for _, spec, node in nodes:
        _verify_references(books, spec, node)


def walk(entity: Entity, body: Record, path: Path) -> list[tuple[Path, Entity, Record]]:
    """The body and every object nested in it by a relation, with its path and entity."""
    found = [(path, entity, body)]
    for name, reference in entity.one.items():
        if isinstance(body.get(name), dict):
            target = ENTITIES[entity.fields[reference].target]
            found += walk(target, body[name], (*path, name))
    for name, (child, _) in to_owned_children(entity).items():
        for index, row in enumerate(_to_rows(body.get(name))):
            found += walk(ENTITIES[child], row, (*path, name, index))
    return found


def to_owned_children(entity: Entity) -> dict[str, tuple[str, str]]:
    """The lists that are saved with their head; other lists (a customer's invoices) are ignored on input (assumed)."""
    return {name: (child, back) for name, (child, back) in entity.many.items() if ENTITIES[child].fields[back].owned}


def _to_rows(value: Any) -> list[Record]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise malformed("The request is invalid: a list of objects was expected.")
    return value


def _verify_types(entity: Entity, node: Record) -> None:
    for name, value in node.items():
        spec = entity.fields.get(name)
        if spec and value is not None and not _is_of(spec, value):
            raise malformed(f"The request is invalid: {entity.name}.{name} cannot be {type(value).__name__}.")


def _is_of(spec: Field, value: Any) -> bool:
    if spec.kind is Kind.BOOL:
        return isinstance(value, bool)
    if spec.kind is Kind.DATE:
        return isinstance(value, str) and _is_date(value)
    if spec.kind is Kind.TEXT:
        return isinstance(value, str)
    wanted = (int, Decimal) if spec.kind is Kind.DEC else int
    return isinstance(value, wanted) and not isinstance(value, bool)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _find_problems(path: Path, entity: Entity, node: Record) -> list[Problem]:
    found = [
        _problem(path, entity, name, f"{name} cannot be longer than {spec.length} characters.")
        for name, spec in entity.fields.items()
        if spec.length and not spec.owned and len(node.get(name) or "") > spec.length
    ]
    if not node.get("ID"):
        found += [_problem(path, entity, name, f"{name} is required.") for name in _find_missing(entity, node)]
    if entity.name == "CustomerInvoice" and _is_due_too_early(node):
        found.append(_problem(path, entity, "PaymentDueDate", "PaymentDueDate cannot be before InvoiceDate."))
    if entity.name == "CustomerInvoiceItem" and node.get("DiscountPercent", 0) is None:
        found.append(_problem(path, entity, "DiscountPercent", "DiscountPercent cannot be null."))
    return found


def _problem(path: Path, entity: Entity, name: str, message: str) -> Problem:
    return path, to_validation(entity.name, name, message)


def _find_missing(entity: Entity, node: Record) -> list[str]:
    missing = [name for name in _NEEDED.get(entity.name, ()) if not node.get(name)]
    relation, reference = _NEEDED_RELATIONS.get(entity.name, ("", ""))
    if relation and not node.get(reference) and not node.get(relation):
        missing.append(reference)
    return missing


def _is_due_too_early(node: Record) -> bool:
    """Source: §3.2: the UI refuses it; that the server does too is assumed."""
    issued, due = node.get("InvoiceDate"), node.get("PaymentDueDate")
    return bool(issued and due and due[:10] < issued[:10])


def _verify_references(books: Books, entity: Entity, node: Record) -> None:
    for name, spec in entity.fields.items():
        value = node.get(name)
        if spec.kind is Kind.REF and not spec.owned and value and not books.find(spec.target, value):
            raise broken_reference(name, value)
    if node.get("ID") and not books.find(entity.name, node["ID"]):
        raise broken_reference("ID", node["ID"])
