"""What the log promises: nobody's statement is missing or stands open for ever, and no reader sees another's."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
import sqlalchemy

from tests import running, servers
from tests.unit import asked
from undertone import asking, audit, console, database, embedded, store

Execute = Callable[..., list[tuple[object, ...]]]

# Asks something that does not end by itself, of the database at argv[1] with the log at argv[2].
ASKER = """
import sys
import sqlalchemy
from tests.unit import asked
from undertone import asking, console, database
data, store = (database.Database(sqlalchemy.make_url(place), name="x") for place in sys.argv[1:])
opened = asked.opened(data, store)
with asking.stream(opened, asked.question("SELECT generate_series(1, 5)", who="child"), console.Limits()):
    print("asking", flush=True)
    sys.stdin.read()
"""


def begin(pool: database.Database, statement: str = "SELECT 1", **more: Any) -> int:
    options = {
        "who": "ann",
        "how": "page",
        "target": "data",
        "place": "embedded",
        "length": 1000,
        "parameters": {},
        "seconds": 30.0,
    }
    with pool.lend() as connection:
        return audit.begin(connection, statement=statement, **(options | more))


def complete(pool: database.Database, number: int, outcome: str = audit.ANSWERED, **more: Any) -> None:
    options: dict[str, Any] = {"message": None, "seconds": 0.1, "rows": 1}
    with pool.lend() as connection:
        audit.complete(connection, number, outcome, **(options | more))


def ask(pool: database.Database, *statements: str, **more: Any) -> list[int]:
    """Statements that were answered."""
    numbers = [begin(pool, statement, **more) for statement in statements]
    for number in numbers:
        complete(pool, number)
    return numbers


# --- processes that are no more


def test_what_a_killed_process_was_asking_is_lost(
    place: Callable[[str], sqlalchemy.URL], store_pool: database.Database
) -> None:
    addresses = [place(role).render_as_string(hide_password=False) for role in (embedded.READER, embedded.OWNER)]
    child = subprocess.Popen(
        [sys.executable, "-c", ASKER, *addresses],
        cwd=running.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(running.ROOT)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"asking\n"
    own = begin(store_pool)
    assert [(entry.who, entry.outcome) for entry in asked.entries(store_pool)] == [
        ("ann", "running"),
        ("child", "running"),
    ]
    child.send_signal(signal.SIGKILL)
    child.communicate()
    found = asked.entries(store_pool)
    assert [(entry.id == own, entry.outcome) for entry in found] == [(True, "running"), (False, "lost")]
    assert found[1].message == "Who asked it ended before it did."
    assert (found[1].seconds, found[1].rows) == (None, None)


def test_another_process_of_the_same_number_is_not_taken_for_it(
    store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = audit.this_process()
    earlier = dataclasses.replace(own, began=own.began - 3600)
    elsewhere = dataclasses.replace(earlier, host="elsewhere")
    for one in (own, earlier, elsewhere):
        monkeypatch.setattr(audit, "this_process", lambda one=one: one)
        begin(store_pool, who=one.host if one is elsewhere else str(one.began))
    monkeypatch.setattr(audit, "this_process", lambda: own)
    found = {entry.who: entry.outcome for entry in asked.entries(store_pool)}
    assert found == {str(own.began): "running", str(earlier.began): "lost", "elsewhere": "running"}


def test_a_clock_that_was_set_does_not_make_a_living_process_another(
    store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = audit.this_process()
    with monkeypatch.context() as patched:
        patched.setattr(audit, "this_process", lambda: dataclasses.replace(own, began=own.began + 1))
        begin(store_pool)
    assert [entry.outcome for entry in asked.entries(store_pool)] == ["running"]


def test_what_must_have_ended_by_its_limits_is_lost_wherever_it_was_asked(
    store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = audit.this_process()
    monkeypatch.setattr(audit, "this_process", lambda: dataclasses.replace(own, host="elsewhere"))
    begin(store_pool, "over", seconds=-audit.GRACE_SECONDS - 1)
    begin(store_pool, "not over", seconds=-audit.GRACE_SECONDS + 30)
    number = begin(store_pool, "long over", seconds=-audit.GRACE_SECONDS - 1)
    complete(store_pool, number)
    found = {entry.statement: entry.outcome for entry in asked.entries(store_pool)}
    assert found == {"over": "lost", "not over": "running", "long over": "answered"}


def test_what_was_thought_to_be_lost_may_still_be_answered(store_pool: database.Database) -> None:
    number = begin(store_pool, seconds=-audit.GRACE_SECONDS - 1)
    assert asked.entries(store_pool)[0].outcome == "lost"
    complete(store_pool, number, rows=7)
    (entry,) = asked.entries(store_pool)
    assert (entry.outcome, entry.rows, entry.message) == ("answered", 7, None)


def test_a_fork_is_a_process_of_its_own() -> None:
    out, into = os.pipe()
    own = audit.this_process()
    child = os.fork()
    if child == 0:
        os.write(into, str(audit.this_process().number).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(out, 100) == str(child).encode()
    assert own.number == os.getpid()


# --- reading


def test_the_newest_come_first_a_page_at_a_time(store_pool: database.Database) -> None:
    numbers = ask(store_pool, *(f"SELECT {n}" for n in range(7)))
    seen: list[int] = []
    while page := asked.entries(store_pool, most=3, before=seen[-1] if seen else None):
        seen += [entry.id for entry in page]
    assert seen == sorted(numbers, reverse=True)


def test_one_person_or_everybody(store_pool: database.Database) -> None:
    for who in ("ann", "bob", "", "ann%"):
        ask(store_pool, "SELECT 1", who=who)
    assert [entry.who for entry in asked.entries(store_pool, who="ann")] == ["ann"]
    assert [entry.who for entry in asked.entries(store_pool, who="")] == [""]
    assert len(asked.entries(store_pool)) == 4
    assert asked.entries(store_pool, who="ann' OR true --") == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 6),
        ("  ", 6),
        ("select", 6),
        ("100%", 1),
        ("a_b", 1),
        ("\\", 1),
        ("'", 1),
        ("ÄPFEL", 1),
        ("%", 1),
        ("it broke", 1),
        ("\0", 0),
        ("\ud800", 0),
        ("nowhere", 0),
    ],
)
def test_searching(store_pool: database.Database, search: str, found: int) -> None:
    ask(store_pool, "SELECT '100%'", "SELECT a_b", "SELECT \\", "SELECT axb, 1000", "select äpfel")
    complete(store_pool, begin(store_pool, "SELECT 1"), audit.FAILED, message="It broke")
    assert len(asked.entries(store_pool, search=search)) == found


def test_a_search_goes_back_so_far_and_no_further(
    store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(store_pool, *(f"SELECT {n}" for n in range(7)))
    monkeypatch.setattr(audit, "SEARCH_ROWS", 3)
    assert [entry.statement for entry in asked.entries(store_pool, search="SELECT")] == [
        "SELECT 6",
        "SELECT 5",
        "SELECT 4",
    ]
    assert len(asked.entries(store_pool)) == 7


def test_history_uses_the_indexes(execute: Execute) -> None:
    """Not a table that grows for 90 days, read whole whenever somebody looks."""
    execute(
        "INSERT INTO undertone.audit (who, how, target, database, statement, outcome, ends_by, host, process,"
        " process_began) SELECT 'u' || n % 100, 'page', 'data', 'x', repeat('x', 100), 'answered', now(), 'h', 1, 1"
        " FROM generate_series(1, 20000) AS n"
    )
    execute("ANALYZE undertone.audit")
    values = {"who": None, "before": None, "pattern": None, "most": 50, "depth": 100}
    plans = {
        "audit_pkey": (audit.SQL.history.sql, values),
        "audit_who": (audit.SQL.history.sql, values | {"who": "u7"}),
        "audit_running": (audit.SQL.askers.sql, {"host": "h"}),
        "audit_at": (audit.SQL.forget.sql, {"days": 30, "most": 100}),
    }
    for index, (statement, given) in plans.items():
        lines = [str(line) for (line,) in execute(f"EXPLAIN {statement}", given)]
        assert any(index in line for line in lines), lines
        assert not any("Seq Scan" in line for line in lines), lines


# --- writing


def test_a_statement_is_cut_at_a_whole_character(store_pool: database.Database) -> None:
    ask(store_pool, "é" * 100, "x" * 11, "x" * 10, length=10)
    assert [entry.statement for entry in asked.entries(store_pool)] == ["x" * 10, "x" * 10 + "…", "é" * 5 + "…"]


def test_a_store_of_another_encoding_takes_everything(server: servers.Postgresql) -> None:
    make = "CREATE DATABASE latin OWNER {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
    with contextlib.closing(psycopg2.connect(**server.dsn(database="postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(make.format(embedded.OWNER))
            pool = database.Database(
                sqlalchemy.URL.create(
                    "postgresql+psycopg2",
                    username=embedded.OWNER,
                    host="127.0.0.1",
                    port=server.dsn()["port"],
                    database="latin",
                ),
                name="store",
            )
            try:
                store.migrate(pool)
                ask(pool, "SELECT 'é 👍 \0'", who="👍")
                (entry,) = asked.entries(pool, who="👍")
                assert entry.statement == "SELECT '\\xe9 \\U0001f44d \\x00'"
            finally:
                pool.close()
                cursor.execute("DROP DATABASE latin WITH (FORCE)")


def test_forgetting(store_pool: database.Database, execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "FORGET_ROWS", 3)
    ask(store_pool, *(f"SELECT {n}" for n in range(10)))
    execute(
        "UPDATE undertone.audit SET at = at - make_interval(days => id::integer - (SELECT min(id) FROM"
        " undertone.audit)::integer, hours => 1)"
    )
    assert store_pool.ask(audit.forget, 0) == 0
    assert store_pool.ask(audit.forget, 36_500) == 0
    assert store_pool.ask(audit.forget, 2) == 8
    assert [entry.statement for entry in asked.entries(store_pool)] == ["SELECT 1", "SELECT 0"]


def test_no_reader_sees_the_log_or_what_people_saved(
    data_pool: database.Database, store_pool: database.Database
) -> None:
    opened = asked.opened(data_pool, store_pool)
    for table in ("audit", "saved_queries", "saved_versions"):
        with pytest.raises(console.StatementFailed, match="permission denied"):
            asking.run(opened, asked.question(f"TABLE undertone.{table}"), asked.LIMITS)


def test_the_clock_is_the_stores(store_pool: database.Database) -> None:
    ask(store_pool, "SELECT 1")
    assert abs(asked.entries(store_pool)[0].at.timestamp() - time.time()) < 3600
