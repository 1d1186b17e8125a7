"""What the machine checks beside its own checks: a refusal says cause and fix, and its code is a described one."""

import re
from typing import Any

from schemathesis import Case, CheckContext, GenerationMode, Response, check

_REFUSALS = range(400, 500)


@check
def refusals_are_described(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Fail where a refusal's code is none of those that the operation names, or a good request is called a bad one."""
    if response.status_code not in _REFUSALS:
        return
    if response.headers["content-type"][0].startswith("text/html"):
        # For a browser: the address of a sign-in alone has such an answer.
        assert case.path.startswith("/oauth/"), case.path
        assert "<h1>" in response.text
        return
    told = response.json()
    assert told["cause"], told
    assert told["fix"], told
    described = case.operation.definition.raw["responses"].get(str(response.status_code))
    if described is not None:
        named = re.findall(r"\w+", described["description"].partition("Codes: ")[2])
        assert told["code"] in named, f"{told['code']} is not described: {told['cause']}"
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        assert told["code"] != "bad_request", f"what the description allows is refused: {told['cause']}"
