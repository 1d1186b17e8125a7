"""What one company wants of its customers: whose numbers count, and which fields RecMan may overwrite. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal


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


CustomerField = Literal[
    "name",
    "org_number",
    "credit_days",
    "currency",
    "peppol_address",
    "invoice_address",
    "delivery_address",
    "visiting_address",
    "email",
    "phone",
]
# By the field's name; what is not named is RecMan's.
FieldRules = Mapping[str, FieldRule]
