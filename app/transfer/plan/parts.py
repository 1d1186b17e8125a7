"""Planning the parts of a document: customer, products, project, department. Pure."""

from collections.abc import Iterable

from app.domain.documents import Line
from app.domain.gaps import Gaps
from app.domain.names import compare_names, plain_name
from app.domain.org_numbers import is_valid_org_number
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reference import Reference, RemoteCustomer
from app.errors import Reason
from app.transfer.plan.situation import CustomerView, DepartmentView, ProjectView
from app.transfer.plan.steps import CreateCustomer, CreateDepartment, CreateProject, Link, Step, UpdateProject

Planned = tuple[tuple[Step, ...], tuple[Reason, ...]]

# Names less alike than this, of 100, are of different customers.
_STRANGERS = 60


def plan_customer(view: CustomerView, reference: Reference) -> Planned:
    """The step that puts the customer in place, if one is needed, and the gaps that stop it.

    Customers match by number; the number alone is a weak match, so organisation number or name must agree too. An equal
    organisation number under another number is a suggestion for a person, never a reason to make or link anything.
    """
    if view.past is not None and view.past.booked:
        return (), ()
    if view.record is None:
        return (), (_customer_gone(view.recman_company_id),)
    if isinstance(view.record, Gaps):
        return (), view.record.gaps
    customer = view.record
    candidates = _list_candidates(view, customer)
    if len(candidates) > 1:
        return (), (_number_twice(customer),)
    if candidates:
        return _link_customer(customer, candidates[0])
    gaps = _creation_gaps(view, customer, reference)
    if gaps:
        return (), tuple(gaps)
    seen = frozenset(match.remote_id for match in view.matches)
    reason = f"no customer {customer.number} in Unimicro yet"
    return (CreateCustomer(customer=customer, reason=reason, seen=seen),), ()


def find_same_customer(view: CustomerView) -> int | None:
    """The id of the customer that surely is this one: linked, or alone with its number and of the same party."""
    if view.past is not None and view.past.booked:
        return view.past.remote_id
    customer = view.record
    if not isinstance(customer, Customer):
        return None
    same = [one for one in view.matches if one.number == customer.number and _is_same_party(customer, one)]
    return same[0].remote_id if len(same) == 1 else None


def _list_candidates(view: CustomerView, customer: Customer) -> list[RemoteCustomer]:
    same_number = [match for match in view.matches if match.number == customer.number]
    if view.policy is not NumberPolicy.LINKED:
        return same_number
    if view.past is not None and view.past.unclear:
        # It may have been made under a number that we do not know. A name alone tells only once Unimicro has said that
        # it made somebody for us: else a namesake would be taken for him.
        named = view.past.guid_spent
        return [one for one in view.matches if _is_same_party(customer, one) and (named or _shares_org(customer, one))]
    # Two systems that number on their own meet on one number by chance.
    return [match for match in same_number if not _is_stranger(customer, match)]


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
        reason=f"customer {match.number} is in Unimicro already",
    )
    return (link,), ()


def _creation_gaps(view: CustomerView, customer: Customer, reference: Reference) -> list[Reason]:
    gaps = [
        _under_other_number(customer, other, view.policy)
        for other in view.matches
        if _has_equal_org_number(customer, other) and other.number != customer.number
    ]
    if view.policy is NumberPolicy.MATCH_ONLY and not gaps:
        gaps.append(_not_made(customer))
    if view.policy is NumberPolicy.SAME_NUMBER and not _fits_series(customer.number, reference.customer_series):
        gaps.append(_outside_series(customer, reference.customer_series))
    return gaps


