"""Prometheus' text format and its rules for names, read as strictly as `promtool check metrics` reads them.

Whoever runs the tests needs no Go program for it. Source: the text format 0.0.4 of Prometheus, and the package
`promlint` of its Go client.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_]\w*"
_LABEL = rf'({_NAME})="((?:[^"\\\n]|\\[\\"n])*)"'
_HELP = re.compile(rf"# HELP ({_NAME}) (\S.*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram|summary|untyped)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{((?:{_LABEL})(?:,{_LABEL})*)\}})? (\S+)")
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
# Units that are not the base of their kind, in full and in short.
_MULTIPLES = re.compile(
    "(?:pico|nano|micro|milli|centi|deci|kilo|mega|giga|tera|peta|kibi|mebi|gibi|tebi)"
    "(?:seconds|bytes|meters|metres|grams|joules|volts|amperes)"
)
_OTHER_UNITS = frozenset({"minutes", "hours", "days", "weeks", "bits"})
_ABBREVIATIONS = frozenset({"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"})
_TYPES = frozenset({"counter", "gauge", "histogram", "summary"})


@dataclass(slots=True)
class _Family:
    """A metric with its samples: each by its name and labels."""

    name: str
    kind: str = ""
    samples: list[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=list)

    def owns(self, sample: str) -> bool:
        return sample in {self.name + part for part in _PARTS.get(self.kind, ("",))}


def list_format_faults(text: str) -> list[str]:
    """What of a page Prometheus would refuse, or its own tool would warn of; nothing where all is well."""
    families: dict[str, _Family] = {}
    faults = list(_read(text, families))
    return faults + [fault for family in families.values() for fault in _list_of_family(family)]


def _read(text: str, families: dict[str, _Family]) -> Iterator[str]:
    if not text.endswith("\n"):
        yield "the last line does not end"
    current = _Family("")
    for line in text.splitlines():
        if told := _HELP.fullmatch(line):
            if told[1] in families:
                yield f"{told[1]} is told twice"
            current = families[told[1]] = _Family(told[1])
        elif told := _TYPE.fullmatch(line):
            if told[1] != current.name or current.kind:
                yield f"the type of {told[1]} does not follow its help"
            current.kind = told[2]
        else:
            yield from _read_sample(line, current)


def _read_sample(line: str, family: _Family) -> Iterator[str]:
    told = _SAMPLE.fullmatch(line)
    if told is None or not _is_number(told.groups()[-1]):
        yield f"nobody can read {line!r}"
        return
    if not family.kind or not family.owns(told[1]):
        yield f"{told[1]} does not stand below its own name"
    labels = tuple(sorted(re.findall(_LABEL, told[2] or "")))
    if len(dict(labels)) != len(labels):
        yield f"{told[1]} has a label twice"
    if (told[1], labels) in family.samples:
        yield f"{told[1]} is told twice of {dict(labels)}"
    family.samples.append((told[1], labels))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(?:Inf|\d+(?:\.\d*)?(?:e[+-]?\d+)?)|NaN", text) is not None


def _list_of_family(family: _Family) -> Iterator[str]:
    words = family.name.split("_")
    if family.kind == "counter" and words[-1] != "total":
        yield f"{family.name} is a counter without _total"
    reserved = {"counter": set(), "histogram": set()}.get(family.kind, {"total"}) | {"bucket", "count", "sum"}
    if words[-1] in reserved:
        yield f"{family.name} ends like a part of another kind"
    if _TYPES & set(words):
        yield f"{family.name} names its type"
    if any(_MULTIPLES.fullmatch(word) or word in _OTHER_UNITS for word in words):
        yield f"{family.name} has a unit that is no base unit"
    if _ABBREVIATIONS & set(words[1:]):
        yield f"{family.name} has an abbreviated unit"
    if re.search(r"[a-z][A-Z]", family.name):
        yield f"{family.name} is in camel case"
    for _, labels in family.samples:
        yield from _list_of_labels(family, dict(labels))


def _list_of_labels(family: _Family, labels: Mapping[str, str]) -> Iterator[str]:
    for label in labels:
        if re.search(r"[a-z][A-Z]", label) or label.startswith("__"):
            yield f"{family.name} has the label {label}"
    if ("le" in labels and family.kind != "histogram") or ("quantile" in labels and family.kind != "summary"):
        yield f"{family.name} has a label of another kind"
