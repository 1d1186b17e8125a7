"""Planning the parts of a document: customer, products, project, department. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from app.domain.dimensions import Department, Project
from app.domain.documents import Line
from app.domain.gaps import Gaps
from app.domain.names import compare_names, plain_name
from app.domain.org_numbers import is_same_org_number, is_valid_org_number
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteCustomer, RemoteDepartment, RemoteProject
from app.domain.vat import find_country
from app.transfer.plan.situation import CustomerView, DepartmentView, ProjectView
from app.transfer.plan.steps import CreateCustomer, CreateDepartment, CreateProject, Link, Step, UpdateProject

Planned = tuple[tuple[Step, ...], tuple[Reason, ...]]

# The case of a row that says nothing of a retry: nothing is held yet.
_COMPARED = "compared"
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
    case = _COMPARED if view.is_compared else ""
    candidates = _list_candidates(view, customer)
    if len(candidates) > 1:
        return (), (_number_twice(customer, case),)
    if candidates:
        return _link_customer(customer, candidates[0], case)
    gaps = _creation_gaps(view, customer, reference, case)
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
        alike = [one for one in view.matches if _is_same_party(customer, one)]
        return [one for one in alike if named or shares_org_number(customer, one)]
    # Two systems that number on their own meet on one number by chance.
    return [match for match in same_number if not _is_stranger(customer, match)]


def _link_customer(customer: Customer, match: RemoteCustomer, case: str) -> Planned:
    if not _is_same_party(customer, match):
        return (), (
            Reason(
                code=Code.CUSTOMER_NUMBER_CLASH,
                cause=f"Customer number {customer.number} is {_describe(customer.name, customer.org_number)} in RecMan "
                f"but {_describe(match.name, match.org_number)} in Unimicro",
                fix=fix_for(Code.CUSTOMER_NUMBER_CLASH, case),
            ),
        )
    if not match.active:
        return (), (
            Reason(
                code=Code.CUSTOMER_INACTIVE,
                cause=f"Customer {customer.number} {match.name} is inactive in Unimicro",
                fix=fix_for(Code.CUSTOMER_INACTIVE, case),
            ),
        )
    link = _link("company", customer.recman_company_id, customer, match)
    return (replace(link, country=find_country(customer.invoice_address, customer.org_number)),), ()


def _link(
    scope: str,
    record_id: str,
    record: Customer | Project | Department,
    match: RemoteCustomer | RemoteProject | RemoteDepartment,
) -> Link:
    """The step that takes what is there already for RecMan's record."""
    return Link(
        scope=scope,
        record_id=record_id,
        number=record.number,
        name=record.name,
        remote_id=match.remote_id,
        remote_number=match.number,
        reason=f"{'customer' if scope == 'company' else scope} {match.number} is in Unimicro already",
    )


def _creation_gaps(view: CustomerView, customer: Customer, reference: Reference, case: str) -> list[Reason]:
    gaps = [
        _under_other_number(customer, other, "linked" if view.policy is NumberPolicy.LINKED else case)
        for other in view.matches
        if _has_equal_org_number(customer, other) and other.number != customer.number
    ]
    if view.policy is NumberPolicy.MATCH_ONLY and not gaps:
        gaps.append(_not_made(customer, case))
    if view.policy is NumberPolicy.SAME_NUMBER and not _fits_series(customer.number, reference.customer_series):
        gaps.append(_outside_series(customer, reference.customer_series, case))
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
        return (), (_ambiguous(Code.PROJECT_AMBIGUOUS, "project", project.number),)
    if matches and view.past is not None:
        # We made it ourselves in a try that was cut short, maybe before it had its status.
        remote_id, reason = matches[0].remote_id, f"project {project.number} was made, but not to the end"
        return (UpdateProject(project=project, remote_id=remote_id, reason=reason),), ()
    if matches:
        return (_link("project", project.recman_project_id, project, matches[0]),), ()
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
        return (), (_ambiguous(Code.DEPARTMENT_AMBIGUOUS, "department", department.number),)
    if matches:
        return (_link("department", department.recman_department_id, department, matches[0]),), ()
    return (CreateDepartment(department=department, reason=f"no department {department.number} in Unimicro yet"),), ()


def _rule_gaps(view: DepartmentView) -> tuple[Reason, ...]:
    wanted = [(f"dimension {n} number {number}", len(ids)) for n, number, ids in view.dimensions]
    if view.by_rule and view.record is not None:
        wanted.append((f"department {view.record.number}", len(view.matches)))
    return tuple(
        Reason(
            code=Code.RULE_UNUSABLE,
            cause=f"A rule names {what}, of which Unimicro has {count or 'none'}",
            fix=fix_for(Code.RULE_UNUSABLE),
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
                code=Code.DEPARTMENT_WITHOUT_NUMBER,
                cause=f"Department {name} has no number in RecMan, so the document goes without department",
                fix=fix_for(Code.DEPARTMENT_WITHOUT_NUMBER),
            )
        )
    return tuple(warnings)


