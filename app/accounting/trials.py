"""The seam between `golive` and accounting systems: what is tried in a company's books, and how it is taken back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date

from app.accounting.unimicro.client import Company, Exchange, UnimicroClient
from app.accounting.unimicro.trials.bench import Bench, Notebook, Thing, UntoldError, show_exchanges
from app.accounting.unimicro.trials.plan import TRIALS, Trial
from app.accounting.unimicro.trials.undo import Ended, take_back
from app.domain.answers import Answer, Question
from app.platform.http import httpx

__all__ = [
    "TRIALS",
    "Bench",
    "Company",
    "Ended",
    "Notebook",
    "Thing",
    "Trial",
    "UntoldError",
    "open_bench",
    "show_exchanges",
    "take_back",
]


def open_bench(
    http: httpx.AsyncClient,
    company: Company,
    *,
    notebook: Notebook,
    today: date,
    answers: Mapping[Question, Answer],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Bench:
    """One company to try things in; its exchanges are kept on the bench."""
    exchanges: list[Exchange] = []
    client = UnimicroClient(http, company, on_exchange=exchanges.append)
    return Bench(
        client=client,
        notebook=notebook,
        today=today,
        company_key=company.company_key,
        answers=answers,
        exchanges=exchanges,
        sleep=sleep,
    )
