"""The calls that the target would make, for people to look at before anything is sent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.accounting.unimicro.translate import to_customer, to_department, to_project
from app.accounting.unimicro.translate_credits import to_credit_head
from app.accounting.unimicro.translate_products import to_product
from app.domain.dimensions import Department, Project
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.reasons.codes import Reason
from app.domain.reference import RemoteProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One call as it would be sent; `{id}` stands for what an earlier call answers."""

    method: str
    path: str
    payload: Mapping[str, Any] | None = None
    warnings: tuple[Reason, ...] = ()


def preview_customer(customer: Customer, *, guid: str, send_number: bool, currencies: Mapping[str, int]) -> Preview:
    """The making of a customer."""
    return _create("customers", *to_customer(customer, guid=guid, send_number=send_number, currencies=currencies))


def preview_project(project: Project, *, guid: str, customer_id: int | None) -> Preview:
    """The making of a project."""
    return _create("projects", *to_project(project, guid=guid, customer_id=customer_id))


def preview_department(department: Department, *, guid: str) -> Preview:
    """The making of a department."""
    return _create("departments", *to_department(department, guid=guid))


def preview_product(product: RemoteProduct, *, guid: str) -> Preview:
    """The making of a product."""
    return _create("products", *to_product(product, guid=guid))


def preview_draft(route: str, payload: Mapping[str, Any], warnings: Sequence[Reason]) -> Preview:
    """The making of a draft, as `UnimicroTarget.prepare_draft` wrote it."""
    return _create(route, payload, warnings)


def preview_credit(credited_id: int, document: Document, *, external_reference: str) -> Preview:
    """The making of a credit draft; its head is set by a second call."""
    head, warnings = to_credit_head(document, external_reference=external_reference, customer_id=None)
    path = f"api/biz/invoices/{credited_id}?action=create-credit-draft-invoice, then PUT api/biz/invoices/{{id}}"
    return Preview(method="PUT", path=path, payload=head, warnings=tuple(warnings))


def preview_issue(route: str, action: str) -> Preview:
    """The issuing of a draft."""
    return Preview(method="POST", path=f"api/biz/{route}/{{id}}?action={action}")


def _create(route: str, payload: Mapping[str, Any], warnings: Sequence[Reason]) -> Preview:
    return Preview(method="POST", path=f"api/biz/{route}", payload=payload, warnings=tuple(warnings))
