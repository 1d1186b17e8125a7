"""Rules of the house that no linter knows, read from the code itself; beside each the changes that it must find.

Commits: a row is changed in the transaction of whoever was asked, which is ended in the modules below alone.
Verbs: a function that writes rows, by a statement of its own or by setting a row's attributes, begins with record (a
fact), create (what people name), begin (work), end, accept, claim, renew, release, postpone, wait, wake, pause, rotate,
reseal, forget, prune, erase, rename, remove, revoke, take or use (`VERBS` tells them apart); `load_…` raises where
`find_…` answers None.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.world.house import rules
from tests.world.house.source import House, parse_module, read_house

APP = read_house("app")

# Who ends transactions, and why nobody above it can.
COMMITS = {
    "api": "a door: the request's transaction ends before it is answered",
    "cli": "a door: one order, one transaction",
    "worker": "ends the lane with its event: in one transaction",
    "scheduler": "a door: what the clock begins",
    "platform.db": "migrations, all in one transaction",
    "platform.months": "each month in a transaction of its own, so that nobody waits behind all of them",
    "platform.citus": "each table by itself, so that what is interrupted is gone on with",
    "platform.pruning": "a few rows at a time, so that no lock is held for long",
    "retention": "what a prune took, told when it is through",
    "monitoring.readiness": "looks whether a connection for webhooks is free, and writes nothing",
    "platform.heartbeats": "a sign of life belongs to no transaction",
    "platform.standing": "stays in one to see whether a pooler gives its connection to others",
    "admin.access_tokens": "a renewed token is kept before anybody uses it",
    "admin.connect": "a sign-in has three steps with calls to the identity server between them",
    "admin.unused_grants": "a grant is forgotten once the identity server has revoked it",
    "admin.golive": "an answer is kept before what showed it is taken back",
    "admin.golive_lead": "a lease is seen by other runs at once",
    "admin.trials": "what is about to be made is noted before it is sent",
    "admin.hook_headers": "one statement beside the webhook's own, on the bare driver",
    "admin.hook_shapes": "as much, now and then",
    "engine.ends": "lanes that end with nothing else to write end together",
    "engine.pool": "lends the bare driver's connections; each statement on one is a transaction",
    "engine.inbox": "the webhook's one statement, on the bare driver",
    "engine.loop": "claims and leases are seen by other workers at once",
    "engine.recorded": "what a hook recorded is let go lot by lot",
    "engine.wakeup": "a notice that belongs to no transaction",
    "reading.quota": "a call counts whatever becomes of it",
    "reading.records": "departments that were read for one record serve all",
    "reading.shared_reading": "what is about to be read is noted before RecMan is asked",
    "reading.unshown": "a call that showed nothing counts whatever becomes of its lane",
    "sweep.probe": "a probe asks RecMan between its two transactions",
    "sweep.run": "each page in a transaction of its own, so that a dead worker loses none",
    "clerk.carry_job": "each page in a transaction of its own",
    "clerk.customers.run": "a comparison takes minutes and shows that it lives",
    "clerk.link_by_hand": "Unimicro is asked before what it said is written",
    "transfer.attempts": "`sending` before the call, the outcome after it",
    "transfer.carry": "holds and ends of a run",
    "transfer.context": "the end of a run that has nothing else to write",
    "transfer.describe": "what the overview shows, before anything is decided",
    "transfer.follow": "which drafts and orders were looked at, and which have moved",
    "transfer.followed": "what people in Unimicro made of a draft or an order",
    "transfer.proof": "the one place of a key that is being proven is taken before anything is sent",
    "transfer.leave_booked": "when a booked document was looked for, and how it stood",
    "transfer.link": "what was found in Unimicro",
    "transfer.missing": "the end of a record that RecMan does not show",
    "transfer.offers": "a search in Unimicro that need not be repeated",
    "transfer.run": "steps of a run",
    "transfer.collect": "what goes into a file, with the end of its run",
    "transfer.run_found": "a document that is taken over",
    "transfer.series": "a key that is stopped stays so, whatever becomes of the document",
    "transfer.part": "the transfer of a customer, project or department, before its steps",
    "transfer.run_parts": "steps of a customer, project or product",
    "files.drop": "a file is moved between two commits, so that a crash is seen",
    "files.read_back": "each document in a transaction of its own: Unimicro is asked in between",
    "sandbox": "no database: a stand-in's own lock",
}

# What writes rows, by its first word.
VERBS = {
    "record": "a fact about what is there: an outcome, a setting, a decision",
    "create": "a thing that people name: tenant, hook, token, key, job, sign-in",
    "begin": "work that goes on: a sweep, a customer check",
    "end": "the same: a sweep, a job",
    "accept": "a hint into the inbox; a check's findings when a person says so",
    "claim": "a lane, a transfer, a name: mine until I let go",
    "renew": "a lease that is still mine",
    "release": "what was claimed, or served",
    "postpone": "a lane, unfinished",
    "wait": "a lane, for another record",
    "wake": "lanes that wait or rest",
    "prune": "what was kept for long enough",
    "erase": "what a person wants gone",
    "pause": "a key",
    "rotate": "a secret, which gets a successor",
    "reseal": "secrets, with the newest encryption key",
    "forget": "what was seen and never told",
    "rename": "a tenant",
    "remove": "a key, whose row stays",
    "revoke": "a token",
    "take": "a sign-in's way back, once",
    "use": "what a sign-in gave, once",
}

# The plan and the domain compute; these are the words they do it with.
PURE = ("domain", "transfer.plan")
PLAIN = (
    *(
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "functools",
        "hashlib",
        "itertools",
        "re",
        "typing",
    ),
    # Numbers, texts and forms, nothing outside the process.
    *("pydantic", "pydantic_core", "rapidfuzz", "simplejson", "stdnum", "unicodedata", "yaml"),
    *("app.domain", "app.errors", "app.transfer.plan"),
)
IMPURE = (
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "open",
    "print",
    "input",
)

# The client in `platform.http` caps size and time of every answer; these would not.
NETWORK = ("urllib.request", "http.client", "socket", "ftplib", "smtplib", "asyncio.open_connection")

# Imports inside functions and by name, and why they stay.
HIDDEN = {
    "cli.commands": "`serve` and `worker` load neither stand-ins nor a Postgres",
    "cli.described": "only who describes builds every route of the API",
    "cli.start": "`serve` and `worker` load neither stand-ins nor a Postgres",
    "cli.processes": "only who serves builds every route of the API",
    "embedded.install": "looks for an installed package by name",
    "platform.http": "takes httpx2 where it is installed, as authlib does",
}


def test_transactions_end_where_they_are_listed_and_never_in_whoever_was_given_a_session() -> None:
    assert rules.find_commits(APP, COMMITS) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        ("admin/keys.py", "await session.flush()", "await session.commit()", "commits"),
        (
            "transfer/log.py",
            "",
            "async def record(sessions):\n    async with sessions.begin():\n        pass",
            "commits",
        ),
        ("clerk/jobs.py", "", "end = Session.commit", "commits"),
        ("admin/rules.py", "", 'end = getattr(Session, "commit")', "commits"),
        ("admin/audit.py", "", 'STEP = {"isolation_level": "AUTOCOMMIT"}', "commits"),
        ("engine/lanes.py", "", "async def renew_all(pool):\n    await pool.acquire()", "commits"),
        ("engine/lanes.py", "", "async def renew_all(resources):\n    return lease_connection(resources)", "commits"),
        (
            "transfer/doubles.py",
            "await _record_freed(session, transfer_id)",
            "await session.commit()",
            "wake_doubles commits",
        ),
        (
            "transfer/offers.py",
            "run.sessions.begin()",
            "run.sessions()",
            "transfer.offers is listed and commits nothing",
        ),
    ],
)
def test_a_commit_elsewhere_is_found(path: str, old: str, new: str, found: str) -> None:
    assert_found(rules.find_commits(APP.changed(path, old, new), COMMITS), path, found)


def test_what_loads_raises_and_what_finds_answers_none() -> None:
    assert rules.find_weak_verbs(APP) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        (
            "transfer/log.py",
            "tenant_id: UUID | None) -> Transfer:",
            "tenant_id: UUID | None) -> Transfer | None:",
            "load_transfer",
        ),
        (
            "admin/keys.py",
            "load_key(session: Session, key_id: UUID, *, lock: bool = False) -> Key",
            "load_key() -> Optional[Key]",
            "load_key",
        ),
        ("clerk/jobs.py", 'raise NotFoundError(f"There is no job', 'return None\n    print(f"', "load_job"),
        (
            "admin/hooks.py",
            "return hook if is_good else None",
            'raise NotFoundError("")',
            "find_hook",
        ),
    ],
)
def test_a_weak_verb_is_found(path: str, old: str, new: str, found: str) -> None:
    assert_found(rules.find_weak_verbs(APP.changed(path, old, new)), path, found)


def test_who_writes_rows_says_so() -> None:
    assert rules.find_wrong_writers(APP, VERBS) == []
    assert [verb for verb in VERBS if verb not in str(__doc__)] == []


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        ("transfer/log.py", "def record_values(", "def set_values(", "set_values"),
        ("engine/lanes.py", "def wake_tenant(", "def touch_tenant(", "touch_tenant"),
        ("engine/inbox.py", "def accept_at_once(", "def store_at_once(", "store_at_once"),
        ("admin/rules.py", "def record_rules(", "def save_rules(", "save_rules"),
        ("sweep/sightings.py", "def forget_untold(", "def record_untold(", "“forget” is listed"),
        # Attributes of a row, of a parameter, of what was loaded or looped over, and by the column's name.
        ("admin/tokens.py", "def revoke_token(", "def drop_token(", "drop_token"),
        ("admin/keys.py", "def record_key_change(", "def change_key(", "change_key"),
        ("admin/hooks.py", "def reseal_hooks(", "def refresh_hooks(", "refresh_hooks"),
        ("sweep/run.py", "def _begin_next_scope(", "def _next_scope(", "_next_scope"),
        ("clerk/carry_job.py", "            _record_page(job, page)", "            job.sent += len(page)", "carry_job"),
        ("admin/tenants.py", "def rename_tenant(", "def record_tenant_name(", "“rename” is listed"),
    ],
)
def test_a_writer_of_another_name_is_found(path: str, old: str, new: str, found: str) -> None:
    assert_found(rules.find_wrong_writers(APP.changed(path, old, new), VERBS), path, found)


def test_modules_and_functions_can_be_read_in_one_go() -> None:
    assert rules.find_long(APP, module_lines=350, function_lines=50) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("_log = get_logger", "\n" * 300 + "_log = get_logger", "at most 350"),
        (
            "    while not stop.is_set():\n",
            "    while not stop.is_set():\n" + "        pass\n" * 50,
            "run_schedule has",
        ),
    ],
)
def test_what_is_too_long_is_found(old: str, new: str, found: str) -> None:
    wrong = rules.find_long(APP.changed("scheduler.py", old, new), module_lines=350, function_lines=50)
    assert_found(wrong, "scheduler.py", found)


def test_errors_are_drawn_as_they_are() -> None:
    assert rules.find_undrawn_errors(APP) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        (
            "errors.py",
            "class TooLargeError(RequestError, ",
            "class TooLargeError(ServiceError, ",
            "TooLargeError(ServiceError)",
        ),
        ("errors.py", "── KeyPausedError ", "── KeysPausedError ", "KeyPausedError(ServiceError)"),
        (
            "sweep/run.py",
            "",
            "class PageLostError(RemoteUnavailableError):\n    pass",
            "PageLostError(RemoteUnavailableError)",
        ),
        (
            "errors.py",
            "class SecretUnreadableError(ServiceError, ",
            "class SecretUnreadableError(Exception, ",
            "SecretUnreadableError",
        ),
    ],
)
def test_an_error_that_is_not_drawn_is_found(path: str, old: str, new: str, found: str) -> None:
    assert_found(rules.find_undrawn_errors(APP.changed(path, old, new)), "", found)


def test_the_plan_and_the_domain_compute_and_do_nothing_else() -> None:
    assert rules.find_impure(APP, PURE, PLAIN, IMPURE) == []


@pytest.mark.parametrize(
    ("path", "new", "found"),
    [
        ("transfer/plan/go_live.py", "import time", "uses time"),
        (
            "transfer/plan/credit.py",
            "import datetime as clock\nNOW = clock.datetime.now()",
            "uses datetime.datetime.now",
        ),
        ("transfer/plan/steps.py", "from uuid import uuid4", "uses uuid.uuid4"),
        ("domain/money.py", "import os", "uses os"),
        ("domain/rules.py", "FILE = open('rules.yaml')", "uses open"),
        ("domain/parties.py", "from datetime import date\nTODAY = date.today", "uses datetime.date.today"),
        ("domain/documents.py", "def later() -> None:\n    from app.tables import Key", "uses app.tables.Key"),
        ("transfer/plan/parts.py", "from app.transfer import log", "uses app.transfer.log"),
    ],
)
def test_what_is_not_pure_is_found(path: str, new: str, found: str) -> None:
    assert_found(rules.find_impure(APP.changed(path, "", new), PURE, PLAIN, IMPURE), path, found)


def test_imports_stand_on_top_of_their_module() -> None:
    assert rules.find_hidden_imports(APP, HIDDEN) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("transfer/run.py", "def late() -> None:\n    import app.accounting.unimicro.client as y"),
        ("worker.py", 'import importlib\nclient = importlib.import_module("app.accounting.unimicro.client")'),
        ("api/keys.py", 'client = __import__("app.accounting.unimicro.client")'),
        ("admin/keys.py", "from . import tokens"),
        ("reading/quota.py", 'exec("import httpx")'),
    ],
)
def test_a_hidden_import_is_found(path: str, new: str) -> None:
    assert_found(rules.find_hidden_imports(APP.changed(path, "", new), HIDDEN), path, "imports what nobody sees")


def test_nobody_speaks_to_the_network_by_the_standard_library() -> None:
    assert rules.find_origins(APP, NETWORK, allowed=["sandbox.demo_settings", "cli.door", "cli.processes"]) == []


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ("from urllib import request", "uses urllib.request"),
        ("from urllib.request import urlopen", "uses urllib.request.urlopen"),
        ("import http.client", "uses http.client"),
        ("import asyncio\nCALL = asyncio.open_connection", "uses asyncio.open_connection"),
    ],
)
def test_a_call_past_the_http_client_is_found(new: str, found: str) -> None:
    changed = APP.changed("accounting/unimicro/directory.py", "", new)
    assert_found(rules.find_origins(changed, NETWORK, allowed=()), "accounting/unimicro/directory.py", found)


def test_rows_are_locked_in_one_way_alone_which_reads_them_again() -> None:
    assert rules.find_word(APP, "with_for_update", allowed="platform.db") == []
    changed = APP.changed("admin/keys.py", "locked(query) if lock", "query.with_for_update() if lock")
    assert_found(rules.find_word(changed, "with_for_update", allowed="platform.db"), "admin/keys.py", "with_for_update")


def assert_found(wrong: list[str], path: str, found: str) -> None:
    """The rule names the place, or the list, that was changed."""
    assert any(found in one and (one.startswith(path) or "listed" in one) for one in wrong), wrong


def test_rules_are_shown_every_node_but_operators() -> None:
    signs = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
    for module in (APP.modules["transfer/carry.py"], parse_module("a.py", Path(__file__).read_text(encoding="utf-8"))):
        wanted = Counter(type(node) for node in ast.walk(ast.parse(module.text)) if not isinstance(node, signs))
        assert {kind: len(module.each(kind)) for kind in wanted} == wanted


def test_a_change_that_changes_nothing_is_no_proof() -> None:
    with pytest.raises(LookupError):
        APP.changed("worker.py", "what does not stand there", "")
    assert isinstance(APP.with_module("new/room.py", ""), House)
