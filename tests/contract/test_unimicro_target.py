"""Our Unimicro side against the sandbox: the sign-in, each method of the target, and what every trouble means."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.accounting.targets import Change, Exchange, NewDraft, Target, guid_for, open_target
from app.accounting.unimicro.auth import (
    Authorization,
    Identity,
    TokenSet,
    authorize_url,
    exchange_code,
    refresh,
    revoke,
)
from app.accounting.unimicro.directory import fetch_companies
from app.domain.documents import DocumentKind
from app.domain.parties import Address, Customer
from app.domain.reference import DocumentState, Links, Reference, RemoteCustomer
from app.errors import (
    AlreadyStoredError,
    AuthExpiredError,
    OutcomeUnknownError,
    RemoteMissingError,
    RemoteRejectedError,
    RemoteThrottledError,
    RemoteUnavailableError,
)
from app.platform.http import httpx, new_client
from app.sandbox.unimicro.app import stand_at
from app.sandbox.unimicro.options import DEFAULT_REDIRECT_URI, SandboxOptions
from tests.world.builders import make_customer, make_department, make_document, make_project
from tests.world.stand_ins import at_two_hosts, borrow_unimicro

HOST = "http://unimicro.test"
ISSUER = "http://login.unimicro.test"
IDENTITY = Identity(
    issuer=ISSUER,
    client_id="recman-unimicro",
    client_secret="sandbox-secret",
    redirect_uri=DEFAULT_REDIRECT_URI,
    default_api_base=f"{HOST}/",
    allowed_hosts=frozenset({"unimicro.test"}),
)
INVOICES = "/api/biz/invoices"


@dataclass(slots=True, kw_only=True)
class Desk:
    """A signed-in target, its tokens, and everything it wrote."""

    http: httpx.AsyncClient
    target: Target
    tokens: TokenSet
    exchanges: list[Exchange]

    async def fault(self, fault: str, method: str, path: str, **more: Any) -> None:
        match = {"method": method, "path": path} | ({"query": more.pop("query")} if "query" in more else {})
        answer = await self.http.post(f"{HOST}/sandbox/faults", json={"match": match, "fault": fault, **more})
        assert answer.status_code == 201, answer.text

    async def customer(self, number: str = "100001") -> RemoteCustomer:
        guid = guid_for("key", "customer", number)
        return (await self.target.create_customer(make_customer(number=number), guid=guid, send_number=True)).record

    async def prepare(self) -> tuple[Reference, Links]:
        reference = await self.target.fetch_reference()
        customer = await self.customer()
        return reference, Links(customer_id=customer.remote_id, products={"1001": reference.products["1001"][0]})

    async def draft(self, reference: Reference, links: Links, number: str = "1", **changes: Any) -> Any:
        guid = guid_for("key", "invoice", number)
        document, rate = make_document(**changes), Decimal(1)
        if document.currency != reference.base_currency:
            ids = reference.currencies
            base_id = ids[reference.base_currency]
            rate = (await self.target.fetch_quote(ids[document.currency], base_id, document.invoice_date)).per_unit
        new = NewDraft(
            document=document,
            links=links,
            guid=guid,
            external_reference=f"RM-{number}",
            reference=reference,
            rate=rate,
        )
        return await self.target.create_draft(new)


async def sign_in(http: httpx.AsyncClient, identity: Identity = IDENTITY) -> tuple[Authorization, str, str]:
    begun = await authorize_url(http, identity)
    answer = await http.get(begun.url)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == [begun.state]
    return begun, query["code"][0], query["iss"][0]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    with borrow_unimicro(SandboxOptions()) as app:
        stand_at(app, api=HOST, issuer=ISSUER)
        async with new_client(transport=at_two_hosts(app, issuer=ISSUER)) as client:
            yield client


@pytest.fixture
async def desk(http: httpx.AsyncClient) -> Desk:
    begun, code, issuer = await sign_in(http)
    tokens = (await exchange_code(http, IDENTITY, begun, code=code, issuer=issuer)).tokens
    companies = await fetch_companies(http, tokens)
    opened = Desk(http=http, target=None, tokens=tokens, exchanges=[])  # type: ignore[arg-type]

    async def token(refused: str | None) -> str:
        if refused:
            opened.tokens = await refresh(http, IDENTITY, opened.tokens.refresh_token)
        return opened.tokens.access_token

    opened.target = open_target(
        http,
        base_url=tokens.api_base,
        company_key=companies[0].key,
        token=token,
        on_exchange=opened.exchanges.append,
    )
    return opened


# Signing in


async def test_a_sign_in_gives_tokens_the_api_base_and_the_living_companies(http: httpx.AsyncClient) -> None:
    begun, code, issuer = await sign_in(http)
    tokens = (await exchange_code(http, IDENTITY, begun, code=code, issuer=issuer)).tokens
    assert tokens.api_base == f"{HOST}/"
    names = [(company.name, company.is_test) for company in await fetch_companies(http, tokens)]
    assert names == [("Nordlys Bemanning AS", False), ("Nordlys Konsulent AS", False), ("Nordlys Test AS", True)]


async def test_a_refresh_token_that_was_used_means_signing_in_again(desk: Desk) -> None:
    old = desk.tokens.refresh_token
    renewed = await refresh(desk.http, IDENTITY, old)
    assert renewed.refresh_token != old
    with pytest.raises(AuthExpiredError) as caught:
        await refresh(desk.http, IDENTITY, old)
    assert old not in str(caught.value)


async def test_a_wrong_client_secret_is_no_reason_to_sign_in_again(desk: Desk) -> None:
    wrong = replace(IDENTITY, client_secret="wrong")
    with pytest.raises(RemoteUnavailableError) as caught:
        await refresh(desk.http, wrong, desk.tokens.refresh_token)
    assert caught.value.code == "client_refused"
    assert "RMU_UNIMICRO_CLIENT_SECRET" in caught.value.fix
    await refresh(desk.http, IDENTITY, desk.tokens.refresh_token)


@pytest.mark.parametrize("issuer", ["http://evil.test", None])
async def test_a_callback_from_another_issuer_is_refused(http: httpx.AsyncClient, issuer: str | None) -> None:
    begun, code, _ = await sign_in(http)
    with pytest.raises(RemoteRejectedError) as caught:
        await exchange_code(http, IDENTITY, begun, code=code, issuer=issuer)
    assert caught.value.code == "wrong_issuer"


@pytest.mark.parametrize(
    ("changes", "code"), [({"nonce": "x"}, "sign_in_mismatch"), ({"code_verifier": "x" * 43}, "sign_in_refused")]
)
async def test_a_sign_in_begun_elsewhere_is_refused(
    http: httpx.AsyncClient, changes: dict[str, str], code: str
) -> None:
    begun, callback_code, issuer = await sign_in(http)
    with pytest.raises(RemoteRejectedError) as caught:
        await exchange_code(http, IDENTITY, replace(begun, **changes), code=callback_code, issuer=issuer)
    assert caught.value.code == code


async def test_a_lost_answer_to_a_refresh_has_an_unknown_outcome(desk: Desk) -> None:
    await desk.fault("lose_answer", "POST", "/connect/token")
    with pytest.raises(OutcomeUnknownError) as caught:
        await refresh(desk.http, IDENTITY, desk.tokens.refresh_token)
    assert desk.tokens.refresh_token not in str(caught.value)


async def test_a_broken_identity_server_is_tried_again_later(desk: Desk) -> None:
    await desk.fault("error_before", "POST", "/connect/token")
    with pytest.raises(RemoteUnavailableError):
        await refresh(desk.http, IDENTITY, desk.tokens.refresh_token)
    await refresh(desk.http, IDENTITY, desk.tokens.refresh_token)


async def test_a_revoked_refresh_token_is_dead(desk: Desk) -> None:
    assert await revoke(desk.http, IDENTITY, desk.tokens.refresh_token)
    with pytest.raises(AuthExpiredError):
        await refresh(desk.http, IDENTITY, desk.tokens.refresh_token)


# Reading


async def test_reference_data_knows_products_vat_currencies_and_series(desk: Desk) -> None:
    reference = await desk.target.fetch_reference()
    assert (reference.base_currency, reference.customer_series) == ("NOK", ((100000, 199999),))
    assert [product.vat_rate for product in reference.products["2001"]] == [Decimal(15)]
    assert [product.active for product in reference.products["9001"]] == [False]
    assert reference.vat_registered
    assert reference.locked_until is None


async def test_a_read_is_repeated_when_the_server_stumbles(desk: Desk) -> None:
    await desk.fault("error_before", "GET", "/api/biz/projects", times=2)
    assert [project.number for project in await desk.target.find_projects("P-900")] == ["P-900"]


async def test_a_read_that_keeps_failing_is_tried_again_later(desk: Desk) -> None:
    await desk.fault("lose_answer", "GET", "/api/biz/projects", times=3)
    with pytest.raises(RemoteUnavailableError):
        await desk.target.find_projects("P-900")


async def test_a_missing_document_is_told_by_its_code(desk: Desk) -> None:
    with pytest.raises(RemoteRejectedError) as caught:
        await desk.target.fetch_document(99999)
    assert caught.value.code == "remote_missing"


async def test_an_answer_that_ignores_the_filter_is_checked_row_by_row() -> None:
    rows = [
        {"ID": 7, "CustomerNumber": 100007, "OrgNumber": "914778271", "Info": {"Name": "A"}},
        {"ID": 8, "CustomerNumber": 100008, "OrgNumber": "918654321", "Info": {"Name": "B"}},
    ]

    async def token(refused: str | None) -> str:
        return "refused" if refused else "token"

    async with new_client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=rows))) as http:
        target = open_target(http, base_url=f"{HOST}/", company_key="k", token=token, on_exchange=lambda _: None)
        found = await target.find_customers(number="100008", org_number=None)
        assert [customer.remote_id for customer in found] == [8]
        assert await target.find_customers(number="5", org_number="999999999") == ()
        assert await target.find_projects("P-1") == ()


# Writing


async def test_customer_project_and_department_are_found_after_they_were_made(desk: Desk) -> None:
    customer = await desk.customer()
    assert await desk.target.find_customers(number="100001", org_number=None) == (customer,)
    project = await desk.target.create_project(make_project(), guid=guid_for("p"), customer_id=customer.remote_id)
    assert await desk.target.find_projects("P-301") == (project.record,)
    department = await desk.target.create_department(make_department(), guid=guid_for("d"))
    assert await desk.target.find_departments("10") == (department.record,)


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("NO 974 760 673 MVA", "974760673"),
        ("974 760 673", "974760673"),
        ("556677-8899", "SE556677889901"),
        ("SE556677889901", "5566778899"),
        ("12 34 56 74", "DK12345674"),
        ("CHE-123.456.788", "CHE123456788"),
    ],
)
async def test_customer_is_found_in_whatever_dress_its_organisation_number_stands_there(
    desk: Desk, there: str, asked: str
) -> None:
    await desk.customer()
    customer = make_customer(number="100777", org_number=there)
    made = await desk.target.create_customer(customer, guid=guid_for("in", there), send_number=True)
    assert await desk.target.find_customers(number="5", org_number=asked) == (made.record,)


async def test_an_update_sends_only_what_differs(desk: Desk) -> None:
    customer = await desk.customer()
    same = await desk.target.update_customer(customer.remote_id, make_customer(), guid=guid_for("u", "1"))
    assert not same.sent
    renamed = make_customer(name="Ærfugl Øst AS")
    assert (await desk.target.update_customer(customer.remote_id, renamed, guid=guid_for("u", "2"))).sent
    assert desk.exchanges[-1].request["Info"].keys() == {"ID", "Name"}
    (found,) = await desk.target.find_customers(number="100001", org_number=None)
    assert found.name == "Ærfugl Øst AS"


async def test_a_whole_customer_agrees_with_itself_and_gains_what_is_new(desk: Desk) -> None:
    oslo = Address(line1="Gata 1", line2="Inngang B", postal_code="0150", city="Oslo", country_code="NO")
    bergen = Address(line1="Torget 3", postal_code="5003", city="Bergen")
    whole = make_customer(
        org_number="914778271",
        invoice_email="faktura@aerfugl.example",
        phone="22334455",
        invoice_address=oslo,
        delivery_address=replace(oslo, line2=""),
        visiting_address=bergen,
        peppol_address="914778271",
        currency="EUR",
    )
    currencies = (await desk.target.fetch_reference()).currencies
    made = await desk.target.create_customer(whole, guid=guid_for("w"), send_number=True, currencies=currencies)

    async def update(customer: Customer) -> Change:
        guid = guid_for("u", repr(customer))
        return await desk.target.update_customer(made.record.remote_id, customer, guid=guid, currencies=currencies)

    assert not (await update(whole)).sent
    moved = replace(whole, visiting_address=replace(bergen, line1="Torget 4"), email="post@ny.example")
    assert (await update(moved)).sent
    assert desk.exchanges[-1].request["Info"].keys() == {"ID", "Addresses", "Emails"}
    assert not (await update(moved)).sent


async def test_a_drafts_head_shows_the_customer_as_unimicro_knows_it(desk: Desk) -> None:
    reference, links = await desk.prepare()
    await desk.draft(reference, links)
    head = desk.exchanges[-1].request
    assert (head["CustomerName"], head["InvoiceAddressLine1"]) == ("Ærfugl Bemanning AS", "Gata 1")
    assert (head["EmailAddress"], head["CreditDays"]) == ("post@aerfugl.example", 14)


async def test_a_draft_for_a_customer_that_is_gone_is_refused_before_it_is_sent(desk: Desk) -> None:
    reference, links = await desk.prepare()
    sent = len(desk.exchanges)
    with pytest.raises(RemoteRejectedError) as caught:
        await desk.draft(reference, replace(links, customer_id=99999))
    assert (caught.value.code, len(desk.exchanges)) == ("customer_deleted", sent)


async def test_an_invoice_goes_from_draft_to_its_number(desk: Desk) -> None:
    reference, links = await desk.prepare()
    made = (await desk.draft(reference, links)).document
    assert (made.state, made.number, made.totals) == (DocumentState.DRAFT, "", make_document().totals)
    await desk.target.issue_document(made.remote_id)
    issued = await desk.target.fetch_document(made.remote_id)
    assert (issued.state, issued.number) == (DocumentState.ISSUED, "3000000")
    # A list does not show lines.
    assert await desk.target.find_documents_by_reference("RM-1") == (replace(issued, lines=None),)


async def test_a_euro_invoice_has_its_totals_in_euro(desk: Desk) -> None:
    reference, links = await desk.prepare()
    made = (await desk.draft(reference, links, currency="EUR")).document
    assert made.totals == make_document().totals


async def test_a_credit_draft_is_found_by_its_invoice_and_marked_as_ours(desk: Desk) -> None:
    reference, links = await desk.prepare()
    invoice_id = (await desk.draft(reference, links)).document.remote_id
    await desk.target.issue_document(invoice_id)
    draft = await desk.target.create_credit_draft(invoice_id)
    assert (draft.kind, draft.totals) == (DocumentKind.CREDIT_NOTE, make_document().totals)
    (found,) = await desk.target.find_credits(invoice_id)
    assert (found.remote_id, found.external_reference) == (draft.remote_id, "")
    credit = make_document(kind=DocumentKind.CREDIT_NOTE)
    await desk.target.mark_credit_draft(draft.remote_id, external_reference="RM-9")
    assert [one.external_reference for one in await desk.target.find_credits(invoice_id)] == ["RM-9"]
    change = await desk.target.update_credit_draft(draft.remote_id, credit, external_reference="RM-9", links=links)
    updated = change.document
    assert (updated.external_reference, updated.totals) == ("RM-9", make_document().totals)


async def test_a_deleted_draft_is_gone_and_says_so_when_it_is_deleted_again(desk: Desk) -> None:
    reference, links = await desk.prepare()
    draft_id = (await desk.draft(reference, links)).document.remote_id
    await desk.target.delete_draft(draft_id)
    with pytest.raises(RemoteMissingError):
        await desk.target.delete_draft(draft_id)
    assert await desk.target.find_documents_by_reference("RM-1") == ()


# Troubles of writes


@pytest.mark.parametrize("fault", ["lose_answer", "error_before", "error_after"])
async def test_a_write_without_an_answer_has_an_unknown_outcome_and_is_not_repeated(desk: Desk, fault: str) -> None:
    reference, links = await desk.prepare()
    await desk.fault(fault, "POST", INVOICES)
    with pytest.raises(OutcomeUnknownError):
        await desk.draft(reference, links)
    assert [exchange.path for exchange in desk.exchanges].count("api/biz/invoices") == 1


async def test_a_guid_seen_before_means_already_processed(desk: Desk) -> None:
    reference, links = await desk.prepare()
    await desk.draft(reference, links)
    with pytest.raises(AlreadyStoredError):
        await desk.draft(reference, links)


async def test_a_refusal_that_echoes_our_guid_is_no_repeat(desk: Desk) -> None:
    """The echoed body has `_createguid` in it; only Unimicro's own words may say that it was processed."""
    with pytest.raises(RemoteRejectedError) as caught:
        await desk.target.create_customer(make_customer(number="1"), guid=guid_for("low"), send_number=True)
    assert "CustomerNumber" in caught.value.cause


async def test_a_throttled_write_tells_how_long_to_wait(desk: Desk) -> None:
    await desk.fault("throttle", "POST", "/api/biz/customers", seconds=7)
    with pytest.raises(RemoteThrottledError) as caught:
        await desk.customer()
    assert caught.value.retry_after == 7


async def test_an_expired_token_is_refreshed_and_the_write_done_once(desk: Desk) -> None:
    await desk.fault("expire_token", "POST", "/api/biz/customers")
    customer = await desk.customer()
    assert [exchange.status for exchange in desk.exchanges] == [401, 201]
    assert await desk.target.find_customers(number="100001", org_number=None) == (customer,)


async def test_a_connection_that_never_stood_is_surely_not_sent() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no way", request=request)

    async def token(refused: str | None) -> str:
        return "refused" if refused else "token"

    async with new_client(transport=httpx.MockTransport(refuse)) as http:
        target = open_target(http, base_url=f"{HOST}/", company_key="k", token=token, on_exchange=lambda _: None)
        with pytest.raises(RemoteUnavailableError):
            await target.issue_document(1)


async def test_no_token_is_kept_in_an_exchange(desk: Desk) -> None:
    await desk.customer()
    assert desk.tokens.access_token not in repr(desk.exchanges)
