"""Numbers that RecMan never made are passed: an administrator says so, and the series is set once."""

from dataclasses import dataclass

from app.accounting.targets import Target
from app.admin.series import begin_skip, find_series, is_issuing, list_series
from app.domain.reasons.codes import Code
from app.domain.series import InvoiceSeries
from app.domain.states import AT_REST
from app.errors import ConflictError, NotFoundError, RemoteRejectedError
from app.platform.db import Session
from app.tables import Key
from app.transfer.series import list_numbered

_LAST = 10**18
_MOST_NAMED = 5
_SET_BY_HAND = (
    "Look whether the number lies inside the series. If it does, set the series' next number in Unimicro by hand, then "
    "ask for this again; if not, make a series for the numbers that come now and name it (PUT "
    "/v1/keys/{key_id}/series)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose turn it is in a series, how the document stands that has it, and how many wait behind it."""

    series: InvoiceSeries
    standing: str
    waiting: int


async def list_standings(session: Session, key: Key) -> list[Standing]:
    """How every series of the key's company stands."""
    series = await list_series(session, key)
    return [await _look_at(session, key, series, one) for one in series]


async def _look_at(session: Session, key: Key, series: list[InvoiceSeries], one: InvoiceSeries) -> Standing:
    first = one.next_number
    known = await list_numbered(session, key, series, one, first=first, last=_LAST)
    own = [transfer for transfer in known if transfer.number == str(first)]
    standing = f"RecMan has told of no {first} yet"
    for transfer in own:
        why = "; ".join(reason["cause"] for reason in transfer.reasons)
        standing = f"{first} is {transfer.state}{f': {why}' if why else ''}"
    behind = [transfer for transfer in known if transfer not in own and transfer.state not in AT_REST]
    return Standing(series=one, standing=standing, waiting=len(behind))


async def begin_skip_to(session: Session, key: Key, series_id: int, *, number: int) -> InvoiceSeries:
    """The series as it stands, in which nothing is issued from now on until the skip has ended.

    Raises:
        NotFoundError: the company has no such series.
        ConflictError: the number is behind, is being issued, or RecMan has made one of those before it.
    """
    one = await find_series(session, key, series_id, lock=True)
    if one is None:
        raise NotFoundError(f"No documents are issued in series {series_id}", fix="Take one from GET …/series.")
    if number < one.next_number:
        cause = f"{one.name} is at {one.next_number} already, and never goes back"
        raise ConflictError(cause, fix="Name a number that has not been issued.", code=Code.SKIP_REFUSED)
    if await is_issuing(session, key, series_id):
        cause = f"Number {one.next_number} of {one.name} may be being issued now"
        raise ConflictError(cause, fix="Wait until that has ended.", code=Code.DOCUMENTS_UNDER_WAY)
    series = await list_series(session, key)
    made = await list_numbered(session, key, series, one, first=one.next_number, last=number - 1)
    left = [transfer for transfer in made if transfer.state not in AT_REST]
    if left:
        told = ", ".join(f"{transfer.number} ({transfer.state})" for transfer in left[:_MOST_NAMED])
        more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
        cause = f"RecMan has made {told}{more}: passed, they could never get their numbers"
        fix = "Mend what holds them and retry them, or ignore them (POST /v1/transfers/{transfer_id}/ignore) first."
        raise ConflictError(cause, fix=fix, code=Code.SKIP_REFUSED)
    await begin_skip(session, key, series_id, target=number)
    return one


async def move_series(target: Target, one: InvoiceSeries, *, number: int) -> bool:
    """Let Unimicro's series stand at this number; whether it had to be set for that.

    Raises:
        ConflictError: it is past the number, or Unimicro does not take it.
        RemoteError: Unimicro could not be asked, or refused.
    """
    following = await target.fetch_next_number(one.series_id)
    if following == number:
        return False
    if following > number:
        cause = f"{one.name} gives {following} next in Unimicro: {number} is gone"
        fix = f"Look who has it. Pass up to {following}, or set the series back in Unimicro if nobody has."
        raise ConflictError(cause, fix=fix, code=Code.SKIP_REFUSED)
    try:
        await target.update_next_number(one.series_id, number)
    except RemoteRejectedError as error:
        raise ConflictError(f"{one.name}: {error.cause}", fix=_SET_BY_HAND, code=Code.SKIP_REFUSED) from error
    following = await target.fetch_next_number(one.series_id)
    if following != number:
        cause = f"Unimicro was asked to set {one.name} to {number}, and leaves it at {following}"
        raise ConflictError(cause, fix=_SET_BY_HAND, code=Code.SKIP_REFUSED)
    return True
