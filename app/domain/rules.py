"""What an accountant may choose for one company: mappings, limits, who owns which field. Pure, and immutable."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from app.domain.buyers import Buyer
from app.domain.documents import Document, DocumentKind, Line
from app.domain.exact import Exact
from app.domain.money import is_same_rate
from app.domain.policies import CONTACT_FIELDS, CustomerField, FieldRule, FieldRules, MatchedBy, NumberPolicy

# Unimicro's free dimensions. Source: docs/facts/unimicro.md §3.6 [O].
_FIRST_DIMENSION, _LAST_DIMENSION = 5, 10

Number = Annotated[str, Field(min_length=1, max_length=255)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Dimension = Annotated[int, Field(ge=_FIRST_DIMENSION, le=_LAST_DIMENSION)]
Account = Annotated[int, Field(ge=1000, le=99999999)]
Rate = Annotated[Decimal, Field(ge=0, le=100)]


def _to_country(value: Any) -> Any:
    # YAML reads Norway's code as “no” unless somebody quotes it.
    if value is False:
        return "NO"
    return value.upper() if isinstance(value, str) else value


Country = Annotated[str, BeforeValidator(_to_country), Field(pattern="^[A-Z]{2}$")]


class _Part(Exact):
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
    country: Country | None = Field(
        None, description="The buyer's country (ISO 3166); SJ: Svalbard and Jan Mayen", examples=["SE"]
    )
    vat_rate: Rate | None = Field(None, description="The line's VAT in per cent, as RecMan has it", examples=["0"])
    text: Number | None = Field(None, description="Words in the line's text, in any case", examples=["hire of"])
    vat_code: Number | None = Field(None, examples=["3"])
    account: Account | None = Field(None, examples=[3000])

    @model_validator(mode="after")
    def _says_something(self) -> "AccountingRule":
        if self.vat_code is None and self.account is None:
            raise ValueError("name a vat_code or an account")
        return self

    def fits(self, line: Line, document: Document, buyer: Buyer) -> bool:
        """Whether a line is all that the rule names."""
        return (
            self.product in (None, line.product_number)
            and self.kind in (None, document.kind)
            and self.department in (None, document.recman_department_id)
            and self.country in (None, buyer.country)
            and (self.vat_rate is None or (line.vat_rate is not None and is_same_rate(self.vat_rate, line.vat_rate)))
            and (self.text is None or self.text.casefold() in line.text.casefold())
        )

    @property
    def settles_treatment(self) -> bool:
        """Whether the rule may put a line on a code that does not suit its buyer: for what it names, not for all."""
        named = (self.product, self.department, self.country, self.text)
        return self.vat_code is not None and any(part is not None for part in named)


class VatCodeRule(_Part):
    """RecMan's VAT code is this one of Unimicro's; none: the code says nothing, and Unimicro's product decides."""

    recman: Number = Field(examples=["52"])
    unimicro: Number | None = Field(examples=["52"])


class AccountRule(_Part):
    """RecMan's account is another one in Unimicro."""

    recman: Number = Field(examples=["3000"])
    unimicro: Account = Field(examples=[3010])


class FallbackProduct(_Part):
    """Unimicro's product for priced lines without a product number, by the VAT rate of the line."""

    vat_rate: Rate = Field(examples=["25"])
    product: Number = Field(description="Unimicro's product number", examples=["9000"])


class DepartmentRule(_Part):
    """What a RecMan department is in Unimicro: a department number, and numbers in the free dimensions 5 to 10."""

    recman: Number = Field(description="RecMan's department id", examples=["7"])
    unimicro: Number | None = Field(None, description="Unimicro's department number", examples=["100"])
    dimensions: dict[Dimension, Number] = Field(default_factory=dict, examples=[{"5": "OSLO"}])


class Rounding(_Part):
    """Where a claim is levelled that rounding has moved: a line without VAT, on a product of its own."""

    account: Account = Field(examples=[7740])
    product: Number = Field(
        "AVRUNDING", description="Number of the line's product in Unimicro; made on the account where there is none"
    )


class Review(_Part):
    """What a person must approve before it is sent."""

    everything: bool = Field(False, description="Four eyes: nothing is sent without an approval")
    over_amount: Decimal | None = Field(None, ge=0, description="Documents over this gross amount", examples=["100000"])
    first: int = Field(0, ge=0, le=10_000, description="The first so many documents of the key")
    second_person: bool = Field(
        False,
        description="Whoever made any of the rules as they are, changed them last, or chose to send the document "
        "although it is old, cannot approve it: another person must",
    )


