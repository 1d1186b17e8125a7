"""Where a request comes from: only listed proxies are believed, and only an address is one."""

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from app.api.addresses import find_address, name_household, parse_address
from app.settings import Settings, parse_networks

PROXIES = "10.0.0.1, 10.9.0.0/16, fd00::/8"


def come_from(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Request({"type": "http", "client": (peer, 40000) if peer else None, "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        # Nobody else is believed, not even this machine.
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("127.0.0.1", ("198.51.100.1",), "127.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        # What the caller wrote before the proxy did is not looked at, on one line or on two.
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1, 10.9.3.4",), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1:51234",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8::7]:443",), "2001:db8::7"),
        ("fd00::1", ("2001:db8::7",), "2001:db8::7"),
        ("::ffff:10.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        # No address: the proxy itself, as far as is known.
        ("10.0.0.1", ("<script>",), "10.0.0.1"),
        ("10.0.0.1", ("6.6.6.6, unknown",), "10.0.0.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("1.2.3.4.5",), "10.0.0.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        (None, ("198.51.100.1",), "None"),
        ("testclient", ("198.51.100.1",), "None"),
    ],
)
def test_only_listed_proxies_say_whom_they_stand_for(peer: str | None, forwarded: tuple[str, ...], found: str) -> None:
    assert str(find_address(come_from(peer, *forwarded), parse_networks(PROXIES))) == found


def test_one_household_is_one_guesser_whatever_address_it_takes() -> None:
    near = [parse_address(text) for text in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")]
    assert {name_household(one) for one in near} == {"2001:db8:1:2::/64"}
    assert name_household(parse_address("198.51.100.1")) == "198.51.100.1"
    assert name_household(None) == "unknown"


def test_a_proxy_that_is_no_address_is_told_at_the_start() -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(trusted_proxies="proxy.local")
    assert Settings(trusted_proxies=PROXIES).proxies == parse_networks(PROXIES)
