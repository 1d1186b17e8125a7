"""Projects and departments: what an invoice is booked on besides its account."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A RecMan project; matched in Unimicro by its visible number."""

    recman_project_id: str
    number: str
    name: str
    recman_company_id: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A RecMan department; `number` may be empty: RecMan does not require one."""

    recman_department_id: str
    name: str
    number: str = ""
