"""What one company wants of its customers: whose numbers count, and which fields RecMan may overwrite. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, get_args


class NumberPolicy(StrEnum):
    """Whose customer numbers count.

    `same_number`: RecMan's number must be Unimicro's. `linked`: Unimicro numbers by itself and we keep the link.
    `match_only`: as `same_number`, but no customer is ever made.
    """

    SAME_NUMBER = "same_number"
    LINKED = "linked"
    MATCH_ONLY = "match_only"


class FieldRule(StrEnum):
    """Who keeps up a field of a customer that is in both systems."""

    RECMAN_WINS = "recman_wins"
    FILL_EMPTY = "fill_empty"
    LEAVE = "leave"


class MatchedBy(StrEnum):
    """How a customer in Unimicro was known to be RecMan's, the surest first; `made`: it was made by this service."""

    MADE = "made"
    BY_HAND = "by_hand"
    NUMBER_AND_ORG_NUMBER = "number_and_org_number"
    NUMBER_AND_NAME = "number_and_name"
    ORG_NUMBER = "org_number"
    NAME = "name"


# How a customer is reached.
_ContactField = Literal[
    "peppol_address", "gln", "invoice_address", "delivery_address", "visiting_address", "email", "phone"
]
CustomerField = Literal["name", "org_number", "credit_days", "currency", _ContactField]
# By the field's name; what is not named is RecMan's.
FieldRules = Mapping[str, FieldRule]
# Who was in Unimicro before us is kept up there in these: RecMan fills what is empty, unless told to.
CONTACT_FIELDS: tuple[CustomerField, ...] = get_args(_ContactField)
