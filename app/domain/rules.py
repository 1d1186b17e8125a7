"""What an accountant may choose for one company: mappings, limits, who owns which field. Pure, and immutable."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.documents import Document, DocumentKind
from app.domain.policies import CustomerField, FieldRule, FieldRules, NumberPolicy

# Unimicro's free dimensions. Source: docs/facts/unimicro.md §3.6 [O].
_FIRST_DIMENSION, _LAST_DIMENSION = 5, 10

Number = Annotated[str, Field(min_length=1, max_length=255)]
Dimension = Annotated[int, Field(ge=_FIRST_DIMENSION, le=_LAST_DIMENSION)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProductRule(_Part):
    """RecMan's product is another number in Unimicro."""

    recman: Number = Field(examples=["1001"])
    unimicro: Number = Field(examples=["3001"])


class AccountingRule(_Part):
    """VAT or account for lines that fit everything named here; the first rule that fits counts."""

    product: Number | None = Field(None, description="RecMan's product number", examples=["1001"])
    kind: DocumentKind | None = None
    department: Number | None = Field(None, description="RecMan's department id", examples=["7"])
    vat_code: Number | None = Field(None, examples=["3"])
    account: Annotated[int, Field(ge=1000, le=99999999)] | None = Field(None, examples=[3000])

    @model_validator(mode="after")
    def _says_something(self) -> "AccountingRule":
        if self.vat_code is None and self.account is None:
            raise ValueError("name a vat_code or an account")
        return self


class DepartmentRule(_Part):
    """What a RecMan department is in Unimicro: a department number, and numbers in the free dimensions 5 to 10."""

    recman: Number = Field(description="RecMan's department id", examples=["7"])
    unimicro: Number | None = Field(None, description="Unimicro's department number", examples=["100"])
    dimensions: dict[Dimension, Number] = Field(default_factory=dict, examples=[{"5": "OSLO"}])


class Review(_Part):
    """What a person must approve before it is sent."""

    everything: bool = Field(False, description="Four eyes: nothing is sent without an approval")
    over_amount: Decimal | None = Field(None, ge=0, description="Documents over this gross amount", examples=["100000"])
    first: int = Field(0, ge=0, le=10_000, description="The first so many documents of the key")
    second_person: bool = Field(
        False,
        description="Whoever made the review as it is, changed the rules last, or chose to send the document although "
        "it is old, cannot approve it: another person must",
    )


class Rules(_Part):
    """The rules of one key; what is left out is as Unimicro and RecMan have it."""

    products: list[ProductRule] = Field(default_factory=list)
    product_policy: Literal["match_only", "create"] = Field(
        "match_only", description="create: a product that Unimicro lacks is made with number, name and standard account"
    )
    accounting: list[AccountingRule] = Field(default_factory=list)
    departments: list[DepartmentRule] = Field(default_factory=list)
    customer_number: NumberPolicy = Field(
        NumberPolicy.SAME_NUMBER,
        description="same_number: RecMan's number must be Unimicro's; linked: Unimicro numbers, the link is kept; "
        "match_only: as same_number, but no customer is ever made",
    )
    customer_fields: dict[CustomerField, FieldRule] = Field(
        default_factory=dict,
        description="Who keeps up a field of a customer that both have; what is not named is recman_wins",
        examples=[{"email": "fill_empty", "credit_days": "leave"}],
    )
    not_before: date | None = Field(
        None,
        description="Documents with an older date are ignored silently; those between this and the key's "
        "go_live are held for a person's choice",
    )
    review: Review = Review()
    held_customers: list[Number] = Field(default_factory=list, description="RecMan customer numbers to hold")
    attach_files: bool = Field(False, description="Attach RecMan's file (PDF) to the invoice, where RecMan gives one")
    tolerance: Decimal = Field(
        Decimal(0), ge=0, le=1, description="Totals may differ by this much; the difference is shown as a warning"
    )

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> "Rules":
        for name, keys in (
            ("products", [rule.recman for rule in self.products]),
            ("departments", [rule.recman for rule in self.departments]),
        ):
            twice = sorted(key for key, count in Counter(keys).items() if count > 1)
            if twice:
                raise ValueError(f"{name}: {', '.join(twice)} has more than one rule")
        return self

    def product_number(self, recman_number: str) -> str:
        """The number that a RecMan product has in Unimicro."""
        return next((rule.unimicro for rule in self.products if rule.recman == recman_number), recman_number)

    def accounting_of(self, recman_number: str, document: Document) -> AccountingRule | None:
        """The first accounting rule that fits a line with this product, if there is one."""
        return next(
            (
                rule
                for rule in self.accounting
                if rule.product in (None, recman_number)
                and rule.kind in (None, document.kind)
                and rule.department in (None, document.recman_department_id)
            ),
            None,
        )

    @property
    def field_rules(self) -> FieldRules:
        """Who keeps up which field of a customer."""
        return {str(name): rule for name, rule in self.customer_fields.items()}

    def department_of(self, recman_department_id: str | None) -> DepartmentRule | None:
        """The rule for a department, if there is one."""
        return next((rule for rule in self.departments if rule.recman == recman_department_id), None)
