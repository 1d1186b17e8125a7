"""Event names to scope and operation: `invoice.updated`, `CompanyCreated`, `credit_note/new`.

Source: assumed (docs/facts/recman.md §1.3); RecMan's own words are `scope` and `insert`, `update`, `delete` [O].
"""

import itertools
import re
from functools import lru_cache

SCOPES = ("invoice", "project", "company", "product", "department")

_SCOPE_WORDS = {scope: scope for scope in SCOPES} | {
    "customer": "company",
    "client": "company",
    "companie": "company",
    "deal": "project",
    "assignment": "project",
    "creditnote": "invoice",
}
_OPERATION_WORDS = (
    dict.fromkeys(("insert", "inserted", "create", "created", "add", "added", "new"), "insert")
    | dict.fromkeys(("update", "updated", "change", "changed", "edit", "edited", "save", "saved"), "update")
    # What an invoice can still become once it is made (§3.3).
    | dict.fromkeys(("modified", "sent", "paid", "approved", "credited", "exported", "archived"), "update")
    | dict.fromkeys(("delete", "deleted", "remove", "removed"), "delete")
)
# Scopes of RecMan (or likely ones) that begin with the name of another: a contact's id is no company's.
# Source: §2.9 [O/C] for contact and attribute, the others assumed.
_PARTS = frozenset({"contact", "attribute", "line", "row", "member", "file", "log", "note", "user"})
# May stand beside a scope and an operation in an event name without making it something else.
_FILLERS = frozenset({"recman", "webhook", "event", "record", "data", "on", "after", "was", "is", "has", "been", "v"})
_WORDS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")
_CREDIT_NOTE = re.compile(r"credit[ ._:/-]?note", re.IGNORECASE)
_LONGEST = 100
_TEST_WORDS = frozenset({"ping", "test", "webhooktest", "testwebhook", "hello"})


def find_scope(word: str) -> str | None:
    """The scope behind one word like `Invoices` or `customer`."""
    # Cut first, so that a long text neither costs time nor stays in the cache.
    return _find_short_scope(word[: _LONGEST + 1])


@lru_cache(maxsize=1024)
def _find_short_scope(word: str) -> str | None:
    plain = _plain(word)
    return _SCOPE_WORDS.get(plain) or _SCOPE_WORDS.get(plain.removesuffix("s"))


def read_event(text: str, *, strict: bool = False) -> tuple[str | None, str | None]:
    """Scope and operation of an event name; strict reads nothing into a text with any other word in it.

    A company may be called “New Project AS”: fields that records have too are only read strictly.
    """
    # Cut first, so that a long text neither costs time nor stays in the cache.
    return _read_short_event(text[: _LONGEST + 1], strict)


@lru_cache(maxsize=1024)
def _read_short_event(text: str, strict: bool) -> tuple[str | None, str | None]:  # noqa: FBT001 - passed on
    if strict and len(text) > _LONGEST:
        return None, None
    words = _split(text)
    scopes = [
        scope for word, after in itertools.pairwise([*words, ""]) if (scope := find_scope(word)) and not _is_part(after)
    ]
    operations = [_OPERATION_WORDS[word] for word in words if word in _OPERATION_WORDS]
    known = len(scopes) + len(operations) + sum(word in _FILLERS for word in words)
    if strict and known < len(words):
        return None, None
    return next(iter(scopes), None), next(iter(operations), None)


def is_part_event(text: str) -> bool:
    """Whether an event is about a part of a record, like `companyContact.updated`."""
    words = _split(text)
    return any(find_scope(word) and _is_part(after) for word, after in itertools.pairwise(words))


def is_filler(text: str) -> bool:
    """Whether a text says only that it is an event."""
    return all(word in _FILLERS for word in _split(text))


def _split(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(_CREDIT_NOTE.sub("creditnote", text[:_LONGEST]))]


def _is_part(word: str) -> bool:
    return word.removesuffix("s") in _PARTS


def is_test_word(text: str) -> bool:
    """Whether the text is a sender's way to try the line."""
    return len(text) <= _LONGEST and _plain(text) in _TEST_WORDS


def _plain(word: str) -> str:
    return "".join(letter for letter in word[:_LONGEST].lower() if letter.isalnum())
