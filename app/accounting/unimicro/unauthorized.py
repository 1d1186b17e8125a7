"""What a 401 means: the token, the company or this one route; asked of Unimicro itself, and never believed at once.

Source: docs/facts/unimicro.md §5: 401 for an expired token and for an unknown path, 401 or 403 for a missing right.
That a 401 may pass by itself is known from other systems; only the identity server's `invalid_grant` ends a sign-in.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from app.accounting.unimicro.complaints import read_complaint
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import RemoteError, RemoteRejectedError, RemoteThrottledError, RemoteUnavailableError, System
from app.platform.http import httpx

UNAUTHORIZED = httpx.codes.UNAUTHORIZED
# A refused call was surely not carried out, so a write is repeated as well; then the lane or the key waits.
_PAUSES = (0.5, 1.0, 2.0)
TOKEN_REST_SECONDS = 30.0
_COMPANY_REST_SECONDS = 300.0
# What every user of a company may read, and what every token is good for (§1.6).
_OF_COMPANY, _OF_TOKEN = "api/biz/companysettings/1", "api/init/companies"

Answered: TypeAlias = tuple[httpx.Response, Any]


class Fault(Enum):
    """Where a 401 comes from."""

    TOKEN = "token"  # noqa: S105 - a word
    COMPANY = "company"
    ROUTE = "route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Finds out what a token that was refused is still good for."""

    http: httpx.AsyncClient
    base_url: str
    company_key: str

    async def find_fault(self, token: str) -> Fault:
        """The smallest thing that is refused.

        Raises:
            RemoteUnavailableError: Unimicro does not say.
        """
        if await self._takes(_OF_COMPANY, token):
            return Fault.ROUTE
        return Fault.COMPANY if await self._takes(_OF_TOKEN, token) else Fault.TOKEN

    async def _takes(self, path: str, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}", "CompanyKey": self.company_key}
        try:
            answer = await self.http.get(self.base_url + path, headers=headers, follow_redirects=False)
        except httpx.HTTPError as error:
            raise RemoteUnavailableError(
                f"Unimicro gave no answer ({type(error).__name__})", system=System.UNIMICRO
            ) from None
        if not answer.is_success and answer.status_code not in {UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            cause = f"Unimicro refused a call, and answers {answer.status_code} to what the token is good for"
            raise RemoteUnavailableError(cause, system=System.UNIMICRO)
        return answer.status_code != UNAUTHORIZED


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCall:
    """A call that was answered 401, and all that trying it again needs.

    `send` makes the same call with a token; `renew` gives another token than the refused one.
    """

    name: str
    send: Callable[[str], Awaitable[Answered]]
    renew: Callable[[str], Awaitable[str]]
    witness: Witness
    sleep: Callable[[float], Awaitable[None]]
    token: str = field(repr=False)

    async def insist(self, answered: Answered) -> Answered:
        """The answer of the first try that is no 401. The token is renewed once, when it is the token's fault.

        Raises:
            RemoteRejectedError: code `rights_missing`: this route is refused, and others are not.
            RemoteThrottledError: the key must rest: the company, or every token, is refused.
            RemoteUnavailableError: Unimicro does not say what is wrong.
            RemoteError: as `renew` raises it.
        """
        token, renewed, fault = self.token, False, Fault.ROUTE
        for pause in _PAUSES:
            fault = await self.witness.find_fault(token)
            if fault is Fault.TOKEN and not renewed:
                token, renewed = await self.renew(token), True
            else:
                await self.sleep(pause)
            answered = await self.send(token)
            if answered[0].status_code != UNAUTHORIZED:
                return answered
        raise self._to_error(fault, read_complaint(answered[1]) or "HTTP 401 without an explanation")

    def _to_error(self, fault: Fault, said: str) -> RemoteError:
        if fault is Fault.ROUTE:
            cause = f"Unimicro refuses {self.name} to the user who signed in: {said}"
            return RemoteRejectedError(
                cause, system=System.UNIMICRO, fix=fix_for(Code.RIGHTS_MISSING), code=Code.RIGHTS_MISSING
            )
        if fault is Fault.COMPANY:
            return RemoteThrottledError(
                f"Unimicro refuses the company to the user who signed in: {said}",
                system=System.UNIMICRO,
                retry_after=_COMPANY_REST_SECONDS,
                fix=fix_for(Code.COMPANY_REFUSED),
                code=Code.COMPANY_REFUSED,
            )
        return to_token_refused(said)


def to_token_refused(said: str) -> RemoteThrottledError:
    """The error for a fresh token that is refused; another one would be refused as well."""
    return RemoteThrottledError(
        f"Unimicro does not take a token that its identity server has just given: {said}",
        system=System.UNIMICRO,
        retry_after=TOKEN_REST_SECONDS,
        fix=fix_for(Code.TOKEN_REFUSED),
        code=Code.TOKEN_REFUSED,
    )
