"""What a row's page promises: found by a key of any kind, in full, with what it refers to and what refers to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from undertone import catalog, conditions, database, errors, looks, references, row_copies, rows

Execute = Callable[..., list[tuple[object, ...]]]
NASTY = '50% of "a.b"/ü\'s %s {x} :y'
KEYS = {
    "bigint": ["-9223372036854775808", "17", "9223372036854775807"],
    "numeric": ["-1.50", "0.30000000000000000000001", "NaN"],
    "double precision": ["-Infinity", "0.1", "0.30000000000000004"],
    "boolean": ["false", "true"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "text": ["", "a\nb", 'it\'s "so" 50% {x} \\', "𝕏", "😀"],
    "character(4)": ["a   ", "ab  "],
    "timestamptz": ["2024-01-01 12:00:00.000001+00", "2024-01-01 12:00:00.000002+00", "infinity"],
    "date": ["0001-01-01 BC", "2024-02-29"],
    "interval": ["30 days", "1 year -3 days 04:05:06.7"],
    "bytea": ["\\x", "\\x00ff"],
    "mood": ["sad", "it's 50%"],
    "stars": ["1", "3"],
    "integer[]": ["{}", "{1,NULL}"],
    "inet": ["10.0.0.1", "::1"],
    "jsonb": ["{}", '{"a": 1}'],
    "int4range": ["empty", "[1,5)"],
}


def read(connection: database.Connection, name: str, *key: str) -> rows.Row:
    return rows.read(connection, catalog.find(connection, name), key)


def values(row: rows.Row) -> dict[str, object]:
    return {cell.name: cell.value for cell in row.cells}


def test_a_row_is_found_by_a_key_of_any_kind_and_so_are_those_beside_it(
    execute: Execute, data: database.Connection
) -> None:
    execute("CREATE TYPE mood AS ENUM ('sad', 'it''s 50%', 'happy'); CREATE DOMAIN stars AS int CHECK (value < 6)")
    for number, (kind, keys) in enumerate(KEYS.items()):
        execute(f'CREATE TABLE "t{number}" (note text, k {kind} PRIMARY KEY)')
        for key in keys:
            execute(f'INSERT INTO "t{number}" VALUES (%s, %s)', (f"at {key}", key))
    for number, (kind, keys) in enumerate(KEYS.items()):
        relation = catalog.find(data, f"t{number}")
        for place, key in enumerate(keys):
            row = rows.read(data, relation, [key])
            assert (values(row)["note"], row.key_names) == (f"at {key}", ("k",)), kind
            # The address of the row, as its own key says it, leads to it again.
            given = looks.row_parameters(relation.label, row.key)
            assert rows.read(data, relation, looks.read_key(given)) == row, kind
            around = rows.beside(data, relation, row.key)
            expected = [keys[at] if 0 <= at < len(keys) else None for at in (place - 1, place + 1)]
            for found, other in zip((around.previous, around.next), expected, strict=True):
                assert (found is None) == (other is None), (kind, key)
                if found is not None and other is not None:
                    assert values(rows.read(data, relation, found))["note"] == f"at {other}", kind


def test_a_key_of_several_columns_goes_in_the_order_of_the_key(execute: Execute, data: database.Connection) -> None:
    name = NASTY.replace('"', '""')
    execute(
        f'CREATE TABLE "{name}" (v text, "b.%" int, "a""" text, PRIMARY KEY ("a""", "b.%"));'
        f"INSERT INTO \"{name}\" VALUES ('1', 2, 'x'), ('2', 1, 'y'), ('3', 1, 'x')"
    )
    row = read(data, NASTY, "x", "2")
    assert (row.key_names, row.key, values(row)["v"]) == (('a"', "b.%"), ("x", "2"), "1")
    around = rows.beside(data, row.relation, row.key)
    assert (around.previous, around.next) == (("x", "1"), ("y", "1"))
    assert json.loads(row_copies.as_json(data, row)) == {"v": "1", "b.%": 2, 'a"': "x"}
    with data.cursor() as cursor:
        cursor.execute(row_copies.statement(data, row))
        assert cursor.fetchall() == [("1", 2, "x")]
    with pytest.raises(rows.RowError, match=r"its key has 2 columns.*and the link 1 value"):
        read(data, NASTY, "x")


def test_what_is_no_value_of_the_key_is_one_clear_error(execute: Execute, data: database.Connection) -> None:
    execute("CREATE TABLE t (id bigint PRIMARY KEY)")
    relation = catalog.find(data, "t")
    for key in ("x", "1.5", "99999999999999999999", "", "a\0b", "\ud800", "1; DROP TABLE t"):
        for ask in (rows.read, rows.beside):
            with pytest.raises(rows.RowError, match="This link names no row of t"):
                ask(data, relation, [key])
    with data.cursor() as cursor:  # the connection is as it was
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (0,)


