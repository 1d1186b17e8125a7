"""Every table, once; the migrations make them.

Each names its owner, the room or module that alone writes it, and who else may ask for its rows.
"""

from app.tables.accounts import (
    AdminToken,
    Audit,
    AuditChain,
    Department,
    Hook,
    HookAddress,
    KeptAnswer,
    Key,
    SignIn,
    SignInHash,
    Tenant,
    TokenHash,
)
from app.tables.base import OPERATORS, Table, TenantOwned
from app.tables.books import (
    CompanyAnswer,
    CustomerCheck,
    Proving,
    RuleSet,
    SeenCode,
    SeriesClaim,
    SeriesOrder,
    SharedOrgNumber,
    TrialThing,
    UsedRate,
)
from app.tables.files import AcceptedLayout, Export, ExportDocument, ExportFile, ExportNumber, FiledDocument
from app.tables.jobs import Job, JobDocument
from app.tables.leases import Heartbeat, Leasehold
from app.tables.recman import (
    FieldProfile,
    HookHeaders,
    HookShape,
    ListedDocument,
    RecmanQuota,
    RecmanRecord,
    RecordCopy,
    Sweep,
)
from app.tables.work import Attempt, Event, EventKey, Lane, Making, Transfer

__all__ = [
    "OPERATORS",
    "AcceptedLayout",
    "AdminToken",
    "Attempt",
    "Audit",
    "AuditChain",
    "CompanyAnswer",
    "CustomerCheck",
    "Department",
    "Event",
    "EventKey",
    "Export",
    "ExportDocument",
    "ExportFile",
    "ExportNumber",
    "FieldProfile",
    "FiledDocument",
    "Heartbeat",
    "Hook",
    "HookAddress",
    "HookHeaders",
    "HookShape",
    "Job",
    "JobDocument",
    "KeptAnswer",
    "Key",
    "Lane",
    "Leasehold",
    "ListedDocument",
    "Making",
    "Proving",
    "RecmanQuota",
    "RecmanRecord",
    "RecordCopy",
    "RuleSet",
    "SeenCode",
    "SeriesClaim",
    "SeriesOrder",
    "SharedOrgNumber",
    "SignIn",
    "SignInHash",
    "Sweep",
    "Table",
    "Tenant",
    "TenantOwned",
    "TokenHash",
    "Transfer",
    "TrialThing",
    "UsedRate",
]
