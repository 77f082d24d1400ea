"""Nothing honest is refused, and nothing passes that is not a question.

The corpus is asked as the embedded server's reader, and as an account that somebody brought, which owns its tables.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.sql
import pytest
import sqlalchemy

from tests import servers
from tests.unit import aftermath, corpus, statements, worlds
from undertone import console, database, reach, values

ACCOUNTS = ("reader", "owner")
QUICK = console.Limits(seconds=0.3, rows=1_000, bytes=1_000_000)
ENDLESS = {"endless"}
GROWTH = 100_000_000  # bytes
_numbers = itertools.count(1)
REFUSED, ANSWERED = corpus.refused(), corpus.answered()
SNEAKY, HIDDEN, MEMORY, VARYING = (
    corpus.flat(corpus.read(f"{name}.txt")) for name in ("sneaky", "hidden", "memory", "varying")
)
Connect = Callable[[str], Any]


@pytest.fixture(scope="module")
def embedded_world() -> Iterator[aftermath.Watched]:
    with worlds.embedded() as found:
        yield found


@pytest.fixture(scope="module")
def brought_server() -> Iterator[servers.Postgresql]:
    with worlds.somebodys_server() as server:
        yield server


@pytest.fixture(scope="module")
def brought_world(
    brought_server: servers.Postgresql, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[aftermath.Watched]:
    with worlds.brought(brought_server, tmp_path_factory.mktemp("brought")) as found:
        yield found


@pytest.fixture(params=ACCOUNTS)
def world(request: pytest.FixtureRequest) -> aftermath.Watched:
    fixture = {"reader": "embedded_world", "owner": "brought_world"}[request.param]
    found: aftermath.Watched = request.getfixturevalue(fixture)
    return found


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach.Reach, "refusal", lambda reached: None)


def outcome(world: aftermath.Watched, statement: str, limits: console.Limits = QUICK) -> str:
    """How asking ended, in a few words."""
    assert world.pool is not None
    try:
        result = console.run(world.pool, statement, limits)
    except console.StatementError as error:
        one_line = str(error) and "\n" not in str(error)
        return type(error).__name__ if one_line else f"an error that does not fit on a line: {error!r}"
    return f"truncated: {result.truncated}" if result.truncated else "answered"


def shown(statement: str) -> str:
    return repr(statement if len(statement) < 200 else f"{statement[:100]} … {statement[-60:]}")


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus.flat(REFUSED)) >= 150
    assert len(corpus.flat(ANSWERED)) + len(statements.ANSWERED) >= 150
    assert all(len(set(found)) == len(found) for found in (SNEAKY, HIDDEN, MEMORY, VARYING, corpus.BOMBS))


@pytest.mark.parametrize("group", REFUSED)
def test_what_must_not_pass_ends_in_an_error_and_leaves_nothing(world: aftermath.Watched, group: str) -> None:
    wrong = []
    for statement in REFUSED[group]:
        said = outcome(world, statement)
        if not said.startswith("Statement"):
            wrong.append(f"{shown(statement)} passed: {said}")
        elif group in ENDLESS and said != "StatementLimited":
            wrong.append(f"{shown(statement)} was not stopped: {said}")
        if left := world.left():
            wrong.append(f"{shown(statement)} left {'; '.join(left)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("statement", SNEAKY)
def test_what_the_server_calls_harmless_leaves_nothing_either(world: aftermath.Watched, statement: str) -> None:
    said = outcome(world, statement)
    assert (said, world.left()) == (said, [])


@pytest.mark.parametrize("statement", HIDDEN)
def test_what_hides_what_it_calls_is_refused(world: aftermath.Watched, statement: str) -> None:
    said = outcome(world, statement)
    assert (said, world.left()) == ("StatementRefused", [])


@pytest.mark.parametrize("statement", HIDDEN)
def test_what_hides_what_it_calls_does_harm_where_only_rights_stop_it(
    brought_world: aftermath.Watched, embedded_world: aftermath.Watched, unseen: None, statement: str
) -> None:
    """The control: without a look at what is reached an owner's other sessions end, and a reader has no right to it."""
    outcome(brought_world, statement)
    assert any(what.startswith("another session has ended") for what in brought_world.left())
    said = outcome(embedded_world, statement)
    assert (said, embedded_world.left()) == ("StatementFailed", [])