def test_what_is_gone_or_has_no_key_or_is_locked_is_one_clear_error(
    execute: Execute, data: database.Connection, store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'x'), (2, 'y');"
        "CREATE VIEW v AS SELECT * FROM t; CREATE TABLE bare (v text); INSERT INTO bare VALUES ('x')"
    )
    row, relation = read(data, "t", "1"), catalog.find(data, "t")
    with pytest.raises(rows.RowError, match=r'There is no row of t with this key any more.*id "7"'):
        rows.read(data, relation, ["7"])
    assert rows.beside(data, relation, ["7"]) == rows.Beside(("2",), None)
    for name in ("v", "bare"):
        with pytest.raises(rows.RowError, match=f"The rows of {name} have no page of their own"):
            read(data, name, "1")
    data.rollback()
    monkeypatch.setattr(rows, "LOCK_MILLISECONDS", 100)
    with store_pool.lend() as connection:
        connection.cursor().execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(rows.RowError, match="Somebody holds t locked"):
            rows.read(data, relation, ["1"])
        data.rollback()
    execute("DELETE FROM t WHERE id = 1; DROP VIEW v; ALTER TABLE t DROP COLUMN v")
    assert list(values(rows.read(data, relation, ["2"]))) == ["id"]
    with pytest.raises(catalog.CatalogError, match='no column "v"'):
        row_copies.whole(data, row.relation, row.key, "v")
    with pytest.raises(rows.RowError, match="any more"):
        row_copies.as_json(data, row)
    data.rollback()
    execute("DROP TABLE t")
    with pytest.raises(catalog.CatalogError, match="t is no longer there"):
        rows.read(data, relation, ["2"])


def test_values_come_in_full_up_to_a_limit_that_is_said(
    execute: Execute, data: database.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "CREATE TABLE t (id int PRIMARY KEY, n int, f float8, nothing text, empty text, long text, longer text,"
        " b bytea, big bytea, j json);"
        "INSERT INTO t VALUES (1, 5, 'NaN', NULL, '', repeat('é', 20000), repeat('x', 50000), '\\x00ff',"
        " convert_to(repeat('ab', 20000), 'UTF8'), '{\"a\": 12345678901234567890.10,  \"a\": 1}')"
    )
    monkeypatch.setattr(rows, "MOST", 30_000)
    row = read(data, "t", "1")
    found = {cell.name: (cell.value, cell.length, cell.is_cut) for cell in row.cells}
    assert found["n"] == (5, None, False)
    assert found["nothing"] == (None, None, False)
    assert found["empty"] == ("", 0, False)
    assert found["long"] == ("é" * 20_000, 20_000, False)
    assert found["longer"] == ("x" * 30_000, 50_000, True)
    assert found["b"] == ("\\x00ff", 2, False)
    assert found["big"][1:] == (40_000, True)
    assert bytes.fromhex(str(found["big"][0])[2:]) == b"ab" * 2_499 + b"a"
    assert row.texts(["id", "f", "nothing"]) == ("1", "NaN", None)
    assert row.texts(["longer"]) is row.texts(["nowhere"]) is None
    # As a file, a value is whole.
    assert row_copies.whole(data, row.relation, row.key, "longer") == b"x" * 50_000
    assert row_copies.whole(data, row.relation, row.key, "big") == b"ab" * 20_000
    assert row_copies.whole(data, row.relation, row.key, "nothing") == b""
    written = row_copies.as_json(data, row)
    assert '"j":{"a": 12345678901234567890.10,  "a": 1}' in written
    assert json.loads(written)["f"] == "NaN"
    monkeypatch.setattr(row_copies, "MOST_JSON", 30_000)
    monkeypatch.setattr(row_copies, "MOST_WHOLE", 30_000)
    with pytest.raises(rows.RowError, match="too large for JSON"):
        row_copies.as_json(data, row)
    with pytest.raises(rows.RowError, match="too large to be one file"):
        row_copies.whole(data, row.relation, row.key, "big")


def test_a_row_of_1600_columns_is_read(execute: Execute, data: database.Connection) -> None:
    execute(f"CREATE TABLE wide (id int PRIMARY KEY, {', '.join(f'c{n} bool' for n in range(1_599))})")
    execute("INSERT INTO wide (id, c1598) VALUES (1, true)")
    row = read(data, "wide", "1")
    assert (len(row.cells), values(row)["c1598"], values(row)["c0"]) == (1_600, True, None)
    assert json.loads(row_copies.as_json(data, row))["c1598"] is True


# What it refers to, and what refers to it

