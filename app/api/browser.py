"""The browser's part of a sign-in to Unimicro: it leaves from here, with a cookie, and comes back here."""

import html
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from app.admin.connect import Callback, end_sign_in
from app.admin.sign_ins import find_returned, is_own_browser, take_ticket, tell_state
from app.admin.tenants import load_tenant
from app.api.doors import ResourcesDep, tell_error
from app.api.sign_in import CompanyView
from app.api.views import problems
from app.domain.states import SignInState
from app.errors import ServiceError, StateUsedError
from app.platform.crypto import new_token
from app.platform.resources import Resources
from app.settings import Settings
from app.tables import SignIn

router = APIRouter(prefix="/oauth/unimicro", tags=["keys"])

_COOKIE = "rmu_sign_in"
# As long as a sign-in may take.
_COOKIE_SECONDS = 600
_OURS = re.compile(r"browser_[A-Za-z0-9_-]{43}")
# The address holds the ticket or the code: it must not travel on; nothing foreign may run here, or frame it.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
}


@router.get(
    "/begin/{ticket}",
    # A page for a browser alone, which follows it; programs are told its address (`authorize_url`).
    include_in_schema=False,
)
async def begin(request: Request, resources: ResourcesDep, ticket: str) -> Response:
    """Where an administrator begins: on to Unimicro's sign-in, with a cookie by which the browser is known again."""
    if _is_head(request):
        return Response(status_code=204, headers=_HEADERS)
    browser = _find_browser(request, resources.settings) or new_token("browser")
    try:
        async with resources.sessions.begin() as session:
            url = await take_ticket(session, resources.vault, ticket, browser)
    except ServiceError as trouble:
        return await _tell_trouble(request, trouble)
    answer = RedirectResponse(url, status_code=303, headers=_HEADERS)
    _set_cookie(answer, resources.settings, browser)
    return answer


def _is_head(request: Request) -> bool:
    # Whoever only looks what an address is (a mail program, say) must not use it up.
    return request.scope.get("is_head") is True


def _is_secure(settings: Settings) -> bool:
    return settings.public_url.lower().startswith("https://")


def _name_cookie(settings: Settings) -> str:
    # With TLS the prefix keeps a neighbour's host from setting it; a sandbox has no TLS.
    return f"__Host-{_COOKIE}" if _is_secure(settings) else _COOKIE


def _find_browser(request: Request, settings: Settings) -> str | None:
    given = request.cookies.get(_name_cookie(settings), "")
    return given if _OURS.fullmatch(given) else None


def _set_cookie(answer: Response, settings: Settings, browser: str) -> None:
    answer.set_cookie(
        _name_cookie(settings),
        browser,
        max_age=_COOKIE_SECONDS,
        path="/",
        secure=_is_secure(settings),
        httponly=True,
        # Strict would leave it out on the way back from Unimicro.
        samesite="lax",
    )


_Text = Annotated[str | None, Query(max_length=4000)]
# What a browser is shown instead.
_PAGE: dict[str, Any] = {"content": {"text/html": {}}}


@router.get(
    "/callback",
    operation_id="end_sign_in",
    responses={
        200: _PAGE,
        **{
            status: {**answer, **_PAGE}
            for status, answer in problems(
                _409="company_not_reached",
                _422="state_unknown, state_used, state_expired, sign_in_cancelled",
                _502="wrong_issuer, sign_in_refused, client_refused, scope_refused, no_offline_access",
            ).items()
        },
    },
    response_model=None,
)
async def come_back(
    request: Request,
    resources: ResourcesDep,
    state: _Text = None,
    code: _Text = None,
    iss: _Text = None,
    error: _Text = None,
) -> Response:
    """Where Unimicro sends the administrator back to; a browser is shown a page, everything else JSON."""
    if _is_head(request):
        return Response(status_code=204, headers=_HEADERS)
    browser = _find_browser(request, resources.settings)
    try:
        callback = Callback(state=state, code=code, issuer=iss, error=error, browser=browser)
        sign_in = await end_sign_in(resources, callback)
    except ServiceError as trouble:
        again = await _find_again(resources, state, trouble) if _wants_page(request) else None
        return await (_tell_again(resources, again, browser) if again else _tell_trouble(request, trouble))
    if _wants_page(request):
        return await _tell_page(resources, sign_in)
    return await _tell_json(resources, sign_in)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _find_again(resources: Resources, state: str | None, trouble: ServiceError) -> SignIn | None:
    """The sign-in whose page was only loaded again."""
    if not isinstance(trouble, StateUsedError) or not state:
        return None
    async with resources.sessions.begin() as session:
        return await find_returned(session, state)


