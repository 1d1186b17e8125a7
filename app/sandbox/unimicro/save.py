"""Trees of records stored: create, update, delete of the head and of each nested object.

Source: docs/facts/unimicro.md §3 (child rules: ID = update, ID + Deleted = delete, ID 0 = create, omitted = untouched),
§4.1 (a nested Customer in a PUT overwrites the customer: the trap falls out of the rule), §5.2 (`_createguid`).
"""

from dataclasses import dataclass, field
from typing import Any

from app.sandbox.unimicro.answers import Record, duplicate_guid, malformed, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kinds import Entity, Kind
from app.sandbox.unimicro.schema import ENTITIES, PRIVATE
from app.sandbox.unimicro.series_numbers import find_series, take_number
from app.sandbox.unimicro.sub_accounts import load_sub_account
from app.sandbox.unimicro.switches import PrivateFlag
from app.sandbox.unimicro.validation import to_owned_children, verify_body

# One new object may fill two slots of a business relation by carrying the same guid (§3.1 [O]).
_SHAREABLE = {"Address", "Email", "Phone"}
# Which of these a client may set itself; the others change by action only (assumed).
_STATUS_SETTABLE = {"Product", "Customer"}


@dataclass(slots=True, kw_only=True)
class Save:
    """One request's writing into the books; `created` knows the guids of this request."""

    books: Books
    created: dict[str, tuple[str, int]] = field(default_factory=dict)


def save_body(books: Books, entity: Entity, body: Record) -> int:
    """The id of the stored head; call inside a transaction.

    Raises:
        AnswerError: the body is refused (see `unimicro_checks`), or a guid was seen before.
    """
    known = _without_unknown(books, entity, body)
    verify_body(books, entity, known)
    return _save_tree(Save(books=books), entity, known, {})


def _without_unknown(books: Books, entity: Entity, body: Record) -> Record:
    """The body without a field that this company does not know; a switch says which, and whether it is refused."""
    flag = books.switches.private_flag
    if entity.name != "Customer" or flag is PrivateFlag.KEPT or PRIVATE not in body:
        return body
    if flag is PrivateFlag.REFUSED:
        raise malformed(f"The request is invalid: could not find member '{PRIVATE}' on object of type 'Customer'.")
    return {name: value for name, value in body.items() if name != PRIVATE}


def _save_tree(save: Save, entity: Entity, body: Record, extra: Record) -> int:
    record_id = body.get("ID") or 0
    if record_id:
        changes = _to_values(entity, body)
        changes.pop("CustomerNumber", None)  # follows the series and stays (assumed, §4.4)
        if body.get("Deleted"):
            changes["Deleted"] = True
        save.books.update(entity.name, record_id, changes)
    else:
        shared = _find_shared(save, entity, body)
        record_id = shared or _create(save, entity, body, extra)
    _save_relations(save, entity, body, record_id)
    if entity.name == "Customer":
        load_sub_account(save.books, record_id)
    return record_id


def _save_relations(save: Save, entity: Entity, body: Record, record_id: int) -> None:
    parent = {"BusinessRelationID": record_id} if entity.name == "BusinessRelation" else {}
    for name, reference in entity.one.items():
        if isinstance(body.get(name), dict):
            target = ENTITIES[entity.fields[reference].target]
            child_id = _save_tree(save, target, body[name], parent)
            save.books.update(entity.name, record_id, {reference: child_id})
    for name, (child, back) in to_owned_children(entity).items():
        for row in body.get(name) or ():
            _save_tree(save, ENTITIES[child], row, {back: record_id})


def _find_shared(save: Save, entity: Entity, body: Record) -> int:
    guid = str(body.get("_createguid") or "").lower()
    name, record_id = save.created.get(guid, ("", 0))
    if name and (name != entity.name or name not in _SHAREABLE):
        raise duplicate_guid()
    return record_id


def _create(save: Save, entity: Entity, body: Record, extra: Record) -> int:
    guid = body.get("_createguid")
    if guid:
        save.books.take_guid(str(guid))
    values = _to_values(entity, body)
    if entity.name in _NUMBERED:
        values |= _to_numbers(save.books, entity.name, values)
    record = save.books.insert(entity.name, values | extra)
    if guid:
        save.created[str(guid).lower()] = (entity.name, record["ID"])
    return int(record["ID"])


def _to_values(entity: Entity, body: Record) -> Record:
    """The scalars of the body that a client may set; ids of 0 mean none."""
    values = {name: value for name, value in body.items() if name in entity.fields and not entity.fields[name].owned}
    for name, spec in entity.fields.items():
        if spec.kind is Kind.REF and name in values:
            values[name] = values[name] or None
    if entity.name not in _STATUS_SETTABLE or not values.get("StatusCode"):
        values.pop("StatusCode", None)
    if isinstance(body.get("CustomValues"), dict):
        values["CustomValues"] = body["CustomValues"]
    return values


# entity: (number field, series), source §3.5, §3.6, §4.4. A product's number is `getnewpartname`'s (assumed).
_NUMBERED = {"Customer", "Project", "Department", "Product"}


def _to_numbers(books: Books, entity: str, values: Record) -> Record:
    if entity == "Customer":
        return {"CustomerNumber": _to_customer_number(books, values.get("CustomerNumber"))}
    if entity == "Product":
        return {} if values.get("PartName") else {"PartName": next_part_name(books)}
    number = values.get(f"{entity}Number") or str(take_number(books, entity))
    numeric = values.get(f"{entity}NumberNumeric") or (int(number) if number.isdigit() else None)
    return {f"{entity}Number": number, f"{entity}NumberNumeric": numeric}


def next_part_name(books: Books) -> str:
    """A product number not in use."""
    used = {row["PartName"] for row in books.rows("Product")}
    return next(str(number) for number in range(1, len(used) + 2) if str(number) not in used)


def _to_customer_number(books: Books, wanted: int | None) -> int:
    """The explicit number inside the series, or the next one. Source: §4.4; assumed, so an option."""
    used = {row["CustomerNumber"] for row in books.rows("Customer")}
    if not wanted or not books.options.accept_customer_number:
        number = take_number(books, "Customer")
        while number in used:
            number = take_number(books, "Customer")
        return number
    series = find_series(books, "Customer")
    if not series["FromNumber"] <= wanted <= series["ToNumber"]:
        raise refused("CustomerNumber is outside the number series.", entity="Customer", field="CustomerNumber")
    if wanted in used:
        raise refused("CustomerNumber is already in use.", entity="Customer", field="CustomerNumber")
    return wanted


def to_echo(entity: Entity, body: Any) -> str:
    """The `expand` that answers a write: the relations that the body itself had (§6: the same tree with ids)."""
    if not isinstance(body, dict):
        return ""
    paths = []
    for name in (*entity.one, *entity.many):
        value = body.get(name)
        sample = value[0] if isinstance(value, list) and value else value
        if not sample:
            continue
        child = ENTITIES[entity.many[name][0] if name in entity.many else entity.fields[entity.one[name]].target]
        below = to_echo(child, sample)
        paths += [name, *(f"{name}.{path}" for path in filter(None, below.split(",")))]
    return ",".join(paths)
