"""What paging promises: every row once, in order, in both directions, of any type, by any name, at any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2.sql
import pytest

from tests.unit import walked
from undertone import catalog, database, paging, queries, reading

Execute = Callable[..., list[tuple[object, ...]]]


SORTED = {
    "number": ("integer", ["3", "1", "2", "1", None, "3", None, "-5", "2147483647", "1"]),
    "float": (
        "double precision",
        ["0.1", "NaN", "Infinity", "-Infinity", "0.30000000000000004", "0.3", None, "1e-300", "NaN"],
    ),
    "numeric": (
        "numeric",
        ["1.0", "1.00", "NaN", "1e40", "-0.5", None, "Infinity", "1.000000000000000000000001"],
    ),
    "text": ("text", ["b", "a", "", "B", "é", "😀", "a'b", 'a"b', "a\nb", "50%", "\\x", None, "", "b"]),
    "long text": ("text", ["x" * 5000 + "2", "x" * 5000 + "1", "x" * 5000, None, "y" * 3000, "x"]),
    "short": ("character varying(3)", ["abc", "ab", None, "b", "abc"]),
    "padded": ("character(4)", ["a", "ab", None, "a   ", "b"]),
    "moment": (
        "timestamptz",
        [
            *("infinity", "-infinity", "2024-01-01 12:00:00.000001+00", "2024-01-01 12:00:00.000002+00", None),
            *("4000-01-01 BC", "2024-01-01 13:00:00.000001+01", "1850-06-01 00:00+00", "99999-01-01"),
        ],
    ),
    "date": ("date", ["infinity", "0001-01-01 BC", "2024-02-29", None, "2024-02-29"]),
    "span": ("interval", ["1 mon", "30 days", "1 year -3 days 04:05:06.7", None, "-1 day"]),
    "boolean": ("boolean", ["true", "false", None, "true"]),
    "uuid": (
        "uuid",
        ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None, "00000000-0000-0000-0000-000000000000"] * 2,
    ),
    "json": ("json", ['{"a": 1}', "[1, 2]", "null", None, '"x"', '{"a": 1}']),
    "jsonb": ("jsonb", ['{"a": 1}', "[1, 2]", "null", None, '"x"', '{"a": 1}']),
    "bytes": ("bytea", ["\\x00ff", "\\x", None, "\\x00fe", "\\x00ff"]),
    "point": ("point", ["(1,2)", "(0,0)", None, "(1,2)"]),
    "array": ("integer[]", ["{10}", "{9,NULL}", None, "{}", "{9}"]),
    "array of json": ("json[]", ['{"1"}', None, "{}"]),
    "range": ("int4range", ["[1,5)", "empty", None, "(,)", "[1,4)"]),
    "address": ("inet", ["10.0.0.1", "10.0.0.0/8", None, "::1"]),
    "network": ("cidr", ["10.0.0.0/8", "::/0", None]),
    "bits": ("bit(3)", ["101", "000", None, "101"]),
    "money": ("money", ["12.50", "-1", None]),
    "class": ("regclass", ["pg_class", "pg_type", None, "pg_class"]),
    "enum": ("mood", ["sad", "happy", "it's 50%", None, "sad"]),
    "domain": ("stars", ["3", "5", None, "1", "3"]),
    "composite": ("pair", ["(1,b)", "(1,a)", None, "(,)"]),
    "name": ("name", ["b", "a", None]),
    "search": ("tsvector", ["a b", "c", None]),
    "transaction": ("xid", ["5", "4", None]),
}


@pytest.fixture
def types(execute: Execute) -> None:
    execute(
        "CREATE TYPE mood AS ENUM ('sad', 'it''s 50%%', 'happy'); CREATE DOMAIN stars AS int CHECK (value < 6)",
        (),
    )
    execute("CREATE TYPE pair AS (x int, y text)")


# Those that have no order of their own, or another than a page's: they go by their text.
BY_TEXT = {"json", "point", "array of json", "transaction", "class", "composite"}


@pytest.mark.usefixtures("types")
def test_any_column_sorts_both_ways_with_its_nulls_last(data: database.Connection, execute: Execute) -> None:
    for name, (type, values) in SORTED.items():
        bare, indexed = f"bare {name}", f"indexed {name}"
        execute(f'CREATE TABLE "{bare}" (id int PRIMARY KEY, v {type})')
        execute(f'CREATE TABLE "{indexed}" (LIKE "{bare}" INCLUDING ALL)')
        for number, value in enumerate(values):
            execute(f'INSERT INTO "{bare}" VALUES (%s, %s::{type})', (number, value))
        execute(f'INSERT INTO "{indexed}" SELECT * FROM "{bare}"')
        if name not in BY_TEXT | {"long text"}:
            execute(f'CREATE INDEX ON "{indexed}" (v)')
            for direction, descending in (("ASC", False), ("DESC", True)):
                order = f'SELECT id FROM "{bare}" ORDER BY v IS NULL, v {direction}, id {direction}'
                ordered = [id for (id,) in execute(order)]
                assert walked.ids(walked.walk(data, indexed, sorts=walked.by("v", descending))) == ordered, name
                if name != "jsonb":  # without an index it is sorted by its beginning, as a text
                    assert walked.ids(walked.walk(data, bare, sorts=walked.by("v", descending))) == ordered, name
        for descending in (False, True):
            rows = walked.walk(data, bare, 2, sorts=walked.by("v", descending))
            assert sorted(walked.ids(rows)) == list(range(len(values))), name
            nulls = [row[1] is None for row in rows]
            assert nulls == sorted(nulls), name


KEYS: dict[str, tuple[str, list[tuple[str, ...]]]] = {
    "bigint": ("k bigint", [("9223372036854775807",), ("-1",), ("0",)]),
    "uuid": (
        "k uuid",
        [("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",), ("00000000-0000-0000-0000-000000000000",)],
    ),
    "text": (
        "k text",
        [
            ("it's",),
            ('say "hi"',),
            ("two\nlines",),
            ("😀",),
            ("50% %s",),
            ("",),
            ("\\",),
            (" ",),
            ("x" * 2000,),
        ],
    ),
    "padded": ("k character(5)", [("ab",), ("b",)]),
    "limited": ("k varchar(3)", [("abc",), ("ab",)]),
    "moment": (
        "k timestamptz",
        [("2024-01-01 12:00:00.000001+00",), ("2024-01-01 12:00:00.000002+00",), ("infinity",)],
    ),
    "numeric": ("k numeric", [("0.1",), ("0.10000000000000000001",), ("NaN",)]),
    "precise": ("k numeric(5,2)", [("1.00",), ("1.01",)]),
    "float": ("k float8", [("0.1",), ("0.30000000000000004",), ("0.3",)]),
    "enum": ("k mood", [("happy",), ("it's 50%",), ("sad",)]),
    "domain": ("k stars", [("3",), ("4",)]),
    "bytes": ("k bytea", [("\\x00ff",), ("\\x",)]),
    "array": ("k int[]", [("{1,2}",), ("{}",)]),
    "composite": (
        "k text, l date, m int",
        [("a", "2024-01-01", "1"), ("a", "2024-01-01", "2"), ("a", "2023-01-01", "1")],
    ),
}


@pytest.mark.usefixtures("types")
def test_any_key_leads_through_the_rows_and_back_to_each(data: database.Connection, execute: Execute) -> None:
    for name, (columns, keys) in KEYS.items():
        names = [part.split()[0] for part in columns.split(", ")]
        execute(f'CREATE TABLE "{name}" ({columns}, v int, PRIMARY KEY ({", ".join(names)}))')
        for number, key in enumerate(keys):
            execute(f'INSERT INTO "{name}" VALUES ({", ".join(["%s"] * len(key))}, %s)', (*key, number))
        relation = catalog.find(data, name)
        numbers = list(range(len(keys)))
        assert sorted(row[-1] for row in walked.walk(data, name, 1)) == numbers, name
        assert sorted(row[-1] for row in walked.walk(data, name, 2, sorts=walked.by(names[0], True))) == numbers, name
        assert [row[-1] for row in walked.walk(data, name, 1, sorts=walked.by("v"))] == numbers, name
        assert catalog.rows_by_key(data, relation, ["v"], keys) == {key: (n,) for n, key in enumerate(keys)}
        for number, key in enumerate(keys[1:]):
            after = (str(number), *keys[number])
            assert catalog.page(data, relation, size=1, sorts=walked.by("v"), after=after).start == (
                str(number + 1),
                *key,
            )


def test_sorting_by_a_part_of_the_key_or_by_the_key_itself(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))")
    execute("INSERT INTO t SELECT i % 3, i FROM generate_series(1, 10) AS i")
    for sort in ("a", "b"):
        for descending in (False, True):
            order = sorted(
                execute("SELECT a, b FROM t"),
                reverse=descending,
                key=lambda row: (row["ab".index(sort)], *row),
            )
            assert walked.walk(data, "t", sorts=walked.by(sort, descending)) == order


WAYS = {
    "a table without a key": "CREATE TABLE t AS SELECT i % 7 AS v, 'x' || i % 3 AS w FROM generate_series(1, 40) AS i",
    "a materialised view": "CREATE MATERIALIZED VIEW t AS"
    " SELECT i % 7 AS v, 'x' || i % 3 AS w FROM generate_series(1, 40) AS i",
    "a view": "CREATE VIEW t AS SELECT i % 7 AS v, 'x' || i % 3 AS w FROM generate_series(1, 40) AS i",
    "partitions without a key": "CREATE TABLE t (v int, w text) PARTITION BY LIST (v);"
    "CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1, 3, 5); CREATE TABLE t_2 PARTITION OF t DEFAULT;"
    "INSERT INTO t SELECT i % 7, 'x' || i % 3 FROM generate_series(1, 40) AS i",
    "heirs": "CREATE TABLE t (v int, w text); CREATE TABLE t_1 () INHERITS (t);"
    "INSERT INTO t SELECT i % 7, 'x' || i % 3 FROM generate_series(1, 20) AS i;"
    "INSERT INTO t_1 SELECT i % 7, 'x' || i % 3 FROM generate_series(21, 40) AS i",
    "a table of which some columns may be read": "CREATE TABLE t AS SELECT i % 7 AS v, 'x' || i % 3 AS w, i AS z"
    " FROM generate_series(1, 40) AS i;"
    "REVOKE ALL ON t FROM undertone_reader; GRANT SELECT (v, w) ON t TO undertone_reader",
}


@pytest.mark.parametrize("way", WAYS)
def test_rows_without_a_key_come_once_each(data: database.Connection, execute: Execute, way: str) -> None:
    execute(WAYS[way])
    everything = sorted(execute("SELECT v, w FROM t"))
    for sorts in ([], walked.by("w"), walked.by("v", True), [*walked.by("w", True), *walked.by("v")]):
        rows = walked.walk(data, "t", 6, sorts=sorts)
        assert sorted(rows) == everything
        for place, name in enumerate("vw"):
            if sorts and sorts[0].column == name:
                values = [row[place] for row in rows]
                assert values == sorted(values, reverse=sorts[0].descending)


def test_a_table_without_a_key_is_read_from_end_to_end_over_its_gaps(
    data: database.Connection, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "BLOCKS", 1)
    execute("CREATE TABLE t (v int, pad text) WITH (autovacuum_enabled = false)")
    execute("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 3000) AS i")
    execute("DELETE FROM t WHERE v BETWEEN 20 AND 1500 OR v BETWEEN 1600 AND 2900 OR v > 2990")
    rows = walked.walk(data, "t", 40)
    assert walked.ids(rows) == [*range(1, 20), *range(1501, 1600), *range(2901, 2991)]
    execute("DELETE FROM t")
    assert walked.walk(data, "t") == []


def test_the_last_page_of_a_view_counts_its_rows(data: database.Connection, execute: Execute) -> None:
    execute("CREATE VIEW v AS SELECT i FROM generate_series(1, 100) AS i")
    page = catalog.page(data, catalog.find(data, "v"), size=30, at_end=True)
    assert walked.ids(page.rows) == list(range(71, 101))
    assert (page.start, page.end) == (("70",), ("99",))


def test_every_type_that_the_server_has_is_shown_and_sorted(data: database.Connection, execute: Execute) -> None:
    types = execute(
        "SELECT format_type(t.oid, -1) FROM pg_type AS t LEFT JOIN pg_type AS e ON e.oid = t.typelem"
        " WHERE t.typtype IN ('b', 'e', 'r', 'm') AND t.typnamespace = 'pg_catalog'::regnamespace"
        " AND (e.typtype IS NULL OR e.typtype NOT IN ('c', 'p'))"
    )
    columns = ", ".join(f"c{number} {name}" for number, (name,) in enumerate(types))
    execute(f"CREATE TABLE t (id int PRIMARY KEY, {columns}); INSERT INTO t VALUES (1), (2), (3)")
    relation = catalog.find(data, "t")
    shown = catalog.page(data, relation, size=2)
    assert len(shown.rows[0]) == len(types) + 1 > 150
    for column in shown.columns:
        end = catalog.page(data, relation, size=2, sorts=walked.by(column.name)).end
        assert walked.ids(catalog.page(data, relation, size=2, sorts=walked.by(column.name), after=end).rows) == [3]


def test_the_servers_own_catalogue_is_browsed_like_any_other(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        found = [
            catalog.find(connection, f"{schema}.{relation}")
            for schema, relation in queries.load("scoring").driver_adapter.select(
                connection,
                "",
                "SELECT relnamespace::regnamespace::text, relname::text FROM pg_class"
                " WHERE relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
                " AND relkind IN ('r', 'v') AND has_table_privilege(oid, 'SELECT')",
                {},
            )
        ]
        assert len(found) > 150
        for relation in found:
            if relation.name in (
                "pg_hba_file_rules",
                "pg_ident_file_mappings",
                "pg_file_settings",
                "pg_config",
            ):
                continue  # for superusers
            page = catalog.page(connection, relation, size=3)
            if page.end:
                catalog.page(connection, relation, size=3, after=page.end)


NAMES = [
    "Capital",
    "two words",
    'q"uote',
    "a.b",
    "100%",
    "%s",
    "%(x)s",
    "{}",
    "{0}",
    ":x",
    "ctid%",
    "列",
    "n" * 63,
    "n",
    "k0",
    "r",
]


def test_columns_of_any_name_are_read_sorted_and_keyed(data: database.Connection, execute: Execute) -> None:
    for number, name in enumerate(NAMES):
        column, relation = psycopg2.sql.Identifier(name), psycopg2.sql.Identifier(f"t%{number} {{}}")
        execute(psycopg2.sql.SQL("CREATE TABLE {} ({} text PRIMARY KEY, v int)").format(relation, column))
        execute(psycopg2.sql.SQL("INSERT INTO {} SELECT 'k%' || i, i FROM generate_series(1, 5) AS i").format(relation))
        assert len(walked.walk(data, f"t%{number} {{}}", 2)) == 5
        assert len(walked.walk(data, f"t%{number} {{}}", 2, sorts=walked.by(name, True))) == 5
        found = catalog.find(data, f"t%{number} {{}}")
        assert catalog.rows_by_key(data, found, [name, "v"], [("k%3",)]) == {("k%3",): ("k%3", 3)}


def test_a_type_of_any_name_is_read_sorted_and_keyed(data: database.Connection, execute: Execute) -> None:
    execute("""CREATE TYPE "50%s {} ""x" AS ENUM ('a', 'b', 'c')""")
    execute("""CREATE TABLE t (k "50%s {} ""x" PRIMARY KEY, v "50%s {} ""x")""")
    execute("INSERT INTO t VALUES ('a', 'b'), ('b', 'b'), ('c', 'a')")
    assert walked.ids(walked.walk(data, "t", 1, sorts=walked.by("v"))) == ["c", "a", "b"]
    assert catalog.rows_by_key(data, catalog.find(data, "t"), ["v"], [("b",)]) == {("b",): ("b",)}


def test_a_table_of_no_columns_no_rows_or_1600_columns(data: database.Connection, execute: Execute) -> None:
    execute(
        "CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES; CREATE TABLE no_rows (id int PRIMARY KEY)"
    )
    execute("CREATE TABLE wide (" + ", ".join(f"c{n} text" for n in range(1600)) + ")")
    execute("INSERT INTO wide (c0, c1599) VALUES ('a', 'z'), ('b', 'y')")
    execute("CREATE VIEW wide_view AS SELECT * FROM wide")
    empty = catalog.Page((), [], first=True, last=True, start=None, end=None)
    no_columns = catalog.find(data, "no_columns")
    assert catalog.columns(data, no_columns) == []
    assert catalog.page(data, no_columns, size=5) == empty
    assert catalog.count(data, no_columns) == 1
    page = catalog.page(data, catalog.find(data, "no_rows"), size=5)
    assert (page.rows, page.first, page.last, page.start, page.end) == ([], True, True, None, None)
    assert [column.name for column in page.columns] == ["id"]
    assert walked.walk(data, "no_rows") == []
    for name in ("wide", "wide_view"):
        rows = walked.walk(data, name, 1, sorts=walked.by("c1599"))
        assert [(row[0], row[1599]) for row in rows] == [("b", "y"), ("a", "z")]


def test_rows_that_went_meanwhile_leave_a_page_to_stand_on(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)")
    relation = catalog.find(data, "t")
    execute("DELETE FROM t WHERE id > 5")
    after = catalog.page(data, relation, size=3, after=("8",))
    assert (walked.ids(after.rows), after.first, after.last) == ([3, 4, 5], False, True)
    before = catalog.page(data, relation, size=3, before=("0",))
    assert (walked.ids(before.rows), before.first, before.last) == ([1, 2, 3], True, False)
    short = catalog.page(data, relation, size=3, before=("3",))
    assert (walked.ids(short.rows), short.first) == ([1, 2, 3], True)


MISFITS: list[tuple[str | None, ...]] = [
    (), ("1", "2"), ("x",), (None,), ("9" * 20,), ("1\0",), ("\ud83d",), ("",), ("1; DROP TABLE keyed",),
]  # fmt: skip


def test_a_cursor_that_does_not_fit_is_refused(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE bare (v int); CREATE VIEW shown AS SELECT 1 AS one")
    for cursor in MISFITS:
        for name in ("keyed", "bare", "shown"):
            with data_pool.lend() as connection:
                relation = catalog.find(connection, name)
                with pytest.raises(catalog.CatalogError, match=f"There is no such place in {name}") as caught:
                    catalog.page(connection, relation, size=5, after=cursor)
                assert "\n" not in str(caught.value)


def test_a_column_that_is_not_there_brings_the_near_ones(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    relation = catalog.find(data, "t")
    questions: list[Callable[[], object]] = [
        lambda: catalog.page(data, relation, size=5, sorts=walked.by("bodie")),
        lambda: catalog.rows_by_key(data, relation, ["bodie"], [("1",)]),
        lambda: catalog.propose_context(data, relation, "bodie"),
    ]
    for question in questions:
        with pytest.raises(catalog.CatalogError, match=r't has no column "bodie".* There is: body'):
            question()


def test_a_column_that_goes_while_a_page_is_made_is_one_line(
    data: database.Connection, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    relation = catalog.find(data, "t")
    data.rollback()
    read = reading.read

    def late(*arguments: Any, **options: Any) -> Any:
        data.rollback()
        execute("ALTER TABLE t DROP COLUMN body")
        return read(*arguments, **options)

    monkeypatch.setattr(reading, "read", late)
    with pytest.raises(catalog.CatalogError, match=r"t has changed meanwhile: .*body.* Open it again"):
        catalog.page(data, relation, size=5)
