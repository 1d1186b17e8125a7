"""Where a request comes from: its connection's own address, or the one that a listed proxy says it stands for."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from starlette.requests import Request

from app.settings import Network

Address: TypeAlias = IPv4Address | IPv6Address

_HEADER = "x-forwarded-for"
# What one subscriber has of IPv6 at least: he may choose among all of its addresses.
_HOUSEHOLD = 64


def find_address(request: Request, proxies: Collection[Network]) -> Address | None:
    """The nearest address that is no proxy of ours; None: the connection has none (a socket in the file system).

    Each proxy adds whom it has heard at the end of X-Forwarded-For, so it is read from there, and only as far as
    proxies of ours have written it: whatever stands before is the caller's own invention.
    """
    found = parse_address(request.client.host) if request.client is not None else None
    for said in _list_forwarded(request):
        if found is None or not _is_listed(found, proxies):
            break
        heard = parse_address(said)
        if heard is None:
            break
        found = heard
    return found


def parse_address(text: str) -> Address | None:
    """The address in a text, with or without port; None: there is none. IPv4 in IPv6's clothes is IPv4."""
    plain = text.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ip_address(plain)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def name_household(address: Address | None) -> str:
    """Who is counted as one: an address of IPv4, a network of IPv6."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _HOUSEHOLD), strict=False))
    return str(address or "unknown")


def _list_forwarded(request: Request) -> Iterator[str]:
    lines = request.headers.getlist(_HEADER)
    return (part for line in reversed(lines) for part in reversed(line.split(",")))


def _is_listed(address: Address, proxies: Collection[Network]) -> bool:
    return any(address in network for network in proxies)
