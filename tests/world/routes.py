"""Every route of our API, and a body that each changing one takes."""

import json
from typing import Any

from app.web import render_openapi

# A body that each changing route takes; `{…}` stands for something of the other tenant. A new route must be added here.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/transfers/{transfer_id}/retry"): None,
    ("POST", "/v1/transfers/{transfer_id}/ignore"): {"reason": "not ours"},
    ("POST", "/v1/invoices/dry-run"): {"ids": ["{transfer_id}"]},
    ("POST", "/v1/invoices/send"): {"ids": ["{transfer_id}"]},
    ("POST", "/v1/invoices/{transfer_id}/approve"): None,
    ("POST", "/v1/invoices/before-go-live"): {"ids": ["{transfer_id}"], "decision": "send"},
    ("POST", "/v1/invoices/{transfer_id}/done-elsewhere"): {"remote_id": 1},
    ("POST", "/v1/jobs"): {"ids": ["{transfer_id}"], "name": "Again", "reason": "not ours"},
    ("POST", "/v1/jobs/{job_id}/start"): None,
    ("POST", "/v1/jobs/{job_id}/cancel"): None,
    ("PUT", "/v1/rules"): {"not_before": "2026-01-01"},
    ("POST", "/v1/keys/connect"): {"key_id": "{key_id}"},
    ("POST", "/v1/sign-ins/{pending_id}/confirm"): None,
    ("POST", "/v1/keys"): {
        "pending_id": "{pending_id}",
        "company_key": "x",
        "name": "theirs",
        "go_live": "2026-10-01",
        "mode": "file",
        "sender": "unimicro",
        "booking": "order",
    },
    ("PATCH", "/v1/keys/{key_id}"): {"name": "theirs"},
    ("POST", "/v1/keys/{key_id}/check"): None,
    ("POST", "/v1/keys/{key_id}/open"): {"name": "Theirs", "reason": "not ours"},
    ("PUT", "/v1/keys/{key_id}/series"): {"series": [{"series_id": 7, "next_number": 1}]},
    ("POST", "/v1/keys/{key_id}/series/{series_id}/skip-to"): {"number": 2, "reason": "not ours"},
    ("POST", "/v1/exports"): {"key_id": "{key_id}", "everything": True},
    ("POST", "/v1/exports/{export_id}/confirm"): {"taken": "all"},
    ("POST", "/v1/exports/{export_id}/again"): {"ids": "all", "reason": "not ours"},
    ("POST", "/v1/keys/{key_id}/layouts/{name}/accept"): {"name": "Theirs", "reason": "not ours"},
    ("DELETE", "/v1/keys/{key_id}"): None,
    ("POST", "/v1/keys/{key_id}/take-over"): {"from_key_id": "{key_id}"},
    ("POST", "/v1/keys/{key_id}/customer-check"): None,
    ("POST", "/v1/keys/{key_id}/customer-check/accept"): {"reason": "not ours"},
    ("POST", "/v1/keys/{key_id}/customer-links"): {"recman_company_id": "201", "remote_number": "1"},
    ("DELETE", "/v1/keys/{key_id}/customer-links/{recman_company_id}"): None,
    ("POST", "/v1/keys/{key_id}/shared-org-numbers"): {"org_number": "974760673", "reason": "not ours"},
    ("DELETE", "/v1/keys/{key_id}/shared-org-numbers/{org_number}"): None,
    ("POST", "/v1/departments/refresh"): None,
    ("POST", "/v1/departments"): {"recman_department_id": "900", "name": "Ours"},
    ("PUT", "/v1/departments/{recman_department_id}/key"): {"key_id": None},
    ("PATCH", "/v1/recman"): {"most_changes": 7},
    ("POST", "/v1/recman/probe"): None,
    ("POST", "/v1/recman/sweep"): None,
    ("POST", "/v1/recman/backfill"): {"dated_from": "2026-10-01", "dated_to": "2026-10-31", "dry_run": True},
    ("POST", "/v1/recman/sweeps/{sweep_id}/cancel"): None,
    ("POST", "/v1/recman/changes"): {"scope": "company"},
    ("POST", "/v1/hooks"): {"name": "ours"},
    ("PATCH", "/v1/hooks/{hook_id}"): {"enabled": False},
    ("POST", "/v1/hooks/{hook_id}/rotate"): {"what": "address"},
    ("POST", "/v1/hooks/{hook_id}/confirm"): {"release": True},
    ("POST", "/v1/tokens"): {"name": "ours", "role": "viewer"},
    ("DELETE", "/v1/tokens/{token_id}"): None,
    ("POST", "/v1/tokens/{token_id}/rotate"): {},
    ("POST", "/v1/tenants"): {"name": "Third"},
    ("PATCH", "/v1/tenants/{tenant_id}"): {"name": "theirs"},
}


def list_routes() -> list[tuple[str, str]]:
    """Method and path of every route below /v1."""
    paths = json.loads(render_openapi())["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods if path.startswith("/v1")]


ROUTES = list_routes()
# The names of all operations, also of those that are elsewhere.
OPERATIONS = sorted(
    operation["operationId"]
    for methods in json.loads(render_openapi())["paths"].values()
    for operation in methods.values()
)
