"""The demo's file: another account whose key makes files, one export, its import by a person, and the read-back."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from app.domain.booking import Booking, Sender
from app.domain.states import UNDER_WAY, CheckState, Mode
from app.platform.http import httpx
from app.sandbox.crew import Crew, DemoFailedError
from app.sandbox.recman.store import SANDBOX_KEY
from app.settings import Settings

_WORK_SECONDS = 60
_GO_LIVE = "2026-10-01"
_WORD = {"name": "Demo administrator", "reason": "the sample data's findings are known"}

Post = Callable[[str, dict[str, Any]], dict[str, Any]]


class FileDemo:
    """A second account beside the demo's own, whose key reads from Unimicro and writes files alone."""

    def __init__(self, settings: Settings, crew: Crew, http: httpx.Client, console: Console) -> None:
        self._settings = settings
        self._crew = crew
        self._http = http
        self._console = console
        self._headers = {"Authorization": http.headers["Authorization"]}
        self._tenant = ""

    def run(self, deliver: Callable[[str], None]) -> bool:
        """Whether every document of the file stands in Unimicro as the file had it; `deliver` sends the webhooks."""
        hook, key = self._connect()
        deliver(hook)
        ready = self._wait_until_ready()
        export = self._post("/v1/exports", {"key_id": key["id"], "everything": True})["export"]
        self._tell(f"{ready} documents are ready; file {export['number']} has {export['documents']} of them.")
        for file in export["files"]:
            self._import(key["company_key"], export["id"], file)
        report = self._post(f"/v1/exports/{export['id']}/read-back", {})
        return self._show(report)

    def _connect(self) -> tuple[str, dict[str, Any]]:
        self._tenant = self._post("/v1/tenants", {"name": "Demo of files", "recman_api_key": SANDBOX_KEY})["id"]
        hook = self._post("/v1/hooks", {"name": "RecMan"})
        begun = self._post("/v1/keys/connect", {})
        with httpx.Client(timeout=10, follow_redirects=True) as browser:
            signed_in = browser.get(begun["authorize_url"]).raise_for_status().json()
        company = signed_in["companies"][1]
        order = {"pending_id": signed_in["pending_id"], "company_key": company["key"], "name": "Files"}
        order |= {"go_live": _GO_LIVE, "mode": Mode.FILE, "sender": Sender.RECMAN, "booking": Booking.VOUCHER}
        key = self._post("/v1/keys", order)
        self._call("PATCH", f"/v1/keys/{key['id']}", {"settings": {"missing_dimensions": "leave_out"}})
        self._tell(f"Made the key “{key['name']}” for {company['name']}, which makes files: nothing is sent there.")
        self._check_customers(f"/v1/keys/{key['id']}/customer-check")
        return str(hook["address"]), key

    def _check_customers(self, path: str) -> None:
        with self._http.stream("POST", self._url(path), params={"tenant": self._tenant}, timeout=60) as lines:
            for _ in lines.iter_lines():
                pass
        if self._get(path)["state"] == CheckState.FINDINGS:
            self._post(f"{path}/accept", _WORD)

    def _wait_until_ready(self) -> int:
        deadline = time.monotonic() + _WORK_SECONDS
        while time.monotonic() < deadline:
            self._crew.check()
            rows = self._get("/v1/transfers", limit=1000)["rows"]
            documents = [row for row in rows if row["kind"] in {"invoice", "credit_note"}]
            is_busy = self._get("/v1/events", state="waiting")["rows"] or any(
                row["state"] in UNDER_WAY for row in documents
            )
            if documents and not is_busy:
                return sum(row["state"] == "collected" for row in documents)
            time.sleep(0.1)
        raise DemoFailedError(f"documents for files were not ready within {_WORK_SECONDS} s")

    def _import(self, company_key: str, export_id: str, file: dict[str, Any]) -> None:
        """What a person does in Unimicro: download the file, choose its card, tick what must be ticked."""
        content = self._call("GET", f"/v1/exports/{export_id}/file", name=file["name"]).content
        unimicro = self._settings.unimicro_api_base.rstrip("/")
        answer = self._http.post(
            f"{unimicro}/sandbox/companies/{company_key}/import/{file['layout']}",
            content=content,
            params={"tenant": ""},
        )
        log = answer.raise_for_status().json()
        if log["Status"] != "Completed":
            raise DemoFailedError(f"the import of {file['name']} was refused: {'; '.join(log['Faults'])}")
        self._tell(f"Imported {file['name']}: {log['Imported']} taken, {log['Skipped']} skipped.")

    def _show(self, report: dict[str, Any]) -> bool:
        table = Table(title="Read back from Unimicro", title_justify="left", header_style="bold")
        for name in ("RecMan", "Unimicro", "found", "cause"):
            table.add_column(name, overflow="fold")
        for row in report["rows"]:
            table.add_row(row["number"], row["remote_number"], row["outcome"], row["cause"])
        self._console.print(table)
        is_so = bool(report["rows"]) and set(report["counts"]) == {"found"}
        self._console.print(
            "[green]Every document of the file stands in Unimicro as it was exported.[/]"
            if is_so
            else "[red]The file and Unimicro's books do not agree.[/]"
        )
        return is_so

    def _tell(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def _url(self, path: str) -> str:
        return f"{self._settings.public_url}{path}"

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._call("POST", path, body).json()
        return made

    def _get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, **query).json()

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> httpx.Response:
        params = {"tenant": self._tenant, **query} if self._tenant else query
        answer = httpx.request(method, self._url(path), json=body, params=params, headers=self._headers, timeout=60)
        if not answer.is_success:
            raise DemoFailedError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        return answer
