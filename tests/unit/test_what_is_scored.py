"""Whatever the texts come from, a run after a change does what has changed, and marks what is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest

from tests import servers
from tests.unit import scored
from undertone import database, library

ROWS = 60
ODD = 'Wéird %s "Táble" {x} $1 :n \\ 評論; --'
ODD_KEY, ODD_TEXT = 'K% "i d"', "bo'dy %(x)s {}"
GRANT = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC"
BASE = "id int PRIMARY KEY, title text, body text, kind text"
REMOTE = (
    "CREATE EXTENSION postgres_fdw",
    "CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}', dbname '{name}')",
    "CREATE USER MAPPING FOR PUBLIC SERVER here OPTIONS (user 'postgres', password_required 'false')",
    "CREATE FOREIGN TABLE far (id int NOT NULL, title text, body text, kind text) SERVER here"
    " OPTIONS (schema_name 'public', table_name 'base')",
)
FILE = (
    "COPY base TO '{folder}/base.csv' (FORMAT csv)",
    "CREATE EXTENSION file_fdw",
    "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
    "CREATE FOREIGN TABLE filed (id int NOT NULL, title text, body text, kind text) SERVER files"
    " OPTIONS (filename '{folder}/base.csv', format 'csv')",
)


@dataclass(frozen=True)
class Kind:
    """A way for the rows of `base` to become something that is scored."""

    relation: str
    column: str = "body"
    made: tuple[str, ...] = ()  # in the data, by its superuser
    after: tuple[str, ...] = ()  # each time that base has changed
    options: dict[str, Any] = field(default_factory=dict)
    saved: str = ""


KINDS = {
    "a view": Kind("seen", made=("CREATE VIEW seen AS SELECT * FROM base",), options={"key": ["id"]}),
    "a materialised view": Kind(
        "kept",
        made=("CREATE MATERIALIZED VIEW kept AS SELECT * FROM base",),
        after=("REFRESH MATERIALIZED VIEW kept",),
        options={"key": ["id"]},
    ),
    "a partitioned table": Kind(
        "parts",
        made=(
            f"CREATE TABLE parts ({BASE}) PARTITION BY RANGE (id)",
            "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (25)",
            "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (25) TO (50)",
            "CREATE TABLE parts_3 PARTITION OF parts DEFAULT",
        ),
        after=("DELETE FROM parts", "INSERT INTO parts SELECT * FROM base"),
    ),
    "a table with odd names": Kind(
        f'public."{ODD.replace(chr(34), chr(34) * 2)}"',
        ODD_TEXT,
        made=('CREATE TABLE "{odd}" ("{key}" int PRIMARY KEY, "{text}" text, "Kind %" text)',),
        after=('DELETE FROM "{odd}"', 'INSERT INTO "{odd}" SELECT id, body, kind FROM base'),
        options={"context": ["Kind %"]},
    ),
    "a foreign table": Kind("far", made=REMOTE, options={"key": ["id"]}),
    "a file": Kind("filed", made=FILE, after=FILE[:1], options={"key": ["id"]}),
    "a saved query": Kind(
        "Texts of some kind",
        options={"key": ["id"], "saved": True, "context": ["kind"]},
        saved="SELECT b.*, 1 AS one FROM base AS b -- all of them; and a comment",
    ),
    "a template": Kind("base", "{title}: {{{body}}} 100%", options={"template": True}),
    "a key of a view that is text": Kind(
        "named", made=("CREATE VIEW named AS SELECT *, 'it''s ' || id AS name FROM base",), options={"key": ["name"]}
    ),
}


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


@pytest.fixture
def superuser(
    server: servers.Postgresql, store_pool: database.Database
) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Statements in the test's database by its superuser; {names} in them are filled in."""
    place = str(store_pool.address.database)
    names = {
        "port": str(server.dsn()["port"]),
        "name": place,
        "folder": f"{server.base_dir}/data",
        "odd": ODD.replace('"', '""'),
        "key": ODD_KEY.replace('"', '""'),
        "text": ODD_TEXT.replace('"', '""'),
    }
    with contextlib.closing(psycopg2.connect(**server.dsn(database=place))) as connection:
        connection.autocommit = True

        def run(statement: str) -> list[tuple[Any, ...]]:
            for name, value in names.items():
                statement = statement.replace("{" + name + "}", value)
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

        yield run


