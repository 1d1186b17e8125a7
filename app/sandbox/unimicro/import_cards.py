"""The cards *Kunde*, *Produkt* and *Ordre*.

Source: docs/facts/files.md §3: a number outside of the customers' series refuses the whole file [C]; a known number is
skipped unless told otherwise [C]; a product's sales account decides its VAT code and must exist [D]; a known order
number gets a new one [C]; orders become drafts or registered [D]. The columns of Produkt and Ordre are assumed.
"""

from collections.abc import Callable
from decimal import Decimal

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.import_sheets import ImportRefusedError, SheetRow, read_sheet
from app.sandbox.unimicro.import_switches import ImportOrderNumbers
from app.sandbox.unimicro.import_vouchers import ImportOptions, drop_faulty, import_vouchers
from app.sandbox.unimicro.orders import create_order, register_order
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.series_numbers import find_series

_ADDRESS = {"AddressLine1": "Adresse", "AddressLine2": "Adresse2", "PostalCode": "Postnummer", "City": "Poststed"}
_ADDRESS |= {"CountryCode": "Landkode"}
_DELIVERY = {name: f"Lev{column}" for name, column in _ADDRESS.items()}
_TWO_LETTERS = 2
_HUNDRED = Decimal(100)


def import_customers(books: Books, content: bytes, options: ImportOptions) -> Record:
    """What came of the file; see `import_vouchers`."""
    rows = read_sheet(content, ("Kundenr", "Navn"))
    series = find_series(books, "Customer")
    for row in rows:
        number = row.text("Kundenr")
        if not number.isdecimal() or not series["FromNumber"] <= int(number) <= series["ToNumber"]:
            row.complain(f"Kundenr {number} is outside the number series")
        if row.text("Landkode") and len(row.text("Landkode")) != _TWO_LETTERS:
            row.complain(f"Landkode {row.text('Landkode')} is no country code")
    faults = [fault for row in rows for fault in row.faults]
    if faults:
        # Whatever the switch says: this refusal of all is known.
        raise ImportRefusedError(faults)
    known = {str(row["CustomerNumber"]): row for row in books.rows("Customer")}
    return _store_each(rows, "Kundenr", known, options, lambda row, old: _save_customer(books, row, old))


def _save_customer(books: Books, row: SheetRow, old: Record | None) -> None:
    info: Record = {"Name": row.text("Navn")}
    for slot, columns in {"InvoiceAddress": _ADDRESS, "ShippingAddress": _DELIVERY}.items():
        address = {name: row.text(column) for name, column in columns.items() if row.text(column)}
        if address:
            info[slot] = address
    if row.text("Epostadresse"):
        info["DefaultEmail"] = {"EmailAddress": row.text("Epostadresse")}
    if row.text("Telefonnr"):
        info["DefaultPhone"] = {"Number": row.text("Telefonnr")}
    body: Record = {"OrgNumber": row.text("Orgnr") or None, "Info": info}
    if old is None:
        save_body(books, ENTITIES["Customer"], body | {"CustomerNumber": int(row.text("Kundenr"))})
    else:
        save_body(
            books, ENTITIES["Customer"], body | {"ID": old["ID"], "Info": {**info, "ID": old["BusinessRelationID"]}}
        )


def _store_each(
    rows: list[SheetRow],
    name: str,
    known: dict[str, Record],
    options: ImportOptions,
    save: Callable[[SheetRow, Record | None], None],
) -> Record:
    made = skipped = 0
    for row in rows:
        old = known.get(row.text(name))
        if old is not None and not options.overwrites:
            skipped += 1
            continue
        save(row, old)
        made += 1
    return {"Imported": made, "Skipped": skipped, "Faults": [fault for row in rows for fault in row.faults]}


