"""An answer that is JSON, but not of the form that was meant, is Unimicro's failure and no error of ours.

A field of another type shows wherever it is read: a text in the place of a map, a word in the place of a sum. So
whoever asks Unimicro anything is watched as a whole.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from app.accounting.unimicro.answers import ODD_ANSWER
from app.errors import OutcomeUnknownError, RemoteError, RemoteUnavailableError, System
from app.platform.logger import get_logger

_log = get_logger(__name__)
T = TypeVar("T")


def tells_odd_answers(kind: type[T]) -> type[T]:
    """The class, each asynchronous method of which tells an answer that cannot be read as a RemoteError.

    Raises:
        OutcomeUnknownError: (each method) after something was written, so that it is looked for.
        RemoteUnavailableError: (each method) else.
    """
    for name, method in vars(kind).items():
        if iscoroutinefunction(method):
            setattr(kind, name, _watch(method))
    return kind


def _watch(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def watched(self: Any, *given: Any, **named: Any) -> Any:
        written = self._client.written
        try:
            return await method(self, *given, **named)
        except ODD_ANSWER as error:
            # With its trace, for it may be a fault of ours after all.
            _log.error("odd_answer", step=method.__name__, exc_info=error)
            raise to_odd(error, is_written=self._client.written > written) from error

    return watched


def to_odd(error: Exception, *, is_written: bool) -> RemoteError:
    """The error for an answer that could not be read; no value of it is told."""
    told = OutcomeUnknownError if is_written else RemoteUnavailableError
    return told(f"Unimicro answered in a form that cannot be read ({type(error).__name__})", system=System.UNIMICRO)