class Rules(_Part):
    """The rules of one key; what is left out is as Unimicro and RecMan have it."""

    products: list[ProductRule] = Field(default_factory=list)
    product_policy: Literal["match_only", "create"] = Field(
        "match_only", description="create: a product that Unimicro lacks is made with number, name and standard account"
    )
    fallback_products: list[FallbackProduct] = Field(default_factory=list)
    accounting: list[AccountingRule] = Field(default_factory=list)
    vat_codes: list[VatCodeRule] = Field(
        default_factory=list, description="What RecMan's VAT codes are in Unimicro; a code that is not here holds"
    )
    accounts: list[AccountRule] = Field(
        default_factory=list, description="RecMan's accounts that have another number in Unimicro"
    )
    sales_accounts: list[Account] = Field(
        default_factory=list, description="Accounts that sales may be booked on beside 3000 to 3999", examples=[[8070]]
    )
    departments: list[DepartmentRule] = Field(default_factory=list)
    customer_number: NumberPolicy = Field(
        NumberPolicy.SAME_NUMBER,
        description="same_number: RecMan's number must be Unimicro's; linked: Unimicro numbers, the link is kept; "
        "match_only: as same_number, but no customer is ever made",
    )
    customer_fields: dict[CustomerField, FieldRule] = Field(
        default_factory=dict,
        description="Who keeps up a field of a customer that both have. What is not named is recman_wins; of one "
        "that was in Unimicro before this service, whatever it is reached by (addresses, e-mail, phone, GLN, "
        "peppol_address) is fill_empty",
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
    rounding: Rounding | None = Field(
        None,
        description="Account for the rounding line that makes the claim in Unimicro the document's to the øre; without "
        "one such a document is held",
    )
    rates: dict[Currency, Annotated[Decimal, Field(gt=0)]] = Field(
        default_factory=dict,
        description="About what one unit of a currency is worth, where Unimicro's rate is held as doubtful: rates "
        "within 20 % of it are believed",
        examples=[{"DKK": "1.55"}],
    )

    @model_validator(mode="before")
    @classmethod
    def _has_no_tolerance(cls, given: Any) -> Any:
        if isinstance(given, dict) and "tolerance" in given:
            raise ValueError(
                "tolerance is no rule any more, for a claim is booked to the øre: leave it out, and name the account "
                "for what rounding explains instead, as in `rounding: {account: 7740}`"
            )
        return given

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> "Rules":
        for name, keys in (
            ("products", [rule.recman for rule in self.products]),
            ("departments", [rule.recman for rule in self.departments]),
            ("vat_codes", [rule.recman for rule in self.vat_codes]),
            ("accounts", [rule.recman for rule in self.accounts]),
            ("fallback_products", [f"{rule.vat_rate.normalize():f} %" for rule in self.fallback_products]),
        ):
            twice = sorted(key for key, count in Counter(keys).items() if count > 1)
            if twice:
                raise ValueError(f"{name}: {', '.join(twice)} has more than one rule")
        return self

    def product_number(self, recman_number: str) -> str:
        """The number that a RecMan product has in Unimicro."""
        return self._products.get(recman_number, recman_number)

    def accounting_of(self, line: Line, document: Document, buyer: Buyer) -> AccountingRule | None:
        """The first accounting rule that fits a line, if there is one."""
        places = sorted([*self._accounting.get(line.product_number, ()), *self._accounting.get(None, ())])
        rules = (self.accounting[place] for place in dict.fromkeys(places))
        return next((rule for rule in rules if rule.fits(line, document, buyer)), None)

    def find_vat_code(self, recman_code: str) -> VatCodeRule | None:
        """What a VAT code of RecMan's is in Unimicro, None where nobody has said it."""
        return self._vat_codes.get(recman_code)

    def account_number(self, recman_account: str) -> str:
        """The number that an account of RecMan's has in Unimicro; the same unless a rule names another one.

        Source: RecMan's accounts are entered for the accounting system (docs/facts/recman.md §3.3); assumed.
        """
        return self._accounts.get(recman_account, recman_account)

    def fallback_product(self, vat_rate: Decimal | None) -> str | None:
        """Unimicro's product number for priced lines of this VAT rate that name none."""
        if vat_rate is None:
            return None
        rules = self.fallback_products
        return next((rule.product for rule in rules if is_same_rate(rule.vat_rate, vat_rate)), None)

    def field_rules_of(self, matched_by: MatchedBy | None) -> FieldRules:
        """Who keeps up which field of a customer that was made, or came to be linked, in this way."""
        contact = {} if matched_by is MatchedBy.MADE else dict.fromkeys(CONTACT_FIELDS, FieldRule.FILL_EMPTY)
        return {str(name): rule for name, rule in {**contact, **self.customer_fields}.items()}

    def department_of(self, recman_department_id: str | None) -> DepartmentRule | None:
        """The rule for a department, if there is one."""
        return None if recman_department_id is None else self._departments.get(recman_department_id)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> "Rules":
        """Rules that differ in the fields named; what was looked up by the others' places is not taken along."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    # Thousands of rules are looked up for every line of a document.
    @cached_property
    def _products(self) -> dict[str, str]:
        return {rule.recman: rule.unimicro for rule in self.products}

    @cached_property
    def _accounting(self) -> dict[str | None, list[int]]:
        places: dict[str | None, list[int]] = {}
        for place, rule in enumerate(self.accounting):
            places.setdefault(rule.product, []).append(place)
        return places

    @cached_property
    def _vat_codes(self) -> dict[str, VatCodeRule]:
        return {rule.recman: rule for rule in self.vat_codes}

    @cached_property
    def _accounts(self) -> dict[str, str]:
        return {rule.recman: str(rule.unimicro) for rule in self.accounts}

    @cached_property
    def _departments(self) -> dict[str, DepartmentRule]:
        return {rule.recman: rule for rule in self.departments}
