"""The rules of keys, in versions: the only owner of the table `rule_set`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from cachetools import LRUCache
from sqlalchemy import and_, case, false, func, insert, null, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer

from app.domain.money import dump_json
from app.domain.rules import Rules
from app.errors import ChangedError, NotFoundError
from app.platform.aside import run_aside
from app.platform.db import Session
from app.tables import Key, RuleSet

# Rules of earlier releases: stored versions stay as they were made, and are read without these.
_GIVEN_UP = frozenset({"tolerance"})
_BYTES_OF_RULE = 50


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The rules of a key as they were at `read_at`; version 0 means that nobody has made any.

    `makers`: who changed them last, and who made the review as it is; where that wants a second person, everybody who
    made something of what is in force.
    """

    version: int
    rules: Rules
    read_at: datetime
    makers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Kept:
    """The newest version of a key's rules as it was read once; a version never changes."""

    version: int
    made_at: datetime
    rules: Rules
    makers: frozenset[str]


def _weigh(kept: _Kept) -> int:
    return 1 + _count_rules(dict(kept.rules))


# Validated once, and not for every document: thousands of rules would keep a whole process waiting each time.
_MOST_KEPT = 200_000
_kept: LRUCache[UUID, _Kept] = LRUCache(_MOST_KEPT, getsizeof=_weigh)


async def load_rules(session: Session, key_id: UUID) -> RulesInForce:
    """The newest version of the key's rules, and the database's clock."""
    kept = _kept.get(key_id)
    # The clock answers also where there are no rules yet.
    clock = select(func.now().label("now")).subquery()
    is_kept = and_(RuleSet.version == kept.version, RuleSet.made_at == kept.made_at) if kept is not None else false()
    said = case((is_kept, null()), else_=RuleSet.rules)
    query = select(clock.c.now, RuleSet.version, RuleSet.made_at, RuleSet.made_by, RuleSet.review_by, said)
    newest = query.select_from(clock).outerjoin(RuleSet, RuleSet.key_id == key_id).order_by(RuleSet.version.desc())
    read_at, version, made_at, *makers, rules = (await session.execute(newest.limit(1))).one()
    if version is None:
        return RulesInForce(0, Rules(), read_at)
    if kept is None or rules is not None:
        found = await _parse(rules)
        kept = _Kept(version, made_at, found, await _find_makers(session, key_id, found, frozenset(makers)))
        if _weigh(kept) <= _MOST_KEPT:
            _kept[key_id] = kept
    return RulesInForce(version, kept.rules, read_at, kept.makers)


async def _find_makers(session: Session, key_id: UUID, rules: Rules, last: frozenset[str]) -> frozenset[str]:
    return last | list_makers(await list_versions(session, key_id)) if rules.review.second_person else last


async def read_rules(row: RuleSet) -> Rules:
    """The rules of a stored version, without what is no rule any more."""
    return await _parse(row.rules)


async def _parse(said: Mapping[str, Any]) -> Rules:
    """Many of them are read in a thread."""
    size = _count_rules(said) * _BYTES_OF_RULE
    return await run_aside(partial(Rules.model_validate, _drop_given_up(said)), size=size)


def _count_rules(said: Mapping[str, Any]) -> int:
    return sum(len(part) for part in said.values() if isinstance(part, list | dict))


def _drop_given_up(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in _GIVEN_UP}


async def list_versions(session: Session, key_id: UUID, *, with_rules: bool = True) -> Sequence[RuleSet]:
    """Every version, newest first; without their rules where only who made them is asked."""
    query = select(RuleSet).where(RuleSet.key_id == key_id).order_by(RuleSet.version.desc())
    return (await session.scalars(query if with_rules else query.options(defer(RuleSet.rules)))).all()


def list_makers(versions: Sequence[RuleSet]) -> frozenset[str]:
    """Who made what is in force in the newest of all versions, newest first: each field as it is, each rule of a list.

    Or whoever made a rule could approve what it books as soon as another one has changed something else.
    """
    fields: dict[str, str] = {}
    parts: dict[tuple[str, str], str] = {}
    before: dict[str, Any] = {}
    for row in reversed(versions):
        now = _drop_given_up(row.rules)
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        fields |= dict.fromkeys(changed, row.made_by)
        lists = ((name, value) for name, value in now.items() if isinstance(value, list))
        kept = [(name, dump_json(one)) for name, value in lists for one in value]
        parts = {part: parts.get(part, row.made_by) for part in kept}
        before = now
    return frozenset((*fields.values(), *parts.values()))


async def load_version(session: Session, key_id: UUID, version: int) -> RuleSet:
    """One version of the key's rules.

    Raises:
        NotFoundError: there is no such version.
    """
    query = select(RuleSet).where(RuleSet.key_id == key_id, RuleSet.version == version)
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise NotFoundError(f"The key has no rules of version {version}", fix="Take one from GET /v1/rules/versions.")
    return row


async def record_rules(session: Session, key: Key, rules: Rules, *, after_version: int, made_by: str) -> RuleSet:
    """The next version of the key's rules.

    Raises:
        ChangedError: somebody has made another version since `after_version`.
    """
    in_force = await load_rules(session, key.id)
    if in_force.version != after_version:
        raise _overtaken(in_force.version)
    values = {
        "tenant_id": key.tenant_id,
        "key_id": key.id,
        "version": after_version + 1,
        "rules": show_rules(rules),
        "made_by": made_by,
        "review_by": made_by,
    }
    if in_force.version and rules.review == in_force.rules.review:
        # It stays the work of whoever made it so.
        values["review_by"] = (await load_version(session, key.id, in_force.version)).review_by
    try:
        return (await session.scalars(insert(RuleSet).values(values).returning(RuleSet))).one()
    except IntegrityError as error:
        raise _overtaken(after_version + 1) from error


def _overtaken(present: int) -> ChangedError:
    return ChangedError(
        f"The rules are at version {present} by now",
        fix="Read them again, make your change there, and send it with the ETag of that version as `If-Match`.",
    )


def show_rules(rules: Rules) -> dict[str, Any]:
    """The rules as stored and shown: what is left out is not there."""
    shown: dict[str, Any] = rules.model_dump(mode="json", exclude_defaults=True)
    return shown
