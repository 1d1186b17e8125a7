"""Reading what Unimicro says when it says no: four shapes of error bodies, one short text; and what nobody keeps.

Source: docs/facts/unimicro.md §5.1 [O/o].
"""

import re
from collections.abc import Iterator
from typing import Any

_MOST = 5
_LONGEST = 500
_TRACE = "stacktrace"
_PERIOD = re.compile(r"(?i)period|termin|regnskapsår|(fiscal|accounting|financial) year")
_LOCKED = re.compile(r"(?i)\block|\bl[åa]s|lukket|stengt|avsluttet|closed|sperret")
_LOCK_NAMES = re.compile(r"(?i)(accounting|vat)lockeddate")


def read_complaint(answer: Any) -> str:
    """What is wrong, in Unimicro's words with property names, errors before warnings; stack traces left out."""
    if isinstance(answer, str):
        return answer.strip()[:_LONGEST]
    found = sorted(dict.fromkeys(_walk(answer)), key=lambda entry: -entry[0])
    return "; ".join(text for _, text in found[:_MOST])[:_LONGEST]


def is_about_lock(complaint: str) -> bool:
    """Whether Unimicro complains that a period is locked, in Norwegian or English.

    Source: docs/facts/unimicro.md §3.7 for the names of the settings [O]; the words are assumed.
    """
    return all(pattern.search(complaint) for pattern in (_PERIOD, _LOCKED)) or bool(_LOCK_NAMES.search(complaint))


def strip_traces(answer: Any) -> Any:
    """The same answer without stack traces, however deep they stand."""
    if isinstance(answer, list):
        return [strip_traces(part) for part in answer]
    if isinstance(answer, dict):
        return {name: strip_traces(part) for name, part in answer.items() if name.lower() != _TRACE}
    return answer


def _walk(answer: Any) -> Iterator[tuple[int, str]]:
    """Every message in the answer with its level (30 error, 20 warning, 1 information)."""
    if isinstance(answer, list):
        for part in answer:
            yield from _walk(part)
        return
    if not isinstance(answer, dict):
        return
    yield from _own(answer)
    for name, part in answer.items():
        if name == "_validationResults" and isinstance(part, dict):
            for messages in part.values():
                yield from _walk(messages)
        elif name.lower() != _TRACE and isinstance(part, dict | list):
            yield from _walk(part)


def _own(answer: dict[str, Any]) -> Iterator[tuple[int, str]]:
    message = answer.get("Message") or answer.get("message")
    if isinstance(message, str) and message:
        level = answer.get("Level")
        name = answer.get("PropertyName")
        yield (level if isinstance(level, int) else 30), (f"{name}: {message}" if name else message)