def plan_project(view: ProjectView) -> Planned:
    """The step that puts the project in place, if one is needed.

    A project that RecMan no longer lists, or that has no number, never blocks an invoice: no step, no gap.
    """
    if (view.past is not None and view.past.booked) or view.record is None or isinstance(view.record, Gaps):
        return (), ()
    project = view.record
    matches = [match for match in view.matches if match.number == project.number]
    if len(matches) > 1:
        return (), (_ambiguous("project", project.number),)
    if matches and view.past is not None:
        # We made it ourselves in a try that was cut short, maybe before it had its status.
        remote_id, reason = matches[0].remote_id, f"project {project.number} was made, but not to the end"
        return (UpdateProject(project=project, remote_id=remote_id, reason=reason),), ()
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
    if isinstance(project.record, Gaps):
        return list(project.record.gaps)
    return []


def _is_same_party(customer: Customer, match: RemoteCustomer) -> bool:
    if customer.org_number and match.org_number:
        return customer.org_number == match.org_number
    return plain_name(customer.name) == plain_name(match.name)


def _shares_org(customer: Customer, match: RemoteCustomer) -> bool:
    return bool(customer.org_number) and customer.org_number == match.org_number


def _is_stranger(customer: Customer, match: RemoteCustomer) -> bool:
    """Whether two with one number are surely not the same; between this and the same party a person decides."""
    if customer.org_number and match.org_number:
        return customer.org_number != match.org_number
    return compare_names(customer.name, match.name) < _STRANGERS


def _has_equal_org_number(customer: Customer, match: RemoteCustomer) -> bool:
    """A number that fails its check digits may be a filler that many have, so the names must be alike, too."""
    if not customer.org_number or match.org_number != customer.org_number:
        return False
    return has_valid_org_number(customer) or compare_names(customer.name, match.name) >= _STRANGERS


def has_valid_org_number(customer: Customer) -> bool:
    """Whether the organisation number, if there is one, passes the check of its country."""
    return is_valid_org_number(customer.org_number, country_code=customer.invoice_address.country_code)


def _fits_series(number: str, series: tuple[tuple[int, int], ...]) -> bool:
    return number.isdecimal() and any(first <= int(number) <= last for first, last in series)


def _describe(name: str, org_number: str) -> str:
    return f"“{name}” ({org_number})" if org_number else f"“{name}”"


def _under_other_number(customer: Customer, other: RemoteCustomer, policy: NumberPolicy) -> Reason:
    same = f"Give the customer number {other.number} in RecMan, or {customer.number} in Unimicro, then retry."
    link = f"If it is the same customer, link it with number {other.number}: POST /v1/keys/{{id}}/customer-links."
    return Reason(
        code="customer_under_other_number",
        cause=f"{customer.name} (organisation number {customer.org_number}) has number {customer.number} in RecMan "
        f"but {other.number} in Unimicro",
        fix=link if policy is NumberPolicy.LINKED else same,
    )


def _not_made(customer: Customer) -> Reason:
    return Reason(
        code="customer_not_in_unimicro",
        cause=f"{customer.name} (number {customer.number}) is not in Unimicro, and the key makes no customers",
        fix=f"Make the customer in Unimicro with number {customer.number}, or change the key's number policy, "
        "then retry.",
    )


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
        cause=f"Unimicro has more than one customer that may be {customer.name} (number {customer.number} in RecMan)",
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


def find_line_departments(lines: Iterable[Line], reference: Reference) -> dict[str, int]:
    """Ids of the lines' own departments, as far as exactly one in Unimicro has the number."""
    numbers = {line.department_number for line in lines if line.department_number}
    found = {number: reference.departments.get(number, ()) for number in numbers}
    return {number: matches[0].remote_id for number, matches in found.items() if len(matches) == 1}


def list_line_warnings(lines: Iterable[Line], reference: Reference) -> tuple[Reason, ...]:
    """Lines whose own department is not in Unimicro."""
    listed = list(lines)
    known = find_line_departments(listed, reference)
    return tuple(
        Reason(
            code="line_department_unknown",
            cause=f"Line {line.position}: department {line.department_number} is not in Unimicro (or more than once), "
            "so the line goes with the document's department",
            fix="Create the department in Unimicro with that number if it matters.",
        )
        for line in listed
        if line.department_number and line.department_number not in known
    )
