"""What one company wants of its customers: whose numbers count, and which fields RecMan may overwrite. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal


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


def read_number_policy(settings: Mapping[str, Any]) -> NumberPolicy:
    """The policy in a key's settings; `same_number` when they name none."""
    return NumberPolicy(settings.get("number_policy") or NumberPolicy.SAME_NUMBER)


def read_field_rules(settings: Mapping[str, Any]) -> FieldRules:
    """The rules in a key's settings."""
    return {name: FieldRule(rule) for name, rule in (settings.get("field_ownership") or {}).items()}