def import_products(books: Books, content: bytes, options: ImportOptions) -> Record:
    """What came of the file; see `import_vouchers`."""
    rows = read_sheet(content, ("Produktnr", "Navn"))
    accounts = {str(row["AccountNumber"]): row for row in books.rows("Account") if not row["CustomerID"]}
    for row in rows:
        if row.text("Salgskonto") and row.text("Salgskonto") not in accounts:
            row.complain(f"there is no account {row.text('Salgskonto')}")
    kept = [row for group in drop_faulty(books, [[row] for row in rows]) for row in group]
    known = {row["PartName"]: row for row in books.rows("Product")}

    def save(row: SheetRow, old: Record | None) -> None:
        account = accounts.get(row.text("Salgskonto"), {})
        body: Record = {"PartName": row.text("Produktnr"), "Name": row.text("Navn"), "Unit": row.text("Enhet") or None}
        body |= {"AccountID": account.get("ID"), "VatTypeID": account.get("VatTypeID"), "ID": old["ID"] if old else 0}
        save_body(books, ENTITIES["Product"], body)

    done = _store_each(kept, "Produktnr", known, options, save)
    return done | {"Faults": [fault for row in rows for fault in row.faults]}


def import_orders(books: Books, content: bytes, options: ImportOptions) -> Record:
    """What came of the file; see `import_vouchers`."""
    rows = read_sheet(content, ("Ordredato", "Kundenr"))
    groups: dict[str, list[SheetRow]] = {}
    for row in rows:
        groups.setdefault(row.text("Ordrenr") or f"row {row.number}", []).append(row)
    bodies = {number: _to_order(books, group) for number, group in groups.items()}
    kept = drop_faulty(books, [*groups.values()])
    made = 0
    for number, group in groups.items():
        if group in kept:
            _store_order(books, number, bodies[number], registers=options.posts)
            made += 1
    return {"Imported": made, "Skipped": len(groups) - made, "Faults": [fault for row in rows for fault in row.faults]}


def _store_order(books: Books, number: str, body: Record, *, registers: bool) -> None:
    used = {str(row["OrderNumber"]) for row in books.rows("CustomerOrder")}
    order_id = create_order(books, body)
    if registers:
        register_order(books, order_id)
        keeps = books.switches.import_order_numbers is ImportOrderNumbers.KEPT
        if keeps and number.isdecimal() and number not in used:
            books.update("CustomerOrder", order_id, {"OrderNumber": int(number)})


def _to_order(books: Books, group: list[SheetRow]) -> Record:
    head = group[0]
    customer = _find(books, "Customer", "CustomerNumber", head, "Kundenr")
    currency = _find(books, "CurrencyCode", "Code", head, "Valuta") if head.text("Valuta") else None
    body: Record = {"CustomerID": customer and customer["ID"], "OrderDate": head.day("Ordredato")}
    body |= {"DeliveryDate": head.day("Leveringsdato"), "OurReference": head.text("Vår referanse") or None}
    body |= {"YourReference": head.text("Deres referanse") or None, "Requisition": head.text("Rekvisisjon") or None}
    body |= {"CurrencyCodeID": currency["ID"] if currency else books.settings["BaseCurrencyCodeID"]}
    body["Items"] = [_to_item(books, row, index) for index, row in enumerate(group)]
    return body


def _to_item(books: Books, row: SheetRow, index: int) -> Record:
    if not row.text("Produktnr"):
        return {"ItemText": row.text("Tekst"), "SortIndex": index}
    product = _find(books, "Product", "PartName", row, "Produktnr")
    item: Record = {"ProductID": product and product["ID"], "ItemText": row.text("Tekst"), "SortIndex": index}
    item |= {"NumberOfItems": row.amount("Antall"), "PriceExVat": row.amount("Pris eks. mva")}
    item |= {"PriceExVatCurrency": item["PriceExVat"], "DiscountPercent": row.amount("Rabatt %") or Decimal(0)}
    vat = _find(books, "VatType", "VatCode", row, "Momskode") if row.text("Momskode") else None
    return item | {
        "Unit": row.text("Enhet") or None,
        "VatTypeID": vat["ID"] if vat else (product or {}).get("VatTypeID"),
    }


def _find(books: Books, entity: str, field: str, row: SheetRow, name: str) -> Record | None:
    found = next((one for one in books.rows(entity) if str(one[field]) == row.text(name)), None)
    if found is None:
        row.complain(f"there is no {name} {row.text(name)}")
    return found


CARDS: dict[str, Callable[[Books, bytes, ImportOptions], Record]] = {
    "bilag": import_vouchers,
    "kunde": import_customers,
    "produkt": import_products,
    "ordre": import_orders,
}
