"""The two stand-ins, which serve one world after the other: building their routes takes longer than many a test.

Each user finds its stand-in as new. One that was left in the middle of something, by a test that failed, stays unused.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.platform.http import httpx
from app.sandbox.faults import SandboxApp
from app.sandbox.recman import app as recman
from app.sandbox.recman.store import RecmanOptions, RecmanStore
from app.sandbox.unimicro import app as unimicro
from app.sandbox.unimicro.options import SandboxOptions

_UNIMICROS: list[SandboxApp] = []
_RECMANS: list[FastAPI] = []


@cache
def trust() -> ssl.SSLContext:
    """What clients believe in, made once: reading the certificates takes longer than most of what a world does."""
    return httpx.create_ssl_context()


@contextmanager
def borrow_unimicro(options: SandboxOptions) -> Iterator[SandboxApp]:
    """A stand-in for Unimicro with these options."""
    app = _UNIMICROS.pop() if _UNIMICROS else unimicro.create_app()
    unimicro.begin(app, options)
    _stand_alone(app)
    _stand_alone(app.state.identity)
    yield app
    _UNIMICROS.append(app)


@contextmanager
def borrow_recman(options: RecmanOptions) -> Iterator[FastAPI]:
    """A stand-in for RecMan with these options."""
    app = _RECMANS.pop() if _RECMANS else recman.create_app()
    app.state.store = RecmanStore(options)
    _stand_alone(app)
    yield app
    _RECMANS.append(app)


def at_two_hosts(app: SandboxApp, *, issuer: str) -> httpx.ASGITransport:
    """A transport to Unimicro's stand-in, and to its identity server at the issuer's host."""
    host = issuer.partition("//")[2].encode()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = app.state.identity if dict(scope["headers"])[b"host"] == host else app
        await chosen(scope, receive, send)

    return httpx.ASGITransport(app=answer)


def _stand_alone(app: FastAPI) -> None:
    # A test may have put somebody in front of it; the stack is built again at the first call.
    app.middleware_stack = None