async def _tell_again(resources: Resources, sign_in: SignIn, browser: str | None) -> Response:
    if is_own_browser(sign_in, browser):
        return await _tell_page(resources, sign_in)
    # Whether it went well is no business of another browser's.
    return _page("This sign-in is over", ["It has come back already; there is nothing more to do here."])


async def _tell_trouble(request: Request, trouble: ServiceError) -> Response:
    if _wants_page(request):
        return _page("The sign-in did not work", [f"{trouble.cause}.", trouble.fix], status=trouble.status)
    answer = await tell_error(request, trouble)
    answer.headers.update(_HEADERS)
    return answer


async def _tell_json(resources: Resources, sign_in: SignIn) -> Response:
    async with resources.sessions() as session:
        state = await tell_state(session, sign_in)
    told = {
        "pending_id": str(sign_in.id),
        "state": state,
        "key_id": str(sign_in.key_id) if sign_in.key_id is not None else None,
        "person": sign_in.person or None,
        "company_key": sign_in.company_key,
        # In another browser nobody knows who looks.
        "companies": [] if sign_in.unconfirmed else [CompanyView(**row).model_dump() for row in sign_in.companies],
    }
    return JSONResponse(told, headers=_HEADERS)


async def _tell_page(resources: Resources, sign_in: SignIn) -> Response:
    resources = resources.of_tenant(sign_in.tenant_id)
    async with resources.sessions() as session:
        tenant, state = await load_tenant(session, sign_in.tenant_id), await tell_state(session, sign_in)
    # `token:<id>:<name>`
    beginner, person = sign_in.begun_by.split(":", 2)[-1], sign_in.person or "nobody that it tells"
    lines = [f"For the RecMan account “{tenant.name}”; begun by “{beginner}”. Unimicro says you are {person}."]
    if state is SignInState.FAILED:
        return _page("The sign-in did not work", [*lines, f"{sign_in.failure}. Begin it again."])
    return _page("Signed in to Unimicro", [*lines, *_list_next(sign_in, state)])


def _list_next(sign_in: SignIn, state: SignInState) -> list[str]:
    if state is SignInState.UNCONFIRMED:
        cause = "This is another browser than the one in which the sign-in was begun, so an administrator must say yes"
        how = f"POST /v1/sign-ins/{{pending_id}}/confirm, pending_id {sign_in.id}"
        return [f"{cause}: {how}. If somebody sent you here, close this page."]
    if sign_in.key_id is not None:
        return ["The key is in use again; what waited for it goes on now. You may close this page."]
    if state is SignInState.USED:
        return ["A key was made of it. You may close this page."]
    if state is SignInState.EXPIRED:
        return ["No key was made of it in time: begin it again."]
    made = f"Now make the key with POST /v1/keys: pending_id {sign_in.id} and one of these companies."
    return [made, *(_name_company(sign_in, row) for row in sign_in.companies)]


def _name_company(sign_in: SignIn, row: dict[str, str]) -> str:
    test = " (test company)" if row["is_test"] else ""
    chosen = " – chosen at Unimicro" if row["key"] == sign_in.company_key else ""
    return f"{row['name']}{test}: {row['key']}{chosen}"


def _page(title: str, lines: list[str], *, status: int = 200) -> HTMLResponse:
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    text = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"
    return HTMLResponse(text, status_code=status, headers=_HEADERS)
