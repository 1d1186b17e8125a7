"""The address that the API listens on, taken before anything else is done that cannot be done twice."""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import StartError
from app.settings import Settings


@contextmanager
def taken_address(settings: Settings) -> Iterator[Sequence[socket.socket]]:
    """The sockets of the API's address, bound and not yet listening; closed with the block.

    Raises:
        StartError: another process has the address, or this machine does not.
    """
    sockets: list[socket.socket] = []
    try:
        try:
            for family, address in _list_addresses(settings):
                sockets.append(_bind(family, address))
        except OSError as error:
            raise _explain(settings, error) from error
        yield sockets
    finally:
        for one in sockets:
            one.close()


def verify_ports(*ports: int) -> None:
    """Make sure that each port of this machine is free: a server that finds it taken ends with a trace.

    Raises:
        StartError: one is in use, or named twice.
    """
    sockets: list[socket.socket] = []
    try:
        for port in ports:
            try:
                sockets.append(_bind(socket.AF_INET, ("127.0.0.1", port)))
            except OSError as error:
                cause = f"Port {port} of 127.0.0.1 cannot be listened on: {error.strerror}"
                raise StartError(cause, fix="Stop whoever has it, or name another port.") from error
    finally:
        for one in sockets:
            one.close()


def _list_addresses(settings: Settings) -> list[tuple[int, tuple[object, ...]]]:
    found = socket.getaddrinfo(settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _bind(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of the process that was here before may not be forgotten yet.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        # Of two processes that start at once, one alone may listen.
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def _explain(settings: Settings, error: OSError) -> StartError:
    where = f"Port {settings.port} of {settings.host or 'this machine'}"
    if error.errno == errno.EADDRINUSE:
        return StartError(f"{where} is in use", fix=fix_for(Code.CANNOT_START, "port"))
    return StartError(f"{where} cannot be listened on: {error.strerror}", fix=fix_for(Code.CANNOT_START, "port"))
