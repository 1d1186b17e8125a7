"""Rules as a file for people: YAML, and with it JSON. Pure; whatever is sent, reading it ends soon."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.constructor import SafeConstructor

from app.domain.reasons.codes import Code
from app.domain.rules import Rules
from app.errors import RequestError

# The parser in C is ten times faster; there are wheels without it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TEXT = "tag:yaml.org,2002:str"
_DEEPEST = 20
# As many as rules of two megabytes may have that say something.
_MOST_PARTS = 400_000
_MOST_TOLD = 20
_LONGEST_SHOWN = 100
_FORM = "Correct the file; GET /v1/rules?format=yaml shows the form."
_CLOSES = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_DOCUMENT_STARTS = yaml.DocumentStartEvent
# A list is written so many rules at a time: of more the library makes objects that keep the whole process waiting.
_WRITTEN_AT_ONCE = 200


def dump_yaml(rules: Mapping[str, Any]) -> str:
    """Rules as a file."""
    return "".join(part for name, value in rules.items() for part in _dump_part(name, value)) or _dump({})


def _dump_part(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not value:
        yield _dump({name: value})
        return
    yield f"{name}:\n"
    for begin in range(0, len(value), _WRITTEN_AT_ONCE):
        yield _dump(value[begin : begin + _WRITTEN_AT_ONCE])


def _dump(part: Any) -> str:
    text: str = yaml.dump(part, Dumper=_DUMPER, allow_unicode=True, sort_keys=False)
    return text


def parse_yaml(text: str) -> Rules:
    """The rules in a file; `{}` are the rules that say nothing.

    Raises:
        RequestError: not YAML, nothing in it, a name given twice, or not rules.
    """
    try:
        found = _load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place is not None else ""
        raise _unreadable(f"The file is no YAML{where}") from error
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


def _unreadable(cause: str, fix: str = _FORM) -> RequestError:
    return RequestError(cause, fix=fix, code=Code.RULES_UNREADABLE)


def _load(text: str) -> Any:
    """What the file holds, made event by event: nothing is larger than it looks, and nothing lies about twice.

    An alias stands for all that its anchor holds: a few of them, one in the other, fill any memory. A tag (`!!bool ja`)
    has the parser trip over what it is put before.
    """
    builder = _Builder()
    for size, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        line = "?" if event.start_mark is None else event.start_mark.line + 1
        if size > _MOST_PARTS:
            raise _unreadable(f"The file has over {_MOST_PARTS} parts")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            fix = "Write out what is meant, without `*` and `!`."
            raise _unreadable(f"There is an alias or a tag in line {line}", fix)
        builder.take(event, line)
    return builder.root


@dataclass(slots=True)
class _Open:
    """A map or a list whose end has not come: what it holds, the name that waits for its value, names by line."""

    parts: dict[Any, Any] | list[Any]
    name: Any = None
    has_name: bool = False
    lines: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any, line: Any, text: str | None) -> None:
        """Take what comes next: a part of a list, the value of a name, or a name."""
        if isinstance(self.parts, list):
            self.parts.append(value)
        elif self.has_name:
            self.parts[self.name] = value
            self.has_name = False
        else:
            self._verify_name(text, line)
            self.name, self.has_name = value, True

    def _verify_name(self, text: str | None, line: Any) -> None:
        if text is None:
            raise _unreadable(f"A name in line {line} is a list or a map")
        if text in self.lines:
            cause = f"“{text[:_LONGEST_SHOWN]}” is given twice: in line {self.lines[text]} and in line {line}"
            raise _unreadable(cause, "Leave one of them out.")
        self.lines[text] = line


class _Builder:
    """Makes a document of events; a name given twice is refused, for a map would keep the last and say nothing."""

    def __init__(self) -> None:
        self.root: Any = None
        self._is_begun = False
        self._open: list[_Open] = []
        self._reader: Any = yaml.SafeLoader("")
        self._known: dict[tuple[str, Any], Any] = {}

    def take(self, event: yaml.Event, line: Any) -> None:
        """Go on with one event.

        Raises:
            RequestError: it is nested too deep, a second document, a name given twice, or no value.
        """
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._read(event, line), line, text=event.value)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], line)
        elif isinstance(event, _CLOSES):
            self._open.pop()
        elif isinstance(event, _DOCUMENT_STARTS):
            if self._is_begun:
                raise _unreadable(f"A second document begins in line {line}")
            self._is_begun = True

    def _begin(self, parts: dict[Any, Any] | list[Any], line: Any) -> None:
        if len(self._open) >= _DEEPEST:
            raise _unreadable(f"The file is nested too deep in line {line}")
        self._put(parts, line)
        self._open.append(_Open(parts))

    def _put(self, value: Any, line: Any, *, text: str | None = None) -> None:
        if self._open:
            self._open[-1].add(value, line, text)
        else:
            self.root = value

    def _read(self, event: yaml.ScalarEvent, line: Any) -> Any:
        place = (event.value, event.implicit)
        if place not in self._known:
            tag = self._reader.resolve(yaml.ScalarNode, event.value, event.implicit)
            # A merge (`<<`) is read as the name it is, which no rule has.
            read = None if tag == _TEXT else SafeConstructor.yaml_constructors.get(tag)
            try:
                node = yaml.ScalarNode(tag, event.value)
                self._known[place] = event.value if read is None else read(self._reader, node)
            except (ValueError, yaml.YAMLError):
                raise _unreadable(f"“{event.value[:_LONGEST_SHOWN]}” in line {line} is no value") from None
        return self._known[place]
