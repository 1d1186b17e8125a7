"""Both stand-ins as real HTTP servers in one process, for the demo and for playing by hand."""

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


async def serve_sandboxes(ports: SandboxPorts, *, redirect_uri: str) -> None:
    """Serve both until stopped."""
    options = SandboxOptions(redirect_uris=(redirect_uri,))
    await asyncio.gather(
        _serve(recman.create_app(), ports.recman), _serve(unimicro.create_app(options), ports.unimicro)
    )


async def _serve(app: FastAPI, port: int) -> None:
    # No access log: RecMan's key travels in the query.
    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)).serve()
