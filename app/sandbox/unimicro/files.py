"""The files service: upload, link to a record, list.

Source: docs/facts/unimicro.md §3.8 [O/o]: another field than `File` stores nothing and is answered 200 all the same.
"""

import email
import email.policy
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.sandbox.unimicro.answers import DecimalResponse, Record, denied, not_found
from app.sandbox.unimicro.oauth import Identity


@dataclass(slots=True)
class Files:
    """Uploaded files by id, and which are linked to what."""

    stored: dict[int, Record] = field(default_factory=dict)
    links: set[tuple[int, str, int]] = field(default_factory=set)

    def listed(self, entity: str, entity_id: int) -> list[Record]:
        """The files of one record, without their content."""
        ids = sorted(file for file, name, record in self.links if (name.lower(), record) == (entity.lower(), entity_id))
        return [{key: value for key, value in self.stored[one].items() if key != "content"} for one in ids]


def create_file_routes(identity: Identity, files: Files) -> APIRouter:
    """The routes of the files service, and those of the API that speak of files."""
    router = APIRouter(tags=["files"])

    @router.post("/api/file")
    async def upload(request: Request) -> Response:
        _verify(identity, request)
        parts = _read_form(request.headers.get("content-type", ""), await request.body())
        part = parts.get("File")
        if part is None:
            return DecimalResponse({})
        file_id = len(files.stored) + 1
        content = part.get_payload(decode=True)
        row = {"ID": file_id, "Name": part.get_filename(), "ContentLength": len(content), "content": content}
        files.stored[file_id] = row
        return DecimalResponse({"Id": file_id, "Name": row["Name"], "StorageReference": f"ref-{file_id}"})

    @router.post("/api/biz/files/{file_id:int}")
    async def link(request: Request, file_id: int) -> Response:
        _verify(identity, request)
        query = request.query_params
        if query.get("action") != "link" or file_id not in files.stored:
            raise not_found()
        files.links.add((file_id, query.get("entitytype", ""), int(query.get("entityid", "0"))))
        return Response(status_code=204)

    @router.get("/api/biz/files/{entity}/{entity_id:int}")
    async def list_files(request: Request, entity: str, entity_id: int) -> Response:
        _verify(identity, request)
        skip = int(request.query_params.get("skip", "0"))
        return DecimalResponse(files.listed(entity, entity_id)[skip:])

    return router


def _verify(identity: Identity, request: Request) -> None:
    if not identity.find_claims(request.headers.get("authorization")) or not request.headers.get("companykey"):
        raise denied()


def _read_form(content_type: str, body: bytes) -> dict[str, Any]:
    message = email.message_from_bytes(
        f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=email.policy.HTTP
    )
    if not isinstance(message, EmailMessage) or not message.is_multipart():
        return {}
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    return {str(part.get_param("name", header="content-disposition")): part for part in parts}
