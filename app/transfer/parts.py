"""Planning the parts of a document: customer, products, project, department. Pure."""

from collections.abc import Iterable

from app.domain.parties import Customer
from app.domain.reference import Reference, RemoteCustomer
from app.errors import Reason
from app.transfer.situation import CustomerView, DepartmentView, ProjectView
from app.transfer.steps import CreateCustomer, CreateDepartment, CreateProject, Link, Step

Planned = tuple[tuple[Step, ...], tuple[Reason, ...]]


def plan_customer(view: CustomerView, reference: Reference) -> Planned:
    """The step that puts the customer in place, if one is needed, and the gaps that stop it.

    Customers match by number; the number alone is a weak match, so organisation number or name must agree too.
    """
    if view.past is not None and view.past.booked:
        return (), ()
    if view.record is None:
        return (), (_customer_gone(view.recman_company_id),)
    if not isinstance(view.record, Customer):
        return (), view.record
    customer = view.record
    same_number = [match for match in view.matches if match.number == customer.number]
    if len(same_number) > 1:
        return (), (_number_twice(customer),)
    if same_number:
        return _link_customer(customer, same_number[0])
    return _create_customer(customer, view.matches, reference)


def _link_customer(customer: Customer, match: RemoteCustomer) -> Planned:
    if not _is_same_party(customer, match):
        return (), (
            Reason(
                code="customer_number_clash",
                cause=f"Customer number {customer.number} is {_describe(customer.name, customer.org_number)} in RecMan "
                f"but {_describe(match.name, match.org_number)} in Unimicro",
                fix="Give one of the two another customer number so that both systems agree, then retry.",
            ),
        )
    if not match.active:
        return (), (
            Reason(
                code="customer_inactive",
                cause=f"Customer {customer.number} {match.name} is inactive in Unimicro",
                fix="Activate the customer in Unimicro, then retry.",
            ),
        )
    link = Link(
        scope="company",
        record_id=customer.recman_company_id,
        number=customer.number,
        name=customer.name,
        remote_id=match.remote_id,
        remote_number=match.number,
        reason=f"customer {customer.number} is in Unimicro already",
    )
    return (link,), ()


def _create_customer(customer: Customer, others: Iterable[RemoteCustomer], reference: Reference) -> Planned:
    gaps = [
        Reason(
            code="customer_under_other_number",
            cause=f"{customer.name} (organisation number {customer.org_number}) has number {customer.number} in RecMan "
            f"but {other.number} in Unimicro",
            fix=f"Give the customer number {other.number} in RecMan, or {customer.number} in Unimicro, then retry.",
        )
        for other in others
        if customer.org_number and other.org_number == customer.org_number
    ]
    if not _fits_series(customer.number, reference.customer_series):
        gaps.append(_outside_series(customer, reference.customer_series))
    if gaps:
        return (), tuple(gaps)
    return (CreateCustomer(customer=customer, reason=f"no customer {customer.number} in Unimicro yet"),), ()


def plan_project(view: ProjectView) -> Planned:
    """The step that puts the project in place, if one is needed.

    A project that RecMan no longer lists, or that has no number, never blocks an invoice: no step, no gap.
    """
    if (view.past is not None and view.past.booked) or view.record is None or isinstance(view.record, tuple):
        return (), ()
    project = view.record
    matches = [match for match in view.matches if match.number == project.number]
    if len(matches) > 1:
        return (), (_ambiguous("project", project.number),)
    if matches:
        link = Link(
            scope="project",
            record_id=project.recman_project_id,
            number=project.number,
            name=project.name,
            remote_id=matches[0].remote_id,
            remote_number=matches[0].number,
            reason=f"project {project.number} is in Unimicro already",
        )
        return (link,), ()
    return (CreateProject(project=project, reason=f"no project {project.number} in Unimicro yet"),), ()


