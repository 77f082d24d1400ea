"""What a value is when it has travelled, how long ones are cut, and rows that are read by their keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit import walked
from undertone import catalog, database, reading, row_order

Execute = Callable[..., list[tuple[object, ...]]]


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
    assert reading.CUT_BYTES.fullmatch(str(long[2])).groups() == ("\\x" + "ab" * 999, "500000")
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
        end = catalog.page(data, relation, size=1, sorts=walked.by(sort, True)).end
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
