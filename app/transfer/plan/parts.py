"""Planning the parts of a document besides customer and products: project and department. Pure."""

from collections.abc import Iterable

from app.domain.dimensions import Department, Project
from app.domain.documents import Line
from app.domain.gaps import Gaps
from app.domain.parties import Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteCustomer, RemoteDepartment, RemoteProject
from app.transfer.plan.situation import DepartmentView, ProjectView
from app.transfer.plan.steps import CreateDepartment, CreateProject, Link, Step, UpdateProject

Planned = tuple[tuple[Step, ...], tuple[Reason, ...]]


def link_part(
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
        return (link_part("project", project.recman_project_id, project, matches[0]),), ()
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
        return (link_part("department", department.recman_department_id, department, matches[0]),), ()
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
