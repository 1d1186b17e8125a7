"""The sandbox RecMan as a sender of webhooks.

Nothing public says what RecMan's own webhooks look like, so the shapes sent are guesses in several dialects.
Source: assumed (docs/facts/recman.md §1).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field

NO_ANSWER = 0


class Delivery(BaseModel):
    """One webhook call: what is posted, and the scope that its address ends with, if any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path_scope: str | None = None
    content_type: str | None = "application/json"
    headers: dict[str, str] = Field(default_factory=dict)
    body: str


async def deliver(
    http: httpx.AsyncClient, url: str, deliveries: Sequence[Delivery], *, headers: Mapping[str, str] | None = None
) -> list[int]:
    """The HTTP status of each delivery, sent one after the other; `headers` go on top of each delivery's own.

    Shape: one status per delivery, in order; 0 means that no answer came.
    """
    return [await _post(http, url, delivery, headers or {}) for delivery in deliveries]


async def _post(http: httpx.AsyncClient, url: str, delivery: Delivery, extra: Mapping[str, str]) -> int:
    target = f"{url.rstrip('/')}/{delivery.path_scope}" if delivery.path_scope else url
    headers = {**delivery.headers, **extra}
    if delivery.content_type is not None:
        headers["Content-Type"] = delivery.content_type
    try:
        answer = await http.post(target, content=delivery.body.encode(), headers=headers)
    except httpx.TransportError:
        return NO_ANSWER
    return answer.status_code


def arrange_deliveries(deliveries: Sequence[Delivery], *, repeat: int = 1, seed: int | None = None) -> list[Delivery]:
    """Each delivery `repeat` times: round after round, or shuffled the same way for the same seed."""
    arranged = list(deliveries) * repeat
    if seed is not None:
        random.Random(seed).shuffle(arranged)  # noqa: S311 - an order to replay, not a secret
    return arranged


@dataclass(frozen=True, slots=True)
class Disturbed:
    """What comes in time, some of it twice, and what comes long afterwards; the rest was lost."""

    in_time: list[Delivery]
    late: list[Delivery]


def disturb(deliveries: Sequence[Delivery], *, every: int) -> Disturbed:
    """Every n-th delivery is lost, doubled or late, in turn."""
    in_time: list[Delivery] = []
    late: list[Delivery] = []
    for number, delivery in enumerate(deliveries, start=1):
        trouble = number // every % 3 if number % every == 0 else None
        if trouble == 0:
            late.append(delivery)
        elif trouble != 1:
            in_time += [delivery] * (2 if trouble == 2 else 1)
    return Disturbed(in_time, late)


def is_loopback(url: str) -> bool:
    """Whether the address stays on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in {"http", "https"} and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False
