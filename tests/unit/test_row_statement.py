"""What "Open as SQL" promises: a statement that people can read, and that the lane answers with those rows."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2.sql
import pytest

from undertone import catalog, conditions, console, database, looks, matching, relations, row_statement, searching
from undertone.conditions import Condition, Group
from undertone.looks import Look, Sort

Execute = Callable[..., list[tuple[object, ...]]]
HOSTILE = (
    "",
    "it's",
    'a"b',
    "50% %s %(x)s",
    "\\",
    "\\' OR true --",
    "{x} {}",
    ":name ::int",
    "$1 $$",
    "é😀\n\t",
    "/* --",
)


def made(pool: database.Database, name: str, look: Look, **options: object) -> str:
    def ask(connection: database.Connection) -> str:
        relation = catalog.find(connection, name)
        fields = relations.fields(connection, relation)
        return row_statement.statement(connection, relation, fields, look, **options)  # type: ignore[arg-type]

    return pool.ask(ask)


def test_it_can_be_read(data_pool: database.Database, execute: Execute) -> None:
    execute(
        'CREATE TABLE tickets (id bigint PRIMARY KEY, status text, "Rate" real, n int NOT NULL, at timestamptz,'
        " doc json);"
        "CREATE VIEW seen AS SELECT id, status FROM tickets; CREATE SCHEMA other; CREATE TABLE other.tickets (x int);"
        "CREATE TABLE pg_class (id int PRIMARY KEY); GRANT USAGE ON SCHEMA other TO undertone_reader;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA other TO undertone_reader"
    )
    assert made(data_pool, "tickets", Look()) == "SELECT *\nFROM tickets\nORDER BY id"
    assert made(data_pool, "seen", Look()) == "SELECT *\nFROM seen"
    assert made(data_pool, "other.tickets", Look(), limit=5) == "SELECT *\nFROM other.tickets\nLIMIT 5"
    assert made(data_pool, "public.pg_class", Look()) == "SELECT *\nFROM public.pg_class\nORDER BY id"
    look = Look(
        search="printer 17",
        where=Group(
            (
                Condition("status", "eq", ("open",)),
                Group((Condition("n", "ge", ("4",)), Condition("n", "null")), any=True),
                Condition("at", "ge", ("2026-03-01",)),
            )
        ),
        sorts=(Sort("at", True), Sort("n", True), Sort("at"), Sort("doc"), Sort("Rate", True)),
        columns=("Rate", "id"),
        place=looks.LAST,
    )
    assert made(data_pool, "tickets", look, zone="Europe/Berlin") == (
        'SELECT "Rate", id\n'
        "FROM tickets\n"
        "WHERE status = 'open'\n"
        "  AND (n >= 4 OR n IS NULL)\n"
        "  AND at >= '2026-03-01 00:00:00+01:00'::timestamp with time zone\n"
        "  AND status ILIKE '%printer%' AND status ILIKE '%17%'\n"
        'ORDER BY at DESC NULLS LAST, n DESC, (doc)::text, "Rate" DESC NULLS LAST, id DESC'
    )
    # It is one condition among others, whatever it holds.
    either = Look(search="17", where=Group((Condition("n", "eq", ("4",)), Condition("n", "eq", ("5",))), any=True))
    assert "WHERE (n = 4 OR n = 5)\n  AND (status ILIKE '%17%' OR id = 17)\n" in made(data_pool, "tickets", either)


def test_the_lane_answers_it_whatever_it_holds(data_pool: database.Database, execute: Execute) -> None:
    execute(
        'CREATE TABLE "T "".%%s {{x}}" (id int PRIMARY KEY, "C "".%%s {{x}}:a" text, "two\nlines" text);'.replace(
            "%%", "%"
        ).replace("{{x}}", "{x}")
    )
    name, column = '"T "".%s {x}"', 'C ".%s {x}:a'
    for number, value in enumerate(HOSTILE):
        execute(
            f"INSERT INTO {name} VALUES (%s, %s, %s)".replace(name, name.replace("%", "%%")), (number, value, value)
        )
    for number, value in enumerate(HOSTILE):
        for operator in ("eq", "contains", "starts"):
            where = Group((Condition(column, operator, (value,)),))
            statement = made(data_pool, name, Look(where=where, columns=("id", column, "two\nlines")))
            answer = console.run(data_pool, statement)
            assert (number, value, value) in answer.rows, statement
            assert operator != "eq" or len(answer.rows) == 1
        if value.strip():
            statement = made(data_pool, name, Look(search=f'"{value}"' if '"' not in value else value))
            assert number in [row[0] for row in console.run(data_pool, statement).rows], statement
    for text in ("\0", "\ud800"):
        with pytest.raises(conditions.ConditionError):
            made(data_pool, name, Look(where=Group((Condition(column, "eq", (text,)),))))


def test_the_lane_answers_every_operator(data_pool: database.Database, execute: Execute) -> None:
    execute(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE EXTENSION citext; CREATE TABLE things"
        " (id int PRIMARY KEY, t text, c citext, m mood, at timestamptz, d date, doc jsonb, old json,"
        " tags text[], b bytea, flag boolean, p point,"
        " amount numeric, span int4range, words tsvector GENERATED ALWAYS AS (to_tsvector('english', t)) STORED);"
        "CREATE INDEX ON things USING gin (words); CREATE INDEX ON things USING gin (to_tsvector('simple', t))"
    )
    given = {"": (), "text": ("x",), "pattern": ("x",), "path": ("$.x > 1",), "span": ("2", "days"), "element": ("x",)}
    values = {"m": "sad", "at": "2026-03-01", "d": "2026-03-01", "doc": "{}", "flag": "true", "p": "x", "span": "[1,2)"}
    fields = data_pool.ask(lambda connection: relations.fields(connection, catalog.find(connection, "things")))
    parts = []
    for field in fields:
        for operator in conditions.operators(field):
            known = conditions.OPERATORS[operator]
            value = values.get(field.column.name, "1" if field.column.category == "number" else "{}")
            parts.append(Condition(field.column.name, operator, given.get(known.values, (value,) * known.least)))
    assert len(parts) > 80
    for start in range(0, len(parts), 30):
        where = Group(tuple(parts[start : start + 30]), any=True)
        assert console.run(data_pool, made(data_pool, "things", Look(where=where, search="burning"))).rows == []


def test_names_that_are_words_of_sql_and_tables_that_are_wide(data_pool: database.Database, execute: Execute) -> None:
    words = [str(word) for (word,) in execute("SELECT word FROM pg_get_keywords() ORDER BY word")]
    execute("CREATE TABLE words ({})".format(", ".join(f'"{word}" int' for word in words)))
    execute("INSERT INTO words DEFAULT VALUES")
    for start in range(0, len(words), 60):
        some = words[start : start + 60]
        look = Look(
            columns=tuple(some),
            sorts=tuple(Sort(word, number % 2 == 0) for number, word in enumerate(some)),
            where=Group(
                tuple(
                    Condition(word, ("null", "notin", "ne")[n % 3], ("7",) * (n % 3 > 0)) for n, word in enumerate(some)
                )
            ),
        )
        assert len(console.run(data_pool, made(data_pool, "words", look)).rows) == 1

    columns = [f"c{number}" for number in range(1600)]
    execute(f"CREATE TABLE wide ({', '.join(f'{name} int' for name in columns)}); INSERT INTO wide DEFAULT VALUES")
    for look in (Look(), Look(columns=tuple(columns))):
        statement = made(data_pool, "wide", look)
        assert max(len(line) for line in statement.splitlines()) < 120
        answer = console.run(data_pool, statement)
        assert [column.name for column in answer.columns] == columns


def test_it_asks_for_no_more_than_may_be_read(data_pool: database.Database, execute: Execute) -> None:
    execute(
        "CREATE TABLE part (id int PRIMARY KEY, secret text, shown text); REVOKE SELECT ON part FROM undertone_reader;"
        "GRANT SELECT (id, shown) ON part TO undertone_reader"
    )
    statement = made(data_pool, "part", Look())
    assert statement == "SELECT id, shown\nFROM part\nORDER BY id"
    assert console.run(data_pool, statement).rows == []
    for look in (
        Look(columns=("secret",)),
        Look(sorts=(Sort("secret"),)),
        Look(where=Group((Condition("secret", "null"),))),
    ):
        with pytest.raises(catalog.CatalogError, match="no column"):
            made(data_pool, "part", look)
    with data_pool.lend() as connection:
        relation = catalog.find(connection, "part")
        connection.rollback()
        execute("DROP TABLE part")
        with pytest.raises(catalog.CatalogError, match="no longer there"):
            row_statement.statement(connection, relation, [], Look())


def test_it_counts_the_same_rows(data_pool: database.Database, execute: Execute) -> None:
    execute(
        "CREATE TABLE numbers AS SELECT n, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END AS kind"
        " FROM generate_series(1, 9) AS n"
    )

    for look, expected in (
        (Look(), 9),
        (Look(where=Group((Condition("n", "gt", ("4",)),)), columns=("n",), sorts=(Sort("n"),)), 5),
        (Look(where=Group((Condition("n", "gt", ("4",)),)), search="even"), 2),
    ):

        def ask(connection: database.Connection, look: Look = look) -> tuple[str, int]:
            relation = catalog.find(connection, "numbers")
            fields = relations.fields(connection, relation)
            search = searching.plan(connection, relation, fields)
            where = matching.compose(fields, look, relation=relation, search=search)
            with connection.cursor() as cursor:
                cursor.execute(
                    psycopg2.sql.SQL("SELECT count(*) FROM numbers AS r WHERE {}").format(
                        where or psycopg2.sql.SQL("true")
                    )
                )
                (counted,) = cursor.fetchone()
            return row_statement.count(connection, relation, fields, look, search), counted

        statement, counted = data_pool.ask(ask)
        assert statement.startswith("SELECT count(*)\nFROM numbers")
        assert console.run(data_pool, statement).rows == [(expected,)] == [(counted,)]
        assert len(console.run(data_pool, made(data_pool, "numbers", look)).rows) == expected
