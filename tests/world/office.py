"""The administrator of a world: tenants, hooks, keys, departments and rules, over REST alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.booking import sender_of
from app.platform.http import httpx
from tests.world.names import GO_LIVE, OTHER, OURS, RENUMBERED, TOKEN

NOBODY = UUID(int=0)
_LIST = {"rows", "next"}
_TRUST = text("UPDATE key SET proof = 'open', credits_proven = true WHERE id = :id")


def rows_of(answer: httpx.Response) -> Any:
    """What was answered; of a list, its rows."""
    told = answer.json()
    return told["rows"] if isinstance(told, dict) and told.keys() == _LIST else told


@dataclass(frozen=True, slots=True)
class Office:
    """What an administrator does before the first invoice, over REST alone."""

    http: httpx.AsyncClient
    tenant_id: UUID = NOBODY
    key_id: UUID = NOBODY
    engine: AsyncEngine | None = None

    async def make_tenant(self, name: str, *, recman_api_key: str) -> UUID:
        """The id of a new tenant."""
        made = await self._post("/v1/tenants", {"name": name, "recman_api_key": recman_api_key, "untried": True})
        return UUID(made["id"])

    async def make_hook(self, tenant_id: UUID) -> str:
        """The whole address of a new hook."""
        made = await self._post(f"/v1/hooks?tenant={tenant_id}", {"name": "test"})
        return str(made["address"])

    async def make_token(self, tenant_id: UUID, role: str) -> str:
        """A new token's secret; an operator's belongs to no tenant."""
        path = "/v1/tokens" if role == "operator" else f"/v1/tokens?tenant={tenant_id}"
        made = await self._post(path, {"name": f"a {role}", "role": role})
        return str(made["token"])

    async def sign_in(self, tenant_id: UUID, **order: Any) -> dict[str, Any]:
        """What the callback tells, after a browser has followed every redirect."""
        begun = await self._post(f"/v1/keys/connect?tenant={tenant_id}", order)
        answer = await self.http.get(begun["authorize_url"], follow_redirects=True)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def make_key(self, tenant_id: UUID, *, name: str, company: str, checked: bool = True, **more: Any) -> UUID:
        """The id of a new key to the named company that may send, open to all departments unless told otherwise."""
        signed_in = await self.sign_in(tenant_id)
        company_key = next(one["key"] for one in signed_in["companies"] if one["name"] == company)
        order = {"pending_id": signed_in["pending_id"], "company_key": company_key, "name": name}
        order |= {"go_live": GO_LIVE, **RENUMBERED, **more}
        made = await self._post(f"/v1/keys?tenant={tenant_id}", order)
        await self.trust(made["id"])
        if checked:
            await self.check_customers(UUID(made["id"]))
        return UUID(made["id"])

    async def check_customers(self, key_id: UUID) -> dict[str, Any]:
        """The end of a customer check, which must be green."""
        path = f"{OURS}/v1/keys/{key_id}/customer-check"
        answer = await self.http.post(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        check: dict[str, Any] = json.loads(answer.text.splitlines()[-1])
        assert check["state"] == "green", check
        return check

    async def open_key(self, name: str, *, company: str = OTHER, departments: Sequence[str] | str = ()) -> str:
        """The id of another key of the tenant, open to the named departments alone."""
        chosen = departments if isinstance(departments, str) else list(departments)
        return str(await self.make_key(self.tenant_id, name=name, company=company, departments=chosen))

    async def change_key(self, **changes: Any) -> dict[str, Any]:
        """The key, changed; whoever changes its booking says who sends as well, and the key is open again."""
        if "booking" in changes:
            changes = {"sender": sender_of(changes["booking"]), **changes}
        changed: dict[str, Any] = await self._call("PATCH", f"/v1/keys/{self.key_id}", changes)
        if "booking" in changes:
            await self.trust(self.key_id)
        return changed

    async def trust(self, key_id: UUID | str) -> None:
        """Open the key as if it had been proven: what a test is about is seldom that."""
        if self.engine is not None:
            async with self.engine.begin() as connection:
                await connection.execute(_TRUST, {"id": UUID(str(key_id))})

    async def choose_orders(self) -> None:
        """Let the key's documents go as orders."""
        await self.change_key(booking="order")

    async def move_go_live(self, day: str) -> dict[str, Any]:
        """The key with another first day."""
        return await self.change_key(go_live=day)

    async def remove_key(self, key_id: UUID | str) -> dict[str, Any]:
        """What the removal tells."""
        told: dict[str, Any] = await self._call("DELETE", f"/v1/keys/{key_id}")
        return told

    async def read_departments(self) -> None:
        """Let the departments be read from RecMan."""
        await self._call("POST", "/v1/departments/refresh")

    async def give(self, department: str, key_id: UUID | str | None) -> None:
        """Let another key serve the department, or none."""
        body = {"key_id": None if key_id is None else str(key_id)}
        await self._call("PUT", f"/v1/departments/{department}/key", body)

    async def change_reading(self, **reading: Any) -> dict[str, Any]:
        """How RecMan is read, changed."""
        shown: dict[str, Any] = await self._call("PATCH", "/v1/recman", reading)
        return shown

    async def show_reading(self) -> dict[str, Any]:
        """How RecMan is read."""
        shown: list[dict[str, Any]] = await self._call("GET", "/v1/recman")
        return shown[0]

    async def put_rules(self, rules: Any, *, after_version: int = 0, status: int = 200) -> dict[str, Any]:
        """What the door tells about new rules of the key."""
        path, seen = f"/v1/rules?key_id={self.key_id}", {"If-Match": f'"{after_version}"'}
        told: dict[str, Any] = await self._call("PUT", path, rules, status=status, headers=seen)
        return told

    async def choose(self, **rules: Any) -> None:
        """Rules that are shown as they were given."""
        shown = (await self.put_rules(rules))["rules"]
        assert {name: shown[name] for name in rules} == rules

    async def _call(
        self, method: str, path: str, body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Any:
        url = httpx.URL(f"{OURS}{path}").copy_merge_params({"tenant": str(self.tenant_id)})
        headers = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        answer = await self.http.request(method, url, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return rows_of(answer)

    async def _post(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{OURS}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made
