"""The stand-ins as real HTTP servers in one process, for the demo and for playing by hand."""

import asyncio
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from app.sandbox.recman import app as recman
from app.sandbox.unimicro import app as unimicro
from app.sandbox.unimicro.options import SandboxOptions


@dataclass(frozen=True, slots=True)
class SandboxPorts:
    """Where each stand-in listens, on loopback."""

    recman: int
    unimicro: int
    identity: int


async def serve_sandboxes(ports: SandboxPorts, *, redirect_uri: str) -> None:
    """Serve all until stopped; Unimicro's identity server has a port of its own."""
    books = unimicro.create_app(SandboxOptions(redirect_uris=(redirect_uri,)))
    unimicro.stand_at(books, api=f"http://127.0.0.1:{ports.unimicro}", issuer=f"http://127.0.0.1:{ports.identity}")
    await asyncio.gather(
        _serve(recman.create_app(), ports.recman),
        _serve(books, ports.unimicro),
        _serve(books.state.identity, ports.identity),
    )


async def _serve(app: FastAPI, port: int) -> None:
    # No access log: RecMan's key travels in the query.
    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)).serve()