def _project_warnings(project: ProjectView) -> list[Reason]:
    if project.record is None:
        cause = f"RecMan no longer lists project {project.recman_project_id}, so the document goes without project"
        return [Reason(code=Code.PROJECT_GONE, cause=cause, fix=fix_for(Code.PROJECT_GONE))]
    if isinstance(project.record, Gaps):
        return list(project.record.gaps)
    return []


def _is_same_party(customer: Customer, match: RemoteCustomer) -> bool:
    if customer.org_number and match.org_number:
        return shares_org_number(customer, match)
    return plain_name(customer.name) == plain_name(match.name)


def shares_org_number(customer: Customer, match: RemoteCustomer) -> bool:
    """Whether both have the same organisation number, each in its own dress."""
    country_code = customer.invoice_address.country_code
    return is_same_org_number(customer.org_number, match.org_number, country_code=country_code)


def _is_stranger(customer: Customer, match: RemoteCustomer) -> bool:
    """Whether two with one number are surely not the same; between this and the same party a person decides."""
    if customer.org_number and match.org_number:
        return not shares_org_number(customer, match)
    return compare_names(customer.name, match.name) < _STRANGERS


def _has_equal_org_number(customer: Customer, match: RemoteCustomer) -> bool:
    """A number that fails its check digits may be a filler that many have, so the names must be alike, too."""
    if not shares_org_number(customer, match):
        return False
    return has_valid_org_number(customer) or compare_names(customer.name, match.name) >= _STRANGERS


def has_valid_org_number(customer: Customer) -> bool:
    """Whether the organisation number, if there is one, passes the check of its country."""
    return is_valid_org_number(customer.org_number, country_code=customer.invoice_address.country_code)


def _fits_series(number: str, series: tuple[tuple[int, int], ...]) -> bool:
    return number.isdecimal() and any(first <= int(number) <= last for first, last in series)


def _describe(name: str, org_number: str) -> str:
    return f"“{name}” ({org_number})" if org_number else f"“{name}”"


def _under_other_number(customer: Customer, other: RemoteCustomer, case: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_UNDER_OTHER_NUMBER,
        cause=f"{customer.name} (organisation number {customer.org_number}) has number {customer.number} in RecMan "
        f"but {other.number} in Unimicro",
        fix=fix_for(Code.CUSTOMER_UNDER_OTHER_NUMBER, case, remote_number=other.number, number=customer.number),
    )


def _not_made(customer: Customer, case: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NOT_IN_UNIMICRO,
        cause=f"{customer.name} (number {customer.number}) is not in Unimicro, and the key makes no customers",
        fix=fix_for(Code.CUSTOMER_NOT_IN_UNIMICRO, case, number=customer.number),
    )


def _outside_series(customer: Customer, series: tuple[tuple[int, int], ...], case: str) -> Reason:
    listed = ", ".join(f"{first}–{last}" for first, last in series) or "none"
    return Reason(
        code=Code.CUSTOMER_NUMBER_OUTSIDE_SERIES,
        cause=f"Customer {customer.name} has number {customer.number} in RecMan, outside Unimicro's customer series "
        f"({listed})",
        fix=fix_for(Code.CUSTOMER_NUMBER_OUTSIDE_SERIES, case),
    )


def _number_twice(customer: Customer, case: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NUMBER_TWICE,
        cause=f"Unimicro has more than one customer that may be {customer.name} (number {customer.number} in RecMan)",
        fix=fix_for(Code.CUSTOMER_NUMBER_TWICE, case),
    )


def _customer_gone(recman_company_id: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_MISSING,
        cause=f"RecMan gives no company with id {recman_company_id}",
        fix=fix_for(Code.CUSTOMER_MISSING),
    )


def _ambiguous(code: Code, what: str, number: str) -> Reason:
    return Reason(
        code=code,
        cause=f"Unimicro has more than one {what} with number {number}",
        fix=fix_for(code),
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
            code=Code.LINE_DEPARTMENT_UNKNOWN,
            cause=f"Line {line.position}: department {line.department_number} is not in Unimicro (or more than once), "
            "so the line goes with the document's department",
            fix=fix_for(Code.LINE_DEPARTMENT_UNKNOWN),
        )
        for line in listed
        if line.department_number and line.department_number not in known
    )
