"""A file of alarms, read as strictly as `promtool check rules` reads it; the expressions by a parser of PromQL.

Whoever runs the tests needs no Go program for it. Source: the recording and alerting rules of Prometheus' manual.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
import yaml

_GROUP = frozenset({"name", "interval", "limit", "query_offset", "labels", "rules"})
_RULE = frozenset({"alert", "expr", "for", "keep_firing_for", "labels", "annotations"})
_DURATIONS = ("interval", "query_offset", "for", "keep_firing_for")
_NAME = re.compile(r"[a-zA-Z_]\w*")
# The templates that we write; Go's have more.
_TEMPLATE = re.compile(r"\{\{ \$(?:labels\.[a-zA-Z_]\w*|value) \}\}")


class _Strict(yaml.SafeLoader):
    """Takes no name twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = [self.construct_object(key) for key, _ in node.value]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise yaml.YAMLError(f"{', '.join(sorted(twice))} is told twice")
        return super().construct_mapping(node, deep=deep)


def list_file_faults(text: str) -> list[str]:
    """Why Prometheus would not load the file; nothing where it would."""
    try:
        file = yaml.load(text, Loader=_Strict)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.YAMLError as error:
        return [str(error)]
    if not isinstance(file, dict) or set(file) != {"groups"}:
        return ["a file holds groups and nothing else"]
    names = [group.get("name") for group in file["groups"]]
    twice = [f"group {name} is told twice" for name in set(names) if names.count(name) > 1]
    return twice + [fault for group in file["groups"] for fault in _list_of_group(group)]


def _list_of_group(group: Mapping[str, Any]) -> Iterator[str]:
    yield from _list_of_fields(group, _GROUP, needed=("name", "rules"))
    for rule in group.get("rules") or ():
        place = rule.get("alert", "a rule")
        yield from (f"{place}: {fault}" for fault in _list_of_rule(rule))


def _list_of_rule(rule: Mapping[str, Any]) -> Iterator[str]:
    yield from _list_of_fields(rule, _RULE, needed=("alert", "expr"))
    try:
        promql_parser.parse(str(rule.get("expr", "")))
    except ValueError as error:
        yield f"expr: {error}"
    said = {**rule.get("labels", {}), **rule.get("annotations", {})}
    for name, value in said.items():
        if not _NAME.fullmatch(name):
            yield f"{name} is no name of a label"
        if not isinstance(value, str):
            yield f"{name} is no text"
        elif re.search(r"\{\{|\}\}", _TEMPLATE.sub("", value)):
            yield f"{name} has a template that nobody can read"


def _list_of_fields(told: Mapping[str, Any], known: frozenset[str], *, needed: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{name} is no field" for name in told if name not in known)
    yield from (f"{name} is missing" for name in needed if name not in told)
    for name in _DURATIONS:
        try:
            promql_parser.parse_duration(str(told.get(name, "1m")))
        except ValueError as error:
            yield f"{name} is {told[name]}: {error}"
