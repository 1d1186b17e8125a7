"""The sandbox RecMan's other scopes: corporations, jobs, logs, and who answers for a project."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import simplejson

from app.sandbox.recman.app import create_app
from app.sandbox.recman.store import SANDBOX_KEY, RecmanOptions
from app.sandbox.samples import load_samples


def open_client(**options: Any) -> httpx.AsyncClient:
    app = create_app(RecmanOptions(**options))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def read(http: httpx.AsyncClient, scope: str, **params: str) -> Any:
    answer = await http.get("/v2/get/", params={"key": SANDBOX_KEY, "scope": scope, **params})
    assert answer.status_code == 200
    return simplejson.loads(answer.content, use_decimal=True)


@pytest.fixture
async def recman() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as http:
        yield http


async def test_a_corporation_has_an_id_and_a_name_and_no_other_field(recman: httpx.AsyncClient) -> None:
    told = await read(recman, "corporation", fields="name")
    assert told["data"] == {"1": {"corporationId": "1", "name": "Fjellvåk Bemanning"}}
    refused = await read(recman, "corporation", fields="name,phone,address")
    assert [one["message"] for one in refused["error"]] == ["Invalid field: phone", "Invalid field: address"]


async def test_a_job_belongs_to_a_project_of_the_samples(recman: httpx.AsyncClient) -> None:
    jobs = (await read(recman, "job", fields="projectId,responsibleUserId,salary"))["data"]
    projects = {str(one["projectId"]): one for one in load_samples().records["project"]}
    for job in jobs.values():
        project = projects[str(job["projectId"])]
        assert str(job["responsibleUserId"]) == str(project["responsibleUserId"])


async def test_logs_are_filtered_by_what_they_are_about_and_by_the_smallest_id(recman: httpx.AsyncClient) -> None:
    assert set((await read(recman, "log", page="1"))["data"]) == {"90001001", "90001002", "90001003"}
    assert set((await read(recman, "log", userId="402"))["data"]) == {"90001002", "90001003"}
    assert set((await read(recman, "log", projectId="302"))["data"]) == {"90001002"}
    assert set((await read(recman, "log", minLogId="90001003"))["data"]) == {"90001003"}
    assert (await read(recman, "log", minLogId="90001004"))["numRows"] == 0


@pytest.mark.parametrize("needed", [True, False])
async def test_a_log_is_read_without_a_segment_or_not(*, needed: bool) -> None:
    async with open_client(log_needs_segment=needed) as http:
        assert (await read(http, "log", minLogId="1"))["success"] is not needed
        assert (await read(http, "log", minLogId="1", companyId="204"))["numRows"] == 1


async def test_projects_are_found_by_who_answers_for_them_and_one_of_those_has_left(recman: httpx.AsyncClient) -> None:
    assert set((await read(recman, "project", responsibleUserId="401"))["data"]) == {"301"}
    assert set((await read(recman, "project", responsibleUserId="402"))["data"]) == {"302"}
    users = {str(one["user_id"]) for one in load_samples().records["user"]}
    answering = {str(one["responsibleUserId"]) for one in load_samples().records["project"]}
    assert answering - users == {"499"}


@pytest.mark.parametrize("scope", ["corporation", "job", "log"])
async def test_the_other_scopes_can_be_refused_changed_and_listed_as_the_first(scope: str) -> None:
    async with open_client(refused_scopes=frozenset({scope})) as http:
        assert (await read(http, scope))["error"][0]["message"] == "Invalid scope"
    async with open_client(data_shape="list", page_size=1) as http:
        first = (await read(http, scope, page="1"))["data"]
        assert isinstance(first, list)
        assert len(first) == 1
        body = simplejson.dumps({"name": "x"})
        assert (await http.put(f"/sandbox/recman/records/{scope}/90009999", content=body)).status_code == 204
