"""Customers: RecMan is their master, Unimicro carries the same number."""

from dataclasses import dataclass, field

# RecMan's words for companies that are no customers unless an invoice says so.
# Source: docs/facts/recman.md §3.1 [C] for the words; that they are left alone is our rule.
NO_CUSTOMER_KINDS = frozenset({"ownCompany", "supplier", "prospect"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country_code` is ISO 3166 alpha-2 or empty when RecMan does not say."""

    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    country_code: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing but perhaps a country is known."""
        return not (self.line1 or self.line2 or self.postal_code or self.city)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A RecMan company in its role as customer.

    `number` is the visible customer number; `kind` RecMan's own word (customer, prospect, ownCompany, …);
    `credit_days` None means RecMan does not say; `peppol_address` where the customer takes electronic invoices, with or
    without the scheme in front; `gln` the global location number as RecMan writes it; `currency` an ISO code or empty.
    `is_private`: RecMan has a person's number where an organisation's belongs; the number itself goes no farther.
    """

    recman_company_id: str
    number: str
    name: str
    kind: str = "customer"
    org_number: str = ""
    email: str = ""
    invoice_email: str = ""
    phone: str = ""
    invoice_address: Address = field(default_factory=Address)
    delivery_address: Address = field(default_factory=Address)
    visiting_address: Address = field(default_factory=Address)
    credit_days: int | None = None
    peppol_address: str = ""
    gln: str = ""
    currency: str = ""
    is_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom an invoice is addressed to, as the accounting system knows the customer when the invoice is made.

    `electronic_address`: where an electronic invoice goes; `agreed_reference`: what every one of them is to carry.
    `account_id`: the account on which its claims are, as far as it was asked for.
    """

    number: str = ""
    name: str = ""
    org_number: str = ""
    email: str = ""
    electronic_address: str = ""
    agreed_reference: str = ""
    invoice_address: Address = field(default_factory=Address)
    delivery_address: Address = field(default_factory=Address)
    account_id: int | None = None
