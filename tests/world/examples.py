"""What an interactive page of the description fills in as a body."""

import json
from pathlib import Path
from typing import Any

DESCRIBED = json.loads((Path(__file__).resolve().parents[2] / "openapi" / "openapi.json").read_text("utf-8"))
_PLAIN = {"string": "string", "integer": 0, "number": 0, "boolean": True, "null": None}
_FORMS = {"uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "date": "2026-12-01", "date-time": "2026-12-01T09:00:00Z"}


def show_example(schema: dict[str, Any]) -> Any:
    """What an interactive page fills in for this schema."""
    if "$ref" in schema:
        return show_example(DESCRIBED["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for said in ("examples", "enum"):
        if said in schema:
            return schema[said][0]
    if "const" in schema or "default" in schema:
        return schema.get("const", schema.get("default"))
    if "anyOf" in schema:
        return show_example(schema["anyOf"][0])
    if schema.get("type") == "object":
        return {name: show_example(one) for name, one in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [show_example(schema["items"])]
    return _FORMS.get(schema.get("format", ""), _PLAIN[schema["type"]])


def list_examples() -> dict[tuple[str, str], Any]:
    """The example of every body, by method and path."""
    return {
        (method.upper(), path): body.get("example", show_example(body["schema"]))
        for path, methods in DESCRIBED["paths"].items()
        for method, operation in methods.items()
        if (body := operation.get("requestBody", {}).get("content", {}).get("application/json"))
    }
