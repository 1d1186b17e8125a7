"""Is a key ready for its first invoice? Everything that would fail on it later, each with cause and fix. Reads only."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from app.accounting.connections import Company, TokenSet, fetch_companies
from app.accounting.slots import slots_of
from app.accounting.targets import Exchange, Recipients, Target, open_listed_target, open_target
from app.admin.access_tokens import renew_token, tokens_for
from app.admin.key_set_up import examine_set_up
from app.admin.keys import load_key, open_secret
from app.admin.lists import KnownLists, load_known_lists
from app.admin.numbers_check import examine_numbers, load_number_facts
from app.admin.series import list_series
from app.admin.series_check import examine_series, fetch_series_facts
from app.domain.booking import Booking
from app.domain.findings import Finding
from app.domain.lists import Lists
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reference import Reference, RemoteProduct
from app.domain.states import Access
from app.errors import HoldError, RemoteError, ServiceError
from app.platform.crypto import Vault
from app.platform.resources import Resources
from app.tables import Key

_MOST_NAMED = 5


async def check_key(resources: Resources, key: Key) -> list[Finding]:
    """Every finding about the key, in the order in which a first invoice would meet them.

    Raises:
        NotFoundError: the key was removed meanwhile.
    """
    resources = resources.of_tenant(key.tenant_id)
    if key.client == Access.LISTS:
        return await _check_lists(open_key_target(resources, key), key)
    signed_in = await _check_sign_in(resources, key)
    if not signed_in.ok:
        return [signed_in]
    async with resources.sessions() as session:
        key = await load_key(session, key.id)
    target = open_key_target(resources, key)
    company = await _check_company(resources, key)
    rights = await _check_rights(target)
    findings = [signed_in, company, rights]
    if company.ok and rights.ok:
        findings += await _check_books(target, key)
        findings += await _check_series(resources, target, key)
        findings += await _check_numbers(resources, target, key)
    return findings


async def _check_sign_in(resources: Resources, key: Key) -> Finding:
    """Renew the token for good: a refresh token that is dead must show now."""
    what = "sign-in"
    try:
        await renew_token(resources, key.id)
    except ServiceError as error:
        return _tell_trouble(what, error)
    return Finding(what, ok=True, cause="the token was renewed", code=Code.SIGN_IN_AGAIN)


def _tell_trouble(what: str, error: ServiceError) -> Finding:
    return Finding(what, ok=False, cause=error.cause, fix=error.fix or "Try again in a few minutes.", code=error.code)


def open_key_target(
    resources: Resources,
    key: Key,
    *,
    on_exchange: Callable[[Exchange], None] = lambda _: None,
    recipients: Recipients | None = None,
    orders: bool = False,
    rehearses: bool = False,
) -> Target:
    """The key's books; unless told otherwise to look into, and nothing is kept of what is said. See `open_target`."""
    if key.client == Access.LISTS:
        return _open_lists(resources.of_tenant(key.tenant_id), key, orders=orders)
    return open_target(
        resources.http,
        base_url=key.api_base,
        company_key=key.company_key,
        token=tokens_for(resources.of_tenant(key.tenant_id), key),
        on_exchange=on_exchange,
        recipients=recipients,
        slot=lambda: slots_of(resources).hold(key.company_key),
        orders=orders,
        rehearses=rehearses,
    )


def _open_lists(resources: Resources, key: Key, *, orders: bool) -> Target:
    async def load() -> Lists:
        async with resources.sessions() as session:
            return await load_known_lists(session, key, resources.kept(KnownLists))

    first, _, last = str(key.settings.get("customer_series") or "").partition("-")
    series = (int(first), int(last)) if last else None
    return open_listed_target(load, series=series, key_id=str(key.id), orders=orders)