@pytest.mark.parametrize("name", KINDS)
def test_what_has_changed_is_done_wherever_it_comes_from(
    bench: scored.Bench, superuser: Callable[[str], list[tuple[Any, ...]]], name: str
) -> None:
    kind = KINDS[name]

    def do(*statements: str) -> None:
        for statement in (*statements, *kind.after, GRANT):
            superuser(statement)

    superuser(f"CREATE TABLE base ({BASE})")
    superuser(
        "INSERT INTO base SELECT n, 'title ' || n, 'good \"text\" %s {} ' || n, 'kind ' || n % 3"
        f" FROM generate_series(1, {ROWS}) AS n"
    )
    for statement in kind.made:
        superuser(statement)
    do()
    if kind.saved:
        with bench.store.lend() as connection:
            library.save(
                connection, library.Saved(None, kind.relation, "", (), kind.saved, {}, None, "data", 0, "", None)
            )
    options = {"chunk_rows": 7, **kind.options}
    first = bench.run(kind.relation, kind.column, **options)
    assert (first.state, first.rows, first.scored, first.failed) == ("finished", ROWS, ROWS, 0)
    again = bench.run(kind.relation, kind.column, **options)
    assert (again.unchanged, again.chunks, again.vanished) == (ROWS, 0, 0)

    # Far apart, so that chunks are lists of keys.
    do(
        "UPDATE base SET body = body || ' now bad' WHERE id IN (2, 20, 41, 59)",
        "DELETE FROM base WHERE id IN (5, 33)",
        "INSERT INTO base SELECT n, 'new', 'new ' || n FROM generate_series(101, 103) AS n",
    )
    bench.model.calls.clear()
    changed = bench.run(kind.relation, kind.column, **{**options, "chunk_rows": 3})
    assert (changed.state, changed.rows, changed.failed) == ("finished", ROWS + 1, 0)
    assert (changed.scored, changed.unchanged, changed.vanished) == (7, ROWS - 6, 2)
    assert len(bench.model.asked) == 7
    key = changed.source.key[0].stored
    told = {
        str(row[0]).removeprefix("it's "): row[1:] for row in bench.scores(changed.source, key, "run_id", "vanished_at")
    }
    assert {number for number, (run, _) in told.items() if run == changed.id} == {
        "2",
        "20",
        "41",
        "59",
        "101",
        "102",
        "103",
    }
    assert {number for number, (_, gone) in told.items() if gone is not None} == {"5", "33"}
    with bench.store.lend() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {changed.source.current}")
        assert cursor.fetchone() == (ROWS + 1,)
    bench.change(changed, "undo")
    assert {row[0] for row in bench.scores(first.source, "run_id")} == {first.id}


def test_the_rows_of_a_condition_are_all_that_a_run_touches(bench: scored.Bench, execute: scored.Execute) -> None:
    execute(f"CREATE TABLE base ({BASE})")
    execute(f"INSERT INTO base SELECT n, 't', 'good ' || n, 'kind ' || n % 3 FROM generate_series(1, {ROWS}) AS n")
    bench.run("base", context=["kind"])
    execute("UPDATE base SET body = body || '!' WHERE id % 10 = 0; DELETE FROM base WHERE id IN (1, 3)")
    # Of six changed rows two are of the kind. Those that are gone are of no condition.
    run = bench.run("base", condition="kind = 'kind 0' -- of one kind", context=["kind"])
    assert (run.rows_total, run.rows, run.scored, run.vanished) == (ROWS // 3 - 1, ROWS // 3 - 1, 2, 0)
    assert {row[0] for row in bench.scores(run.source, "id", "run_id") if row[1] == run.id} == {30, 60}
    whole = bench.run("base", context=["kind"])
    assert (whole.scored, whole.vanished, whole.unchanged) == (4, 2, ROWS - 6)


def test_a_text_that_is_read_through_a_template(bench: scored.Bench, execute: scored.Execute) -> None:
    execute(f"CREATE TABLE base ({BASE})")
    execute("INSERT INTO base VALUES (1, 'A', 'good'), (2, NULL, 'b'), (3, NULL, NULL), (4, '', '')")
    run = bench.run("base", "{title}: {{{body}}}", template=True)
    assert [text for text in bench.model.asked if text is not None] == ["A: {good}", ": {b}", ": {}"]
    assert {row[0]: row[1] for row in bench.scores(run.source, "id", "reason")} == {
        1: None,
        2: None,
        3: "empty",
        4: None,
    }