def test_what_keeps_a_parser_busy_leaves_nothing(world: aftermath.Watched) -> None:
    wrong = []
    for statement in corpus.BOMBS:
        outcome(world, statement)
        if left := world.left():
            wrong.append(f"{shown(statement)} left {'; '.join(left)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("statement", MEMORY)
def test_what_would_fill_the_memory_does_not(world: aftermath.Watched, statement: str) -> None:
    before = memory("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    said = outcome(world, statement, console.Limits(seconds=2))
    assert said != "answered"
    assert memory("VmHWM") - before < GROWTH
    assert world.left() == []


def memory(what: str) -> int:
    """Bytes of this process that are in memory, now (VmRSS) or at most so far (VmHWM)."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"this kernel does not say {what}")


@pytest.mark.parametrize("group", ANSWERED)
def test_what_reads_is_answered_as_postgresql_answers(world: aftermath.Watched, group: str) -> None:
    assert world.pool is not None
    wrong = []
    for statement in ANSWERED[group]:
        try:
            rows = console.run(world.pool, statement).rows
        except console.StatementError as error:
            wrong.append(f"{shown(statement)} was not answered: {type(error).__name__} {error}")
        else:
            # As text: NaN is not equal to itself.
            if repr(rows) != repr(expected := plainly(world.pool, statement)):
                wrong.append(f"{shown(statement)} gave {rows} instead of {expected}")
        if left := world.left():
            wrong.append(f"{shown(statement)} left {'; '.join(left)}")
    assert not wrong, "\n".join(wrong)


def plainly(pool: database.Database, statement: str) -> list[tuple[object, ...]]:
    """What the account is answered without us, in a transaction of the same kind."""
    with pool.lend() as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        try:
            cursor = values.as_written(connection.cursor())
            cursor.execute("SET LOCAL statement_timeout = '20s'; SET LOCAL max_parallel_workers_per_gather = 0")
            cursor.execute(statement)
            rows: list[tuple[object, ...]] = cursor.fetchall()
            return rows
        finally:
            connection.rollback()
            connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT")


def test_what_is_not_the_same_twice_is_answered(world: aftermath.Watched) -> None:
    wrong = []
    for statement in VARYING:
        if (said := outcome(world, statement, console.Limits())) != "answered":
            wrong.append(f"{shown(statement)}: {said}")
        if left := world.left():
            wrong.append(f"{shown(statement)} left {'; '.join(left)}")
    assert not wrong, "\n".join(wrong)


def test_answers_that_are_written_down_are_given(world: aftermath.Watched) -> None:
    assert world.pool is not None
    wrong = []
    for statement, expected in statements.ANSWERED:
        rows = console.run(world.pool, statement).rows
        if expected is not None and rows != expected:
            wrong.append(f"{shown(statement)} gave {rows}")
    assert (wrong, world.left()) == ([], [])


class Naive:
    """What a console does that trusts READ ONLY: the statement is sent as it is, in a transaction that is committed."""

    def __init__(self, address: sqlalchemy.URL) -> None:
        self._address = address
        self._connection = worlds.connect(address)

    def run(self, statement: str) -> None:
        if self._connection.closed:
            self._connection = worlds.connect(self._address)
        with contextlib.suppress(psycopg2.Error, UnicodeError, ValueError):
            self._connection.cursor().execute("BEGIN READ ONLY; SET LOCAL statement_timeout = 300")
            self._connection.cursor().execute(statement)
        with contextlib.suppress(psycopg2.Error):
            self._connection.cursor().execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


# What gets past READ ONLY and COMMIT, whatever else does.
ESCAPES = (
    "SELECT 1; COMMIT; DROP TABLE people",
    "EXPLAIN ANALYZE CREATE TABLE stolen AS SELECT * FROM parts",
    "EXPLAIN ANALYZE SELECT * INTO taken FROM parts",
    "SELECT pg_notify('undertone', 'x')",
    "SELECT pg_advisory_lock(1)",
    "EXPLAIN ANALYZE CREATE TEMPORARY TABLE mine AS SELECT 1",
    "SELECT * FROM v_lock",
    "SELECT * FROM v_kill",
    "SELECT txid_current()",
)


def test_a_naive_lane_would_have_been_caught(brought_server: servers.Postgresql) -> None:
    """The negative control: the same statements and the same looking afterwards, without the lane."""
    caught: dict[str, list[str]] = {}
    # What fills the server's table of locks would end the looking, too.
    groups = [found for group, found in REFUSED.items() if group not in (*ENDLESS, "time")]
    everything = [statement for found in groups for statement in found if "100000" not in statement]
    for name, asked in (("naive_one", ESCAPES), ("naive_all", everything)):
        worlds.make(brought_server, name)
        with contextlib.ExitStack() as stack:

            def session(role: str, name: str = name, stack: contextlib.ExitStack = stack) -> Any:
                return stack.enter_context(
                    contextlib.closing(worlds.connect(worlds.address(brought_server, role, name)))
                )

            others = [functools.partial(session, role) for role in (worlds.BROUGHT, "postgres")]
            world = aftermath.Watched(None, session("postgres"), others)
            naive = stack.enter_context(contextlib.closing(Naive(worlds.address(brought_server, worlds.BROUGHT, name))))
            for statement in asked:
                naive.run(statement)
                if left := world.left():
                    caught.setdefault(statement, left)
    assert [statement for statement in ESCAPES if statement not in caught] == []
    assert len(caught) >= 20


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("INSERT INTO parts VALUES (1, 'x')", "public.parts"),
        ("SELECT nextval('numbers')", "public.numbers"),
        ("SELECT lo_create(0)", "pg_catalog.pg_largeobject_metadata"),
        ("ALTER ROLE brought SET work_mem = '1MB'", "pg_catalog.pg_db_role_setting"),
        ("COMMENT ON TABLE parts IS 'x'", "pg_catalog.pg_description"),
        ("ANALYZE parts", "pg_catalog.pg_statistic"),
        ("DROP TABLE parts", "public.parts"),
    ],
)
def test_each_part_of_the_fingerprint_can_fail(brought_server: servers.Postgresql, statement: str, part: str) -> None:
    name = f"fingerprint_{next(_numbers)}"
    worlds.make(brought_server, name)
    with contextlib.ExitStack() as stack:
        owner, superuser = (
            stack.enter_context(contextlib.closing(worlds.connect(worlds.address(brought_server, role, name))))
            for role in (worlds.BROUGHT, "postgres")
        )
        world = aftermath.Watched(None, superuser, [])
        assert world.left() == []
        worlds.execute(owner, statement)
        assert part in world.left()