def plan_department(view: DepartmentView) -> Planned:
    """The step that puts the department in place, if one is needed; one without a number is left out.

    What a rule names is looked up for each document and never made: a wrong rule must not fill Unimicro.
    """
    if view.by_rule or view.dimensions:
        gaps = _rule_gaps(view)
        if gaps or view.by_rule:
            return (), gaps
    if (view.past is not None and view.past.booked) or view.record is None or not view.record.number:
        return (), ()
    department = view.record
    matches = [match for match in view.matches if match.number == department.number]
    if len(matches) > 1:
        return (), (_ambiguous("department", department.number),)
    if matches:
        link = Link(
            scope="department",
            record_id=department.recman_department_id,
            number=department.number,
            name=department.name,
            remote_id=matches[0].remote_id,
            remote_number=matches[0].number,
            reason=f"department {department.number} is in Unimicro already",
        )
        return (link,), ()
    return (CreateDepartment(department=department, reason=f"no department {department.number} in Unimicro yet"),), ()


def _rule_gaps(view: DepartmentView) -> tuple[Reason, ...]:
    wanted = [(f"dimension {n} number {number}", len(ids)) for n, number, ids in view.dimensions]
    if view.by_rule and view.record is not None:
        wanted.append((f"department {view.record.number}", len(view.matches)))
    return tuple(
        Reason(
            code="rule_unusable",
            cause=f"A rule names {what}, of which Unimicro has {count or 'none'}",
            fix="Correct the rule (PUT /v1/rules) or Unimicro, then retry.",
        )
        for what, count in wanted
        if count != 1
    )


def list_dimension_warnings(project: ProjectView | None, department: DepartmentView | None) -> tuple[Reason, ...]:
    """What the accountant should know about dimensions that are left out."""
    warnings = []
    if project is not None and not (project.past and project.past.booked):
        warnings.extend(_project_warnings(project))
    if department is not None and not department.by_rule and not (department.record and department.record.number):
        name = department.record.name if department.record else department.recman_department_id
        warnings.append(
            Reason(
                code="department_without_number",
                cause=f"Department {name} has no number in RecMan, so the document goes without department",
                fix="Give the department a number in RecMan if it should be a dimension in Unimicro.",
            )
        )
    return tuple(warnings)


def _project_warnings(project: ProjectView) -> list[Reason]:
    if project.record is None:
        cause = f"RecMan no longer lists project {project.recman_project_id}, so the document goes without project"
        return [Reason(code="project_gone", cause=cause, fix="Add the project in Unimicro by hand if it matters.")]
    if isinstance(project.record, tuple):
        return list(project.record)
    return []


def _is_same_party(customer: Customer, match: RemoteCustomer) -> bool:
    if customer.org_number and match.org_number:
        return customer.org_number == match.org_number
    return _plain(customer.name) == _plain(match.name)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _fits_series(number: str, series: tuple[tuple[int, int], ...]) -> bool:
    return number.isdecimal() and any(first <= int(number) <= last for first, last in series)


def _describe(name: str, org_number: str) -> str:
    return f"“{name}” ({org_number})" if org_number else f"“{name}”"


def _outside_series(customer: Customer, series: tuple[tuple[int, int], ...]) -> Reason:
    listed = ", ".join(f"{first}–{last}" for first, last in series) or "none"
    return Reason(
        code="customer_number_outside_series",
        cause=f"Customer {customer.name} has number {customer.number} in RecMan, outside Unimicro's customer series "
        f"({listed})",
        fix="Change the customer's number in RecMan, or widen the customer number series in Unimicro, then retry.",
    )


def _number_twice(customer: Customer) -> Reason:
    return Reason(
        code="customer_number_twice",
        cause=f"Unimicro has more than one customer with number {customer.number}",
        fix="Merge or renumber them in Unimicro, then retry.",
    )


def _customer_gone(recman_company_id: str) -> Reason:
    return Reason(
        code="customer_missing",
        cause=f"RecMan gives no company with id {recman_company_id}",
        fix="Check in RecMan that the customer exists and that the API key may read companies, then retry.",
    )


def _ambiguous(what: str, number: str) -> Reason:
    return Reason(
        code=f"{what}_ambiguous",
        cause=f"Unimicro has more than one {what} with number {number}",
        fix=f"Renumber or close the extra {what} in Unimicro, then retry.",
    )
