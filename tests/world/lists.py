"""Lists that a person would take out of Unimicro, for a key without sign-in: those of the stand-in's seed."""

from typing import Any

from app.sandbox.unimicro.seed import ACCOUNTS, DEPARTMENTS, PRODUCTS, VAT_TYPES
from tests.world.names import GO_LIVE, OURS, TOKEN
from tests.world.world import World

LISTED = {"mode": "file", "sender": "recman", "booking": "voucher", "company_name": "Nordlys Bemanning AS"}
CUSTOMERS = (("100002", "Tromsø Havn og Logistikk AS", "311877208"),)


def to_csv(*rows: tuple[Any, ...]) -> bytes:
    """The rows as a spreadsheet saves them."""
    return "\r\n".join(";".join(str(cell).replace(".", ",") for cell in row) for row in rows).encode()


FILES = {
    "products": to_csv(
        ("Produktnr", "Produktnavn", "Konto", "Momskode", "Aktiv"),
        *((one[0], one[1], one[3], one[2], "ja" if one[6] == 35001 else "nei") for one in PRODUCTS),
    ),
    "vat_codes": to_csv(
        ("Kode", "Navn", "Sats", "Utgående"),
        *((code, name.replace(",", ""), rate, "ja" if output else "nei") for code, name, rate, output in VAT_TYPES),
    ),
    "customers": to_csv(("Kundenr", "Navn", "Orgnr"), *CUSTOMERS),
    "accounts": to_csv(
        ("Kontonr", "Kontonavn", "Momskode"), *((n, name.replace(",", ""), c) for n, name, c in ACCOUNTS)
    ),
    "departments": to_csv(("Avdeling", "Navn"), *DEPARTMENTS),
    "projects": to_csv(("Prosjekt", "Navn"), ("P-301", "Uke 40")),
}


async def put_list(world: World, key_id: str, kind: str, content: bytes, *, status: int = 200) -> dict[str, Any]:
    """What the door tells about a list that is sent to it."""
    answer = await world.http.put(
        f"{OURS}/v1/keys/{key_id}/lists/{kind}", content=content, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def make_listed_key(world: World, *, kinds: tuple[str, ...] = tuple(FILES), **more: Any) -> str:
    """The id of a new key without sign-in, with these lists."""
    order = {"name": "Files", "go_live": GO_LIVE, "departments": [], **LISTED, **more}
    made = await world.call("POST", "/v1/keys", order, tenant=world.tenant_id)
    assert made.status_code == 201, made.text
    for kind in kinds:
        await put_list(world, made.json()["id"], kind, FILES[kind])
    return str(made.json()["id"])
