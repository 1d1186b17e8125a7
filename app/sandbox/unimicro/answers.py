"""Answers of the stand-in: JSON with Decimals as numbers, and the four error shapes.

Source: docs/facts/unimicro.md §5.1 [T]. Which shape comes with which error is assumed, chosen so that all are met.
"""

import copy
from typing import Any

import simplejson
from fastapi.responses import JSONResponse

Record = dict[str, Any]

DENIED = "Authorization has been denied for this request."
DUPLICATE_GUID = "The _createguid value has already been processed"
LEVEL_ERROR = 30


class DecimalResponse(JSONResponse):
    """JSON in which a Decimal is a number with all its digits."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return simplejson.dumps(content, use_decimal=True, ensure_ascii=False).encode()


class AnswerError(Exception):
    """Ends the request with this status and body; nothing of it is stored."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def to_message_body(message: str) -> Record:
    """Shape 1: one message with its (made-up) stack trace."""
    return {
        "Message": message,
        "StackTrace": "   at Sandbox.Biz.Save(Entity entity) in C:\\Sandbox\\Biz.cs:line 1",
        "Source": "Sandbox.Biz",
        "ErrorReference": "00000000-0000-0000-0000-000000000001",
    }


def denied(status: int = 401) -> AnswerError:
    """The refusal of a missing right, and of an unknown path (§2 [T])."""
    return AnswerError(status, {"Message": DENIED})


def not_found() -> AnswerError:
    """The answer for a missing record."""
    return AnswerError(404, to_message_body("The requested resource was not found."))


def broken_reference(field: str, value: Any) -> AnswerError:
    """The 500 that a wrong foreign key causes, shape 1 (§3 [O])."""
    text = f'The INSERT statement conflicted with the FOREIGN KEY constraint on column "{field}" (value {value}).'
    return AnswerError(500, to_message_body(text))


def duplicate_guid() -> AnswerError:
    """The refusal of a `_createguid` seen before, shape 1. Source: text §5.2 [T], status assumed."""
    return AnswerError(400, to_message_body(DUPLICATE_GUID))


def refused(message: str, *, entity: str, field: str = "", entity_id: int = 0) -> AnswerError:
    """The 400 of a broken business rule, shape 2."""
    row = {
        "ID": 1,
        "EntityID": entity_id,
        "PropertyName": field,
        "EntityType": entity,
        "Message": message,
        "Level": LEVEL_ERROR,
    }
    return AnswerError(400, {"Messages": [row], "ErrorsCount": 1, "WarningsCount": 0, "InfosCount": 0})


def malformed(message: str) -> AnswerError:
    """The 400 of a body that cannot be read, shape 4: a bare JSON string."""
    return AnswerError(400, message)


def to_validation(entity: str, field: str, message: str) -> Record:
    """One entry of `_validationResults`."""
    return {"PropertyName": field, "EntityType": entity, "Message": message, "Level": LEVEL_ERROR}


def invalid(body: Record, problems: list[tuple[tuple[str | int, ...], Record]]) -> AnswerError:
    """The 400 with the sent entity echoed, shape 3.

    Shape: a problem is the path of the object inside the body, and its validation entry; all are shown at once.
    """
    echo = copy.deepcopy(body)
    for path, entry in problems:
        place: Any = echo
        for step in path:
            place = place[step]
        place.setdefault("_validationResults", {}).setdefault(entry["PropertyName"], []).append(entry)
    return AnswerError(400, echo)
