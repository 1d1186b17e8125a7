"""Work that takes the processor for a while: in a thread, few at a time, so that the loop goes on answering others."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

# Of a text up to here the worst takes twenty milliseconds; a thread would cost more than it spares.
LARGE_BYTES = 8192
# Threads share one interpreter: each more would slow down the loop, and everything that they make lies in memory.
_AT_ONCE = 2
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="aside")


async def run_aside(work: Callable[[], T], *, size: int = LARGE_BYTES) -> T:
    """What the work comes to; done at once when it is about less than `LARGE_BYTES`, else when its turn has come."""
    if size < LARGE_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, work)
