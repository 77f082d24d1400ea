"""What the loader of named statements promises."""

from __future__ import annotations

import itertools
import pathlib
from typing import Any

import aiosql.utils
import psycopg2.sql
import pytest

from undertone import database, queries

_numbers = itertools.count()


@pytest.fixture
def load(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load statements from a text, as if it were a file of sql/queries."""
    monkeypatch.setattr(queries, "FOLDER", tmp_path)

    def load(text: str) -> Any:
        name = f"test_{next(_numbers)}"
        (tmp_path / f"{name}.sql").write_text(text, encoding="utf-8")
        return queries.load(name)

    return load


@pytest.mark.parametrize("path", sorted(queries.FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_every_statement_of_every_file_loads_and_says_what_it_is(path: pathlib.Path) -> None:
    namespace = queries.load(path.stem)
    names = [name for name in namespace.available_queries if not name.endswith("_cursor")]
    assert names
    for name in names:
        assert getattr(namespace, name).__doc__, f"{path.name}: {name} has no comment"


def test_rows_are_a_list_that_outlives_the_connection(load: Any, data_pool: database.Database) -> None:
    statements = load("-- name: numbers(n)\n-- Numbers.\nSELECT generate_series(1, :n);\n")
    with data_pool.lend() as connection:
        rows = statements.numbers(connection, n=3)
    assert rows == [(1,), (2,), (3,)]


def test_a_statement_runs_even_if_nobody_reads_its_rows(load: Any, store_pool: database.Database) -> None:
    statements = load("-- name: lock()\n-- Take a lock.\nSELECT pg_advisory_xact_lock(1);\n")
    with store_pool.lend() as connection:
        statements.lock(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert cursor.fetchone() == (1,)


def test_casts_and_doubled_per_cent_signs_are_what_they_are(load: Any, data_pool: database.Database) -> None:
    statements = load("-- name: strange(x)$\n-- Strange.\nSELECT '10%% :y ' || :x::text || (7 %% 4);\n")
    with data_pool.lend() as connection:
        assert statements.strange(connection, x="50%") == "10% :y 50%3"


def test_a_name_given_twice_is_refused(load: Any) -> None:
    twice = "-- name: once()\n-- A.\nSELECT 1;\n-- name: once()\n-- B.\nSELECT 2;\n"
    with pytest.raises(aiosql.utils.SQLLoadException, match="once"):
        load(twice)


def test_a_file_that_is_not_there_is_named(load: Any) -> None:
    with pytest.raises(aiosql.utils.SQLLoadException, match=r"nowhere\.sql"):
        queries.load("nowhere")


def test_a_composed_statement_takes_any_name(load: Any, data_pool: database.Database) -> None:
    statements = load("-- name: named()\n-- A column of that name.\nSELECT 1 AS {name}, {value};\n")
    name = '100% %s %(x)s :y {z} "q"'
    composed = queries.compose(
        statements.named, name=psycopg2.sql.Identifier(name), value=psycopg2.sql.Literal("5% {}")
    )
    with data_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute(composed)
        assert cursor.description[0].name == name
        assert cursor.fetchone() == (1, "5% {}")