async def _check_company(resources: Resources, key: Key) -> Finding:
    what, code = "company", Code.COMPANY_REFUSED
    try:
        companies = await fetch_companies(resources.http, tokens_of(resources.vault, key))
    except RemoteError as error:
        return _tell_trouble(what, error)
    found = next((company for company in companies if company.key == key.company_key), None)
    if found is None:
        cause = f"the sign-in no longer reaches {key.company_name}; it reaches {_name_companies(companies)}"
        fix = "Give the user who signed in access to the company in Unimicro, or sign in as somebody who has it."
        return Finding(what, ok=False, cause=cause, fix=fix, code=code)
    return Finding(what, ok=True, cause=f"{found.name}{', a test company' if found.is_test else ''}", code=code)


def tokens_of(vault: Vault, key: Key) -> TokenSet:
    """The key's access token, to look around with; it is renewed by nobody."""
    return TokenSet(
        access_token=open_secret(vault, key, "access_token") or "",
        refresh_token="",
        expires_at=key.token_expires_at or datetime.now(UTC),
        api_base=key.api_base,
    )


def _name_companies(companies: Sequence[Company]) -> str:
    return ", ".join(company.name for company in companies) or "none"


async def _check_rights(target: Target) -> Finding:
    """Whether what we read can be read; that writing is allowed cannot be tried without writing."""
    what, code = "rights", Code.RIGHTS_MISSING
    refused = []
    for name in ("customers", "products", "invoices"):
        try:
            await target.probe(name)
        except RemoteError as error:
            refused.append(f"{name}: {error.cause}")
    if refused:
        fix = "Give the user who signed in the roles Administrator and full access to sales in Unimicro."
        return Finding(what, ok=False, cause="; ".join(refused), fix=fix, code=code)
    return Finding(what, ok=True, cause="customers, products and invoices can be read", code=code)


async def _check_lists(target: Target, key: Key) -> list[Finding]:
    """What a first file would meet, as far as lists tell."""
    what, code = "lists", Code.LISTS_MISSING
    try:
        reference = await target.fetch_reference()
    except HoldError as error:
        return [Finding(what, ok=False, cause=gap.cause, fix=gap.fix, code=gap.code) for gap in error.gaps]
    findings = examine_reference(reference, today=datetime.now(UTC).date())
    # Locks are in no list, and nobody has said which numbers customers may have unless the key's settings do.
    told = [one for one in findings if one.code not in {Code.PERIOD_LOCKED, Code.CUSTOMER_NUMBER_OUTSIDE_SERIES}]
    counts = f"{len(reference.products)} products, {len(reference.vat_types)} VAT codes"
    return [Finding(what, ok=True, cause=counts, code=code), *told, _unknown_lock(), _examine_said_series(key)]


def _unknown_lock() -> Finding:
    fix = "Look it up in Unimicro's settings before a file is imported: no list tells it."
    cause = "not known: the key has no sign-in"
    return Finding("locked dates", ok=False, known=False, cause=cause, fix=fix, code=Code.PERIOD_LOCKED)


def _examine_said_series(key: Key) -> Finding:
    what, code, said = "number series", Code.CUSTOMER_NUMBER_OUTSIDE_SERIES, key.settings.get("customer_series")
    if said:
        return Finding(what, ok=True, cause=f"customers {said}; RecMan's customer numbers must lie inside", code=code)
    fix = "Look the series of customers up in Unimicro, and enter it: `customer_series` in the key's settings."
    cause = "not known: Unimicro refuses a whole file of customers for one number outside of the series"
    return Finding(what, ok=False, known=False, cause=cause, fix=fix, code=code)


async def _check_books(target: Target, key: Key) -> list[Finding]:
    what, today = "company settings", datetime.now(UTC).date()
    try:
        reference = await target.fetch_reference()
        set_up = await target.fetch_set_up(year=today.year)
    except HoldError as error:
        return [Finding(what, ok=False, cause=gap.cause, fix=gap.fix, code=gap.code) for gap in error.gaps]
    except RemoteError as error:
        return [_tell_trouble(what, error)]
    findings = examine_reference(reference, today=today)
    return findings + examine_set_up(reference.settings, set_up, booking=Booking(key.booking), key_id=key.id)


