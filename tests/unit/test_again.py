"""What was scored once, to be scored or looked at again: the wish of a run, its rows' texts, statements for rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from tests.unit import scored
from undertone import again, catalog, database, library, planning, scores

Execute = Callable[..., list[tuple[object, ...]]]
QUOTED = 'O\'Neil\n%s {x} \\ "y" ;--'


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def keys(bench: scored.Bench, source: scores.Source) -> list[scores.Values]:
    with bench.store.lend() as connection:
        return [
            key
            for label in ("POSITIVE", "NEGATIVE")
            for key, _ in scores.extremes(connection, dataclasses.replace(source, current_model="default"), label, 99)
        ]


def rows(bench: scored.Bench, statement: str) -> list[tuple[object, ...]]:
    with bench.data.lend() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("bigint", ["1", "-9223372036854775808"]),
        ("uuid", ["00000000-0000-0000-0000-000000000001", "123e4567-e89b-12d3-a456-426614174000"]),
        ("text", [QUOTED, ""]),
        ("timestamptz", ["2026-01-02 03:04:05.678901+00", "infinity"]),
        ("numeric", ["1.10", "12345678901234567890.123"]),
        ("boolean", ["t", "f"]),
        ("bytea", ["\\x00ff", "\\x"]),
    ],
)
def test_a_statement_selects_the_row_of_its_key_whatever_the_type(
    bench: scored.Bench, execute: Execute, type_: str, values: list[str]
) -> None:
    execute(f'CREATE TABLE "My %%table" ("the key" {type_} PRIMARY KEY, body text)', ())
    for value in values:
        execute('INSERT INTO "My %%table" VALUES (%s, %s)', (value, "good"))
    run = bench.run('"My %table"')
    found = keys(bench, run.source)
    assert len(found) == len(values)
    with bench.data.lend() as connection:
        statements = again.row_statements(connection, run.source, found)
    for key, statement in zip(found, statements, strict=True):
        assert statement is not None
        ((value, body),) = rows(bench, statement)
        assert body == "good"
        ((shown,),) = execute(f"SELECT %s::{type_}", (key[0],))
        assert str(value) == str(shown) or bytes(value) == bytes(shown)  # type: ignore[call-overload]


def test_a_statement_of_a_composite_key_names_all_of_it(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE t (a int, b text, body text, PRIMARY KEY (a, b))")
    execute("INSERT INTO t VALUES (1, 'x', 'good'), (1, 'y', 'good'), (2, 'x', 'good')")
    run = bench.run("t")
    with bench.data.lend() as connection:
        (statement,) = again.row_statements(connection, run.source, [("1", "y")])
    assert rows(bench, str(statement)) == [(1, "y", "good")]


def saved(bench: scored.Bench, statement: str) -> None:
    with bench.store.lend() as connection:
        library.save(connection, library.Saved(None, "Some", "", (), statement, {}, None, "data", 1, "", None))


def test_rows_and_texts_of_a_saved_query_are_found_in_it(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    execute("INSERT INTO t VALUES (1, 'good'), (2, 'bad')")
    saved(bench, "SELECT id, upper(body) || '!' AS body FROM t -- a comment at the end")
    run = bench.run("Some", saved=True, key=["id"])
    with bench.data.lend() as connection:
        (statement,) = again.row_statements(connection, run.source, [("2",)])
    assert rows(bench, str(statement)) == [(2, "BAD!")]
    assert again.texts(bench.reader, run.source, [("1",), ("2",), ("3",)]) == {("1",): "GOOD!", ("2",): "BAD!"}


def test_a_statement_that_would_be_too_long_for_a_link_is_none(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    saved(bench, f"SELECT id, body FROM t WHERE body <> '{'x' * again.MOST_CHARACTERS}'")
    run = bench.run("Some", saved=True, key=["id"])
    with bench.data.lend() as connection:
        assert again.row_statements(connection, run.source, [("1",)]) == [None]


def test_texts_of_a_template_are_joined_as_they_were_scored(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, title text, body text)")
    execute("INSERT INTO t VALUES (1, 'Kettle', 'good'), (2, NULL, 'bad'), (3, NULL, NULL)")
    run = bench.run("t", "{title}: {body} {{}}", template=True)
    assert again.texts(bench.reader, run.source, [("1",), ("2",), ("3",), ("4",)]) == {
        ("1",): "Kettle: good {}",
        ("2",): ": bad {}",
        ("3",): None,
    }
    asked = [str(text) for text in bench.model.asked]
    assert {"Kettle: good {}", ": bad {}"} <= set(asked)


def test_a_long_text_is_cut(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    execute("INSERT INTO t VALUES (1, repeat('good ', 10000))")
    run = bench.run("t")
    (text,) = again.texts(bench.reader, run.source, [("1",)]).values()
    assert text is not None
    assert len(text) < again.CUT + 10


def test_the_wish_of_a_run_starts_the_same_again(bench: scored.Bench, execute: Execute) -> None:
    execute('CREATE TABLE "Two words" (a int, b int, title text, body text, at timestamptz)')
    execute('CREATE INDEX ON "Two words" (at)')
    execute("INSERT INTO \"Two words\" VALUES (1, 1, 'x', 'good', now()), (1, 2, 'y', 'bad', now())")
    first = bench.run(
        '"Two words"',
        "{title}: {body}",
        template=True,
        key=["a", "b"],
        context=["at"],
        condition="a < 5",
        queue="big",
        new_by="at",
        chunk_rows=7,
    )
    second = planning.start(bench.reader, bench.store, again.wish(first, who="ann"), place="here")
    assert second.who == "ann"
    for name in ("source", "model", "condition", "queue", "new_by", "chunk_rows"):
        assert getattr(second, name) == getattr(first, name), name
    done = bench.work(second)
    assert (done.unchanged, done.scored) == (2, 0)


def test_new_rows_are_told_by_times_and_numbers_with_an_index(bench: scored.Bench, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text, at timestamptz, day date, n int, u uuid)")
    execute("CREATE INDEX ON t (at); CREATE INDEX ON t (id, day); CREATE INDEX ON t (u); CREATE INDEX ON t (body)")
    with bench.data.lend() as connection:
        relation = catalog.find(connection, "t")
        assert again.new_by_columns(connection, relation) == ["id", "at"]