SHOP = """
CREATE SCHEMA "s.1";
CREATE TABLE people (id bigint PRIMARY KEY, note text, name text, boss bigint REFERENCES people);
CREATE TABLE "s.1"."o'rders" (nr int, "year%" int, person int REFERENCES people, memo text, PRIMARY KEY ("year%", nr));
CREATE TABLE items (id int PRIMARY KEY, nr int, "year%" int, other bigint,
                    FOREIGN KEY (nr, "year%") REFERENCES "s.1"."o'rders" (nr, "year%"));
CREATE TABLE codes (id int PRIMARY KEY, code text UNIQUE);
CREATE TABLE uses (id int PRIMARY KEY, code text REFERENCES codes (code));
CREATE TABLE secrets (id int PRIMARY KEY, person bigint REFERENCES people);
CREATE TABLE parted (id int, person bigint REFERENCES people, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE of_parted (id int PRIMARY KEY, parted int REFERENCES parted);
INSERT INTO people VALUES (1, 'first', 'Ann  ' || repeat('x', 200), NULL), (2, NULL, 'Bo', 1),
                          (5000000000, '', 'Cy', 5000000000);
INSERT INTO "s.1"."o'rders" VALUES (1, 2024, 1, 'hello'), (2, 2024, 1, ''), (3, 2024, NULL, NULL);
INSERT INTO items VALUES (1, 1, 2024, 9), (2, 1, 2024, 9), (3, NULL, 2024, 9);
INSERT INTO codes VALUES (1, 'it''s 50%');
INSERT INTO uses VALUES (1, 'it''s 50%');
INSERT INTO secrets VALUES (1, 1);
INSERT INTO parted VALUES (1, 1);
INSERT INTO of_parted VALUES (1, 1);
GRANT USAGE ON SCHEMA "s.1" TO undertone_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA "s.1" TO undertone_reader;
REVOKE SELECT ON secrets FROM undertone_reader;
"""


def out(connection: database.Connection, name: str, *key: str) -> list[tuple[Any, ...]]:
    found = references.outgoing(connection, read(connection, name, *key))
    return [(target.columns, target.relation.label, target.key, target.words) for target in found]


def pointing(connection: database.Connection, name: str, *key: str) -> dict[tuple[str, ...], Any]:
    found = references.incoming(connection, read(connection, name, *key))
    return {(one.relation.label, *one.columns): (one.count, one.more) for one in found}


def equal(**those: str) -> conditions.Group:
    return conditions.Group(tuple(conditions.Condition(name, "eq", (value,)) for name, value in those.items()))


def test_foreign_keys_lead_to_their_rows_and_back(
    execute: Execute, data: database.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(SHOP)
    orders = '"s.1"."o\'rders"'
    assert out(data, orders, "2024", "1") == [(("person",), "people", ("1",), "Ann " + "x" * 75 + " …")]
    assert out(data, orders, "2024", "3") == []  # NULL refers to nothing
    assert out(data, "items", "1") == [(("nr", "year%"), orders, ("2024", "1"), "hello")]
    assert out(data, "items", "3") == []
    assert out(data, "uses", "1") == [(("code",), "codes", None, "")]  # not by its key: it is shown in its table
    (target,) = references.outgoing(data, read(data, "uses", "1"))
    assert (target.look.table, target.look.where) == ("codes", equal(code="it's 50%"))
    assert out(data, "of_parted", "1") == [(("parted",), "parted", ("1",), "")]
    assert out(data, "part_1", "1") == [(("person",), "people", ("1",), "Ann " + "x" * 75 + " …")]

    # Not the partition beside its parent, and nothing of what may not be read.
    assert pointing(data, "people", "1") == {
        (orders, "person"): (2, False),
        ("parted", "person"): (1, False),
        ("people", "boss"): (1, False),
    }
    # A key that the column that refers to it could not hold.
    assert pointing(data, "people", "5000000000")[orders, "person"] == (0, False)
    assert pointing(data, "people", "5000000000")["people", "boss"] == (1, False)
    assert pointing(data, "parted", "1") == {("of_parted", "parted"): (1, False)}
    assert pointing(data, "codes", "1") == {("uses", "code"): (1, False)}
    (one,) = references.incoming(data, read(data, orders, "2024", "1"))
    assert (one.look.table, one.look.where, one.count) == ("items", equal(nr="1", **{"year%": "2024"}), 2)

    monkeypatch.setattr(references, "COUNTED", 1)
    assert pointing(data, "people", "1")[orders, "person"] == (1, True)
    monkeypatch.setattr(references, "COUNT_SECONDS", 0)
    assert pointing(data, "people", "1")[orders, "person"] == (None, False)
    monkeypatch.setattr(references, "DESCRIBE_SECONDS", 0)
    assert out(data, orders, "2024", "1") == [(("person",), "people", ("1",), "")]


def test_counting_rows_that_refer_to_one_waits_for_nobody(
    execute: Execute, data: database.Connection, store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(SHOP)
    monkeypatch.setattr(references, "COUNT_MILLISECONDS", 50)
    row = read(data, "people", "1")
    data.rollback()
    with store_pool.lend() as connection:
        connection.cursor().execute("LOCK TABLE parted IN ACCESS EXCLUSIVE MODE")
        found = {one.relation.label: one.count for one in references.incoming(data, row)}
    assert found == {'"s.1"."o\'rders"': 2, "parted": None, "people": 1}


def test_errors_of_rows_are_errors_that_a_person_is_told() -> None:
    assert issubclass(rows.RowError, catalog.CatalogError)
    assert issubclass(rows.RowError, errors.UndertoneError)