async def _check_series(resources: Resources, target: Target, key: Key) -> list[Finding]:
    """Whether the series in which documents are issued still give them RecMan's numbers."""
    if key.booking != Booking.SERIES:
        return []
    async with resources.sessions() as session:
        series = await list_series(session, key)
    try:
        year = datetime.now(UTC).year
        facts = await fetch_series_facts(resources.sessions, target, key, series, year=year)
    except RemoteError as error:
        return [_tell_trouble("series", error)]
    return examine_series(series, facts)


async def _check_numbers(resources: Resources, target: Target, key: Key) -> list[Finding]:
    """Whether documents that get other numbers in the books get numbers that are nobody else's in RecMan."""
    if key.booking != Booking.RENUMBERED:
        return []
    try:
        there = await target.fetch_invoice_series(year=datetime.now(UTC).year)
    except RemoteError as error:
        return [_tell_trouble("numbers apart", error)]
    async with resources.sessions() as session:
        return [examine_numbers(await load_number_facts(session, key, there))]


def examine_reference(reference: Reference, *, today: date) -> list[Finding]:
    """What the company's own data say about a first invoice of today. Pure."""
    products = [one for found in reference.products.values() for one in found if one.active]
    return [
        _examine_products(products),
        _examine(
            "VAT types",
            Code.PRODUCT_WITHOUT_VAT,
            _numbers(products, lambda one: one.vat_rate is None),
            good="every active product has one" + ("" if reference.vat_registered else "; the company has no VAT"),
            bad="these products have no VAT type: {}",
            fix="Choose a VAT type for each product, or for its sales account, in Unimicro.",
        ),
        _examine(
            "product accounts",
            Code.SETTING_ACCOUNTS,
            _numbers(products, lambda one: one.account_id is None),
            good="every active product has one",
            bad="these products have no sales account: {}",
            fix=fix_for(Code.SETTING_ACCOUNTS),
        ),
        _examine_lock(reference.locked_until, today),
        _examine_series(reference.customer_series),
    ]


def _examine_products(products: Sequence[RemoteProduct]) -> Finding:
    fix = "Create the products that RecMan's invoices use in Unimicro, with the same numbers."
    found = bool(products)
    cause = f"{len(products)} active ones" if found else "there is no active product, and lines match by number alone"
    return Finding("products", ok=found, cause=cause, fix="" if found else fix, code=Code.PRODUCT_UNKNOWN)


def _numbers(products: Sequence[RemoteProduct], is_bad: Callable[[RemoteProduct], bool]) -> list[str]:
    return [product.number for product in products if is_bad(product)]


def _examine(what: str, code: Code, numbers: Sequence[str], *, good: str, bad: str, fix: str) -> Finding:
    if not numbers:
        return Finding(what, ok=True, cause=good, code=code)
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    return Finding(what, ok=False, cause=bad.format(", ".join(numbers[:_MOST_NAMED]) + more), fix=fix, code=code)


def _examine_lock(locked_until: date | None, today: date) -> Finding:
    what, code = "locked dates", Code.PERIOD_LOCKED
    if locked_until is None:
        return Finding(what, ok=True, cause="no period is locked", code=code)
    if locked_until < today:
        return Finding(what, ok=True, cause=f"locked until {locked_until}; older invoices will be held", code=code)
    fix = "Open the period in Unimicro."
    return Finding(
        what, ok=False, cause=f"locked until {locked_until}: an invoice of today is held", fix=fix, code=code
    )


def _examine_series(series: Sequence[tuple[int, int]]) -> Finding:
    what, code = "number series", Code.CUSTOMER_NUMBER_OUTSIDE_SERIES
    if not series:
        cause = "no number series of customers was found, so RecMan's customer numbers are not sent"
        fix = "Check the customer number series in Unimicro's settings."
        return Finding(what, ok=False, cause=cause, fix=fix, code=code)
    shown = ", ".join(f"{first}-{last}" for first, last in series)
    return Finding(what, ok=True, cause=f"customers {shown}; RecMan's customer numbers must lie inside", code=code)
