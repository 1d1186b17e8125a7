"""Query parameters that an operation does not know are refused: a misspelled one would be a filter that is none."""

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from app.errors import RequestError

# Elsewhere others write the address: RecMan, or Unimicro's way back.
_OURS = "/v1/"
# So much of what somebody sent is told back.
_LONGEST, _MOST = 60, 5


async def require_known_parameters(request: Request) -> None:
    """Let a request through whose query the route knows.

    Raises:
        RequestError: it names a parameter that the route does not have.
    """
    route = request.scope["route"]
    if not request.url.path.startswith(_OURS) or not isinstance(route, APIRoute):
        return
    known = _list_known(route)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        fix = f"Leave it out. There are: {', '.join(sorted(known))}." if known else "Leave it out: there are none."
        raise RequestError(
            f"There is no query parameter {', '.join(repr(one[:_LONGEST]) for one in unknown[:_MOST])} here", fix=fix
        )


def _list_known(route: APIRoute) -> set[str]:
    return {one.alias for one in get_flat_params(route.dependant) if isinstance(one.field_info, Query)}
