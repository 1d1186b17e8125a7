"""Rules as a file for people: YAML, and with it JSON. Pure; whatever is sent, reading it ends soon."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from app.domain.reasons.codes import Code
from app.domain.rules import Rules
from app.errors import RequestError

# The parser in C is ten times faster, but dies of deep nesting; rules have four levels.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20
# As many as rules of two megabytes may have that say something.
_MOST_PARTS = 400_000
_MOST_TOLD = 20
_FORM = "Correct the file; GET /v1/rules?format=yaml shows the form."
_OPENS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSES = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def dump_yaml(rules: Mapping[str, Any]) -> str:
    """Rules as a file."""
    return yaml.safe_dump(dict(rules), allow_unicode=True, sort_keys=False)


def parse_yaml(text: str) -> Rules:
    """The rules in a file; `{}` are the rules that say nothing.

    Raises:
        RequestError: not YAML, nothing in it, a name given twice, or not rules.
    """
    try:
        found = _load(text)
    except (yaml.YAMLError, ValueError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place is not None else ""
        raise RequestError(f"The file is no YAML{where}", fix=_FORM, code=Code.RULES_UNREADABLE) from error
    if found in (None, [], "") or _says_nothing(found):
        # Most likely an accident: a file that was not saved, a variable that was not set, a form not filled in.
        raise RequestError(
            "There are no rules in what was sent", fix="Send `{}` to take every rule back.", code=Code.RULES_EMPTY
        )
    try:
        return Rules.model_validate(found)
    except ValidationError as error:
        wrong = error.errors()[:_MOST_TOLD]
        places = "; ".join(f"{'.'.join(map(str, part['loc'])) or 'rules'}: {_say(part['msg'])}" for part in wrong)
        raise RequestError(
            f"The rules cannot be used: {places}", fix="Correct them.", code=Code.RULES_UNUSABLE
        ) from error


def _say(message: str) -> str:
    """A finding without the words that Pydantic puts before our own."""
    return message.removeprefix("Value error, ")


def _says_nothing(found: Any) -> bool:
    return isinstance(found, dict) and bool(found) and all(value is None for value in found.values())


def _load(text: str) -> Any:
    _verify_form(text)
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _verify_names(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _verify_form(text: str) -> None:
    """Make sure that what comes is as large as it looks, before anything is made of it.

    An alias stands for all that its anchor holds: a few of them, one in the other, fill any memory. A tag (`!!bool ja`)
    has the parser trip over what it is put before.
    """
    depth = 0
    for size, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        if depth > _DEEPEST or size > _MOST_PARTS:
            cause = "The file is nested too deep" if depth > _DEEPEST else f"The file has over {_MOST_PARTS} parts"
            raise RequestError(cause, fix=_FORM, code=Code.RULES_UNREADABLE)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            line = "?" if event.start_mark is None else event.start_mark.line + 1
            cause = f"There is an alias or a tag in line {line}"
            raise RequestError(cause, fix="Write out what is meant, without `*` and `!`.", code=Code.RULES_UNREADABLE)


def _verify_names(root: yaml.Node) -> None:
    """The parser would keep the last of two equal names and say nothing."""
    for mapping in _walk(root):
        lines: dict[str, int] = {}
        for name in (pair[0] for pair in mapping.value if isinstance(pair[0], yaml.ScalarNode)):
            line = name.start_mark.line + 1
            if name.value in lines:
                cause = f"“{name.value[:100]}” is given twice: in line {lines[name.value]} and in line {line}"
                raise RequestError(cause, fix="Leave one of them out.", code=Code.RULES_UNREADABLE)
            lines[name.value] = line


def _walk(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            yield node
            waiting += [part for pair in node.value for part in pair]
