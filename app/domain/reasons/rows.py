"""What a row of the catalogue says: who can mend it, how, and which change makes us look again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.reasons.codes import Code


class Mender(StrEnum):
    """Who can do what the fix says."""

    CLERK = "clerk"
    ACCOUNTANT = "accountant"
    RECMAN_ADMINISTRATOR = "recman_administrator"
    UNIMICRO_ADMINISTRATOR = "unimicro_administrator"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    NOBODY = "nobody"


class Change(StrEnum):
    """Something that people do, after which we look again, by ourselves, at what is held for want of it.

    Whatever is held is also looked at again when a person retries it, or when RecMan sends its record again.
    """

    RULES_CHANGED = "rules_changed"
    KEY_CHANGED = "key_changed"
    KEY_OPENED = "key_opened"
    DEPARTMENT_ASSIGNED = "department_assigned"
    DEPARTMENT_MOVED = "department_moved"
    CUSTOMER_LINKED = "customer_linked"
    LINK_RELEASED = "link_released"
    NUMBER_SHARED = "number_shared"
    INVOICE_LINKED = "invoice_linked"
    INVOICE_ASSIGNED = "invoice_assigned"
    OTHER_IGNORED = "other_ignored"
    KID_SETTLED = "kid_settled"
    NUMBERS_APART = "numbers_apart"
    FIRST_DAY_MOVED = "first_day_moved"


@dataclass(frozen=True, slots=True)
class Text:
    """One text in every language that it has; another language is another field. In braces: what a place fills in."""

    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All that is known of one code.

    `sentence` says what is the matter in general; the cause of a reason says it of one record. `fix` is what its
    reader can do; `cases` holds the other fixes where one code has several, by a name of their own, and `menders` who
    can do those that the row's own mender cannot.
    """

    code: Code
    mender: Mender
    sentence: Text
    fix: Text
    cases: Mapping[str, Text] = field(default_factory=dict)
    menders: Mapping[str, Mender] = field(default_factory=dict)
    wakes: frozenset[Change] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A code that a caller of the REST API alone sees; the door that refuses says what to do instead."""

    code: Code
    sentence: Text
