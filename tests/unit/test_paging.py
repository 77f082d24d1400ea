"""What paging promises: every row once, in order, in both directions, of any type, by any name, at any size."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2.sql
import pytest

from undertone import catalog, database, keyset, looks, outlook, paging, queries, reading, row_order

Execute = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def data(data_pool: database.Database, execute: Execute) -> Iterator[database.Connection]:
    """A connection of the reader; `execute` makes what it reads."""
    with data_pool.lend() as connection:
        yield connection


def walk(connection: database.Connection, name: str, size: int = 3, **order: Any) -> list[tuple[object, ...]]:
    """All rows, page by page; and that they are the same from the end back, and that the pages know where they are."""
    relation = catalog.find(connection, name)
    page = catalog.page(connection, relation, size=size, **order)
    pages = [page]
    assert page.first
    while not page.last:
        page = catalog.page(connection, relation, size=size, after=_carried(page.end), **order)
        pages.append(page)
        assert not page.first
        assert len(pages) < 500
    rows = [row for page in pages for row in page.rows]
    assert all(len(page.rows) == size for page in pages[:-1])

    page = catalog.page(connection, relation, size=size, at_end=True, **order)
    assert page.last
    back = page.rows
    while not page.first:
        page = catalog.page(connection, relation, size=size, before=_carried(page.start), **order)
        back = page.rows + back if len(page.rows) == size and not page.first else back
        if page.first:
            # The first page is a full one, so it may repeat what the second began with.
            assert repr(page.rows) == repr(rows[:size])
            back = rows[: len(rows) - len(back)] + back
    assert repr(back) == repr(rows)  # NaN is not equal to itself

    for earlier, later in itertools.pairwise(pages):
        again = catalog.page(connection, relation, size=size, before=later.start, **order)
        assert repr(again.rows) == repr(earlier.rows)
    return rows


def _carried(cursor: tuple[str | None, ...] | None) -> tuple[str | None, ...]:
    """A cursor after a journey through an address."""
    assert cursor is not None
    return tuple(json.loads(json.dumps(cursor)))


def by(column: str, descending: bool = False) -> list[looks.Sort]:
    """An order by one column."""
    return [looks.Sort(column, descending)]


def ids(rows: list[tuple[object, ...]]) -> list[object]:
    return [row[0] for row in rows]


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
                assert ids(walk(data, indexed, sorts=by("v", descending))) == ordered, name
                if name != "jsonb":  # without an index it is sorted by its beginning, as a text
                    assert ids(walk(data, bare, sorts=by("v", descending))) == ordered, name
        for descending in (False, True):
            rows = walk(data, bare, 2, sorts=by("v", descending))
            assert sorted(ids(rows)) == list(range(len(values))), name  # type: ignore[type-var]
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
        assert sorted(row[-1] for row in walk(data, name, 1)) == numbers, name  # type: ignore[type-var]
        assert sorted(row[-1] for row in walk(data, name, 2, sorts=by(names[0], True))) == numbers, name  # type: ignore[type-var]
        assert [row[-1] for row in walk(data, name, 1, sorts=by("v"))] == numbers, name
        assert catalog.rows_by_key(data, relation, ["v"], keys) == {key: (n,) for n, key in enumerate(keys)}
        for number, key in enumerate(keys[1:]):
            after = (str(number), *keys[number])
            assert catalog.page(data, relation, size=1, sorts=by("v"), after=after).start == (
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
            assert walk(data, "t", sorts=by(sort, descending)) == order


def test_several_columns_sort_in_any_directions_with_their_nulls_last(
    data: database.Connection, execute: Execute
) -> None:
    execute("""
        CREATE TABLE t (id int PRIMARY KEY, a int, b text, c numeric NOT NULL, d timestamptz);
        INSERT INTO t
        SELECT i, nullif(i % 3, 0), nullif(chr(97 + i % 4), 'a'),
               CASE WHEN i % 5 = 0 THEN 'NaN'::numeric ELSE i % 2 END,
               CASE WHEN i % 6 = 1 THEN 'infinity'
                    WHEN i % 6 > 1 THEN '2024-01-01'::timestamptz + i % 2 * interval '1 s' END
        FROM generate_series(1, 60) AS i
    """)
    for count in (2, 3):
        for number, names in enumerate(itertools.permutations("abcd", count)):
            for directions in itertools.product((False, True), repeat=count):
                if count == 3 and (number + sum(directions)) % 3:
                    continue  # a third of them is enough
                sorts = [looks.Sort(*pair) for pair in zip(names, directions, strict=True)]
                words = [f"{sort.column} {'DESC' if sort.descending else 'ASC'} NULLS LAST" for sort in sorts]
                order = ", ".join([*words, "id DESC" if directions[-1] else "id"])
                wanted = [number for (number,) in execute(f"SELECT id FROM t ORDER BY {order}")]
                assert around(data, sorts, wanted) == wanted, order


def test_a_column_that_a_link_names_twice_counts_once(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i % 3 FROM generate_series(1, 9) AS i")
    page = catalog.page(data, catalog.find(data, "t"), size=9, sorts=[*by("id", True), *by("a"), *by("id")])
    assert ids(page.rows) == list(range(9, 0, -1))
    assert page.keys == [(str(number),) for number in range(9, 0, -1)]


def around(data: database.Connection, sorts: list[looks.Sort], wanted: list[object]) -> list[object]:
    """Rows by two far jumps: all after some row, and all before it, from which the whole is put together."""
    relation = catalog.find(data, "t")
    known = row_order.about(data, relation)
    first = catalog.page(data, relation, size=23, sorts=sorts, known=known)
    rest = catalog.page(data, relation, size=60, sorts=sorts, after=first.end, known=known)
    back = catalog.page(data, relation, size=23, sorts=sorts, before=rest.start, known=known)
    assert (ids(back.rows), rest.last, first.first) == (ids(first.rows), True, True)
    last = catalog.page(data, relation, size=9, sorts=sorts, at_end=True, known=known)
    assert ids(last.rows) == wanted[-9:]
    return ids(first.rows) + ids(rest.rows)


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
    for sorts in ([], by("w"), by("v", True), [*by("w", True), *by("v")]):
        rows = walk(data, "t", 6, sorts=sorts)
        assert sorted(rows) == everything
        for place, name in enumerate("vw"):
            if sorts and sorts[0].column == name:
                values = [row[place] for row in rows]
                assert values == sorted(values, reverse=sorts[0].descending)  # type: ignore[type-var]


def test_a_table_without_a_key_is_read_from_end_to_end_over_its_gaps(
    data: database.Connection, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "BLOCKS", 1)
    execute("CREATE TABLE t (v int, pad text) WITH (autovacuum_enabled = false)")
    execute("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 3000) AS i")
    execute("DELETE FROM t WHERE v BETWEEN 20 AND 1500 OR v BETWEEN 1600 AND 2900 OR v > 2990")
    rows = walk(data, "t", 40)
    assert ids(rows) == [*range(1, 20), *range(1501, 1600), *range(2901, 2991)]
    execute("DELETE FROM t")
    assert walk(data, "t") == []


def test_the_last_page_of_a_view_counts_its_rows(data: database.Connection, execute: Execute) -> None:
    execute("CREATE VIEW v AS SELECT i FROM generate_series(1, 100) AS i")
    page = catalog.page(data, catalog.find(data, "v"), size=30, at_end=True)
    assert ids(page.rows) == list(range(71, 101))
    assert (page.start, page.end) == (("70",), ("99",))


VALUES: list[tuple[str, object]] = [
    ("5::smallint", 5),
    ("9223372036854775807::bigint", 9223372036854775807),
    ("0.1::real", 0.1),
    ("'-Infinity'::float8", float("-inf")),
    ("true", True),
    ("NULL::json", None),
    ("''::text", ""),
    ("1.50::numeric", "1.50"),
    ("'NaN'::numeric", "NaN"),
    ("'infinity'::timestamptz", "infinity"),
    ("'0044-03-15 BC'::date", "0044-03-15 BC"),
    ("'24:00'::time", "24:00:00"),
    ("'2024-05-06 07:08:09.000001+00'::timestamptz AT TIME ZONE 'UTC'", "2024-05-06 07:08:09.000001"),
    ("'{\"a\": [1, null]}'::jsonb", '{"a": [1, null]}'),
    ("ARRAY['a', NULL, 'b,c']", '{a,NULL,"b,c"}'),
    ("'\\x00ff'::bytea", "\\x00ff"),
    ("int4range(1, 5)", "[1,5)"),
    ("'(1,2)'::point", "(1,2)"),
    ("'178000000 years'::interval", "178000000 years"),
    ("'pg_class'::regclass", "pg_class"),
    ("1::oid", "1"),
    ("'x'::\"char\"", "x"),
]


def test_a_value_is_native_or_postgresqls_own_text(data: database.Connection, execute: Execute) -> None:
    execute("CREATE VIEW v AS SELECT " + ", ".join(f"{expression} AS v{n}" for n, (expression, _) in enumerate(VALUES)))
    data.cursor().execute("SET datestyle = 'German'; SET extra_float_digits = 0; SET bytea_output = 'escape'")
    (row,) = catalog.page(data, catalog.find(data, "v"), size=5).rows
    for found, (expression, value) in zip(row, VALUES, strict=True):
        assert found == value, expression
        assert type(found) is type(value), expression


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
        end = catalog.page(data, relation, size=2, sorts=by(column.name)).end
        assert ids(catalog.page(data, relation, size=2, sorts=by(column.name), after=end).rows) == [3]


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


def test_long_values_are_cut_on_the_server_and_say_so(data: database.Connection, execute: Execute) -> None:
    execute("""
        CREATE TABLE t (id int PRIMARY KEY, body text, raw bytea, doc jsonb, tags text[]);
        INSERT INTO t VALUES (1, repeat('ö', 1000000), decode(repeat('ab', 500000), 'hex'),
            to_jsonb(repeat('x', 100000)), ARRAY[repeat('y', 100000)]);
        INSERT INTO t VALUES (2, repeat('ö', 2000), decode(repeat('ab', 999), 'hex'), '1', '{}');
        INSERT INTO t VALUES (3, repeat('ö', 2001), decode(repeat('ab', 1000), 'hex'), '1', '{}');
    """)
    relation = catalog.find(data, "t")
    long, fits, over = catalog.page(data, relation, size=5).rows
    assert [len(str(value)) for value in long] == [1, 2002, 2002 + len(" (500000 bytes)"), 2002, 2002]
    assert [reading.is_cut(value) for value in long] == [False, True, True, True, True]
    assert [reading.is_cut(value) for value in (*fits, "ö" * 3000)] == [False] * 6
    assert reading.CUT_BYTES.fullmatch(str(long[2])).groups() == ("\\x" + "ab" * 999, "500000")  # type: ignore[union-attr]
    assert fits[1] == "ö" * 2000
    assert fits[2] == "\\x" + "ab" * 999
    assert over[1] == "ö" * 2000 + reading.MARK
    assert over[2] == "\\x" + "ab" * 999 + reading.MARK + " (1000 bytes)"
    assert [len(str(value)) for value in catalog.page(data, relation, size=1, cut=None).rows[0]] == [
        1,
        1_000_000,
        1_000_002,
        100_002,
        100_002,
    ]
    assert catalog.page(data, relation, size=1, cut=3).rows[0][1] == "ööö" + reading.MARK
    whole = catalog.rows_by_key(data, relation, ["body"], [("1",)])
    assert len(str(whole["1",][0])) == 1_000_000
    assert len(str(catalog.rows_by_key(data, relation, ["body"], [("1",)], cut=10)["1",][0])) == 12
    for sort in ("body", "raw", "doc"):
        end = catalog.page(data, relation, size=1, sorts=by(sort, True)).end
        assert end is not None
        assert len(str(end)) < 1000


def test_no_time_goes_by_with_cutting_what_is_never_long(data: database.Connection, execute: Execute) -> None:
    execute("""
        CREATE TYPE mood AS ENUM ('sad');
        CREATE TABLE t (
            id int, limited varchar(98), longer varchar(99), amount numeric(20, 2), called name, at timestamptz,
            span interval, uuid uuid, mood mood, body text, number numeric, scaled numeric(2, -120)
        );
        INSERT INTO t VALUES (
            1, repeat('x', 98), repeat('x', 99), -123456789012345678.99, repeat('n', 63),
            '4000-01-01 00:00:00.000001 BC',
            '-178000000 years -11 mons -2147483648 days -2562047788:00:54.775807', gen_random_uuid(), 'sad',
            repeat('x', 101), 1e150, 1e121
        )
    """)
    relation = catalog.find(data, "t")
    known = row_order.about(data, relation).fields
    cut = [field.column.name for field in known if "left(" in reading.shown(field, 100).as_string(data)]
    assert cut == ["longer", "body", "number", "scaled"]
    page = catalog.page(data, relation, size=1, cut=100)
    names = [column.name for column in page.columns]
    (values,) = page.rows
    assert [name for name, value in zip(names, values, strict=True) if reading.is_cut(value, 100)] == [
        "body",
        "number",
        "scaled",
    ]
    assert max(len(str(value)) for name, value in zip(names, values, strict=True) if name not in cut) <= 98
    assert catalog.page(data, relation, size=1, cut=5, columns=["at", "amount"]).rows == [("4000- …", "-1234 …")]


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
        assert len(walk(data, f"t%{number} {{}}", 2)) == 5
        assert len(walk(data, f"t%{number} {{}}", 2, sorts=by(name, True))) == 5
        found = catalog.find(data, f"t%{number} {{}}")
        assert catalog.rows_by_key(data, found, [name, "v"], [("k%3",)]) == {("k%3",): ("k%3", 3)}


def test_a_type_of_any_name_is_read_sorted_and_keyed(data: database.Connection, execute: Execute) -> None:
    execute("""CREATE TYPE "50%s {} ""x" AS ENUM ('a', 'b', 'c')""")
    execute("""CREATE TABLE t (k "50%s {} ""x" PRIMARY KEY, v "50%s {} ""x")""")
    execute("INSERT INTO t VALUES ('a', 'b'), ('b', 'b'), ('c', 'a')")
    assert ids(walk(data, "t", 1, sorts=by("v"))) == ["c", "a", "b"]
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
    assert walk(data, "no_rows") == []
    for name in ("wide", "wide_view"):
        rows = walk(data, name, 1, sorts=by("c1599"))
        assert [(row[0], row[1599]) for row in rows] == [("b", "y"), ("a", "z")]


def test_rows_that_went_meanwhile_leave_a_page_to_stand_on(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)")
    relation = catalog.find(data, "t")
    execute("DELETE FROM t WHERE id > 5")
    after = catalog.page(data, relation, size=3, after=("8",))
    assert (ids(after.rows), after.first, after.last) == ([3, 4, 5], False, True)
    before = catalog.page(data, relation, size=3, before=("0",))
    assert (ids(before.rows), before.first, before.last) == ([1, 2, 3], True, False)
    short = catalog.page(data, relation, size=3, before=("3",))
    assert (ids(short.rows), short.first) == ([1, 2, 3], True)


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
        lambda: catalog.page(data, relation, size=5, sorts=by("bodie")),
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


def test_keys_that_are_not_there_are_not_in_the_answer(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    execute("INSERT INTO t SELECT i, 'b' || i FROM generate_series(1, 1200) AS i")
    relation = catalog.find(data, "t")
    found = catalog.rows_by_key(data, relation, ["body", "id"], [(str(n),) for n in range(1190, 1210)] + [("0007",)])
    assert found == {(str(n),): (f"b{n}", n) for n in range(1190, 1201)} | {("0007",): ("b7", 7)}
    everything = catalog.rows_by_key(data, relation, ["body"], [(str(n),) for n in range(1, 1201)])
    assert len(everything) == 1200
    assert catalog.rows_by_key(data, relation, ["body"], []) == {}
    assert catalog.rows_by_key(data, relation, [], [("3",)]) == {("3",): ()}


def test_a_key_beyond_a_columns_length_or_precision_is_not_there(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (a varchar(3), b numeric(5, 2), v int, PRIMARY KEY (a, b))")
    execute("INSERT INTO t VALUES ('abc', 1.01, 1)")
    keys = [("abcd", "1.01"), ("abc", "1.009"), ("abc", "1.01")]
    assert catalog.rows_by_key(data, catalog.find(data, "t"), ["v"], keys) == {("abc", "1.01"): (1,)}


def test_a_view_is_read_by_a_key_that_one_names(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE VIEW v AS SELECT i AS id, 'b' || i AS body FROM generate_series(1, 9) AS i")
    with data_pool.lend() as connection:
        relation = catalog.find(connection, "v")
        assert catalog.rows_by_key(connection, relation, ["body"], [("4",)], key=["id"]) == {("4",): ("b4",)}
        with pytest.raises(catalog.CatalogError, match="v has no key"):
            catalog.rows_by_key(connection, relation, ["body"], [("4",)])
        with pytest.raises(catalog.CatalogError, match="has 1 values, not 2"):
            catalog.rows_by_key(connection, relation, ["body"], [("4", "5")], key=["id"])
        with pytest.raises(catalog.CatalogError, match="no such place in v: invalid input syntax"):
            catalog.rows_by_key(connection, relation, ["body"], [("four",)], key=["id"])


@pytest.mark.parametrize(
    ("sorts", "middle"),
    [
        ([], ("9999",)),
        (by("id", True), ("9999",)),
        (by("indexed"), ("2024-01-04", "9999")),
        (by("indexed", True), ("2024-01-04", "9999")),
        (by("pair"), ("25", "9999")),
        (by("pair", True), ("25", "9999")),
        ([*by("pair", True), *by("id")], ("25", "9999")),
    ],
)
def test_a_page_at_any_depth_is_read_from_an_index(
    data: database.Connection,
    execute: Execute,
    monkeypatch: pytest.MonkeyPatch,
    sorts: list[looks.Sort],
    middle: tuple[str, ...],
) -> None:
    execute("""
        CREATE TABLE t (id bigint PRIMARY KEY, indexed timestamptz, pair int NOT NULL, body text);
        INSERT INTO t SELECT i, '2024-01-01'::timestamptz + i % 10000 * interval '1 minute', i % 50, repeat('x', 50)
            FROM generate_series(1, 20000) AS i;
        CREATE INDEX ON t (indexed); CREATE INDEX ON t (pair, id); CREATE INDEX ON t (pair DESC, id);
        CREATE INDEX ON t (pair, indexed DESC); ANALYZE t;
    """)
    relation = catalog.find(data, "t")
    data.cursor().execute("SET random_page_cost = 1.1")
    plans = []
    read = reading.read

    def explained(connection: Any, relation: Any, statement: Any, **options: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(psycopg2.sql.SQL("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) ") + statement)
            plans.append(cursor.fetchone()[0])
        return read(connection, relation, statement, **options)

    monkeypatch.setattr(reading, "read", explained)
    page = catalog.page(data, relation, size=50, sorts=sorts)
    for _ in range(3):
        page = catalog.page(data, relation, size=50, after=page.end, sorts=sorts)
    catalog.page(data, relation, size=50, before=page.start, sorts=sorts)
    catalog.page(data, relation, size=50, after=middle, sorts=sorts)
    catalog.page(data, relation, size=50, at_end=True, sorts=sorts)
    assert len(plans) >= 7
    for (plan,) in plans:
        text = json.dumps(plan)
        assert "Seq Scan" not in text
        assert most_rows(plan["Plan"]) <= 110, text


def most_rows(node: dict[str, Any]) -> float:
    own = node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    return max([float(own), *(most_rows(child) for child in node.get("Plans", []))])


RARE = psycopg2.sql.SQL("r.body LIKE 'rare%'")


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
@pytest.mark.parametrize("back", [False, True])
def test_rare_rows_are_looked_for_until_the_time_is_up_and_then_from_there_on(
    data: database.Connection, execute: Execute, monkeypatch: pytest.MonkeyPatch, key: str, back: bool
) -> None:
    execute(
        f"CREATE TABLE t (id int {key}, body text); INSERT INTO t SELECT i, CASE WHEN i % 4000 = 7 THEN 'rare ' ELSE"
        " 'x' END || i FROM generate_series(1, 20000) AS i; ANALYZE t"
    )
    monkeypatch.setattr(outlook, "SLOW", 100.0)  # as if it were large
    monkeypatch.setattr(keyset, "LAST_WINDOW", keyset.FIRST_WINDOW)
    monkeypatch.setattr(paging, "MOST_BLOCKS", paging.BLOCKS)
    relation = catalog.find(data, "t")
    rare = [7, 4007, 8007, 12007, 16007]
    whole: dict[str, Any] = {"at_end": True} if back else {}
    page = catalog.page(data, relation, size=10, where=RARE, seconds=30, **whole)
    assert (ids(page.rows), page.stopped, page.first, page.last) == (rare, None, True, True)
    found: list[object] = []
    looks_, go_on = 0, whole
    monkeypatch.setattr(keyset.Walk, "left", property(lambda walk: 0.0))  # the time is always up
    while True:
        page = catalog.page(data, relation, size=10, where=RARE, seconds=30, **go_on)
        found = ids(page.rows) + found if back else found + ids(page.rows)
        looks_ += 1
        if page.stopped is None:
            break
        assert (page.first, page.last) == (not back and looks_ == 1, back and looks_ == 1)
        go_on = {"before" if back else "after": _carried(page.stopped)}
        assert looks_ < 100
    assert found == rare
    assert looks_ > 3


def test_a_page_that_takes_too_long_is_stopped_and_says_what_to_do(data: database.Connection, execute: Execute) -> None:
    execute("CREATE VIEW v AS SELECT i, md5(i::text) FROM generate_series(1, 100000000) AS i")
    with pytest.raises(paging.PageTooSlow, match="longer than 0"):
        catalog.page(data, catalog.find(data, "v"), size=5, sorts=by("md5"), seconds=0.2)
    assert catalog.count(data, catalog.find(data, "pg_catalog.pg_am")) > 0  # the transaction is as good as before


def test_a_table_that_somebody_holds_is_not_waited_for_for_long(
    data: database.Connection, execute: Execute, store_pool: database.Database
) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (1, 'x')")
    relation = catalog.find(data, "t")
    data.rollback()
    questions: list[Callable[[], object]] = [
        lambda: catalog.page(data, relation, size=5, seconds=0.3),
        lambda: catalog.page(data, relation, size=5, seconds=0.3, where=RARE, at_end=True),
        lambda: outlook.outlook(data, relation, where=RARE),
        lambda: catalog.page(data, relation, size=5),
    ]
    with store_pool.lend() as holder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlook, "SECONDS", 0.3)
        holder.cursor().execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        for question in questions:
            data.rollback()
            data.cursor().execute("SET LOCAL lock_timeout = '300ms'")
            with pytest.raises(paging.PageTooSlow, match="Somebody holds t exclusively"):
                question()
    data.rollback()
    assert catalog.page(data, relation, size=5).rows == [(1, "x")]


def test_what_was_known_of_a_table_is_no_longer_so(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text); CREATE TABLE u (id int PRIMARY KEY)")
    ways: list[dict[str, Any]] = [{}, {"at_end": True}, {"where": psycopg2.sql.SQL("r.id > 0"), "seconds": 1}]
    found = [(relation, row_order.about(data, relation)) for relation in (catalog.find(data, n) for n in "tu")]
    data.rollback()
    execute("ALTER TABLE t DROP COLUMN body; ALTER TABLE t ADD COLUMN text text; DROP TABLE u")
    for (relation, known), said in zip(found, ["t has changed meanwhile: .*body", "u is no longer there"], strict=True):
        for asked in ways:
            data.rollback()
            with pytest.raises(catalog.CatalogError, match=said):
                catalog.page(data, relation, size=5, known=known, **asked)
        data.rollback()
        with pytest.raises(catalog.CatalogError, match=said):
            outlook.outlook(data, relation, sorts=by("id"), known=known)
