"""The commands that list tables and tell how one is built: what they say, in which form, and what they refuse."""

from __future__ import annotations

import pathlib

import pytest

from tests.unit import command_line

WORLD = """
DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop;
CREATE TABLE shop.sales (id int, at date, "odd ""%s"" x" text) PARTITION BY RANGE (at);
CREATE TABLE shop.sales_1 PARTITION OF shop.sales FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO shop.sales SELECT n, '2024-05-01' FROM generate_series(1, 700) n; ANALYZE shop.sales;
DELETE FROM shop.sales WHERE id > 600;
CREATE TABLE shop.people (id int PRIMARY KEY, friend int REFERENCES shop.people, CHECK (id > 0));
COMMENT ON TABLE shop.people IS E'People \\x1b[31m';
COMMENT ON COLUMN shop.people.friend IS 'A colleague';
GRANT USAGE ON SCHEMA shop TO undertone_reader; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO undertone_reader
"""


@pytest.fixture(scope="module", autouse=True)
def world(home: pathlib.Path) -> None:
    command_line.as_owner(home, WORLD)


def labels(answer: command_line.Answer) -> list[str]:
    return [one["label"] for one in answer.json]


def test_tables_are_listed_as_the_tree_shows_them(run: command_line.Run) -> None:
    own = run("tables", "--search", "shop.", "--json")
    assert labels(own) == ["shop.people", "shop.sales"]
    people, sales = own.json
    assert set(people) == {"schema", "name", "kind", "rows", "bytes", "comment", "label", "parent", "analysed"}
    assert (people["parent"], people["analysed"]) == (None, None)
    assert (sales["kind"], sales["rows"]) == ("partitioned table", 700)
    every = run("tables", "--partitions", "--json").json
    at = [one["label"] for one in every].index("shop.sales")
    assert (every[at + 1]["label"], every[at + 1]["parent"]) == ("shop.sales_1", "shop.sales")
    assert every[at + 1]["analysed"] is not None
    assert "shop.sales_1" not in labels(run("tables", "--json"))
    # Found by a column's comment, and by words of its name.
    assert labels(run("tables", "--search", "COLLEAGUE", "--json")) == ["shop.people"]
    assert labels(run("tables", "--search", 'odd "%s" sales', "--json")) == ["shop.sales"]
    assert labels(run("tables", "--search", "pg_class", "--json")) == []
    assert "pg_catalog.pg_class" in labels(run("tables", "--search", "pg_class", "--system", "--json"))


def test_rows_are_counted_where_that_is_wanted(run: command_line.Run) -> None:
    counted = run("tables", "--search", "shop.sales", "--partitions", "--exact", "--json").json
    assert {one["label"]: one["rows"] for one in counted} == {"shop.sales": 600, "shop.sales_1": 600}
    shown = run("tables", "--search", "shop.sales", "--exact")
    assert "rows (estimate)" not in shown.out
    assert "600" in shown.out
    assert "rows (estimate)" in run("tables").out


def test_a_structure_is_told_for_people_for_programs_and_for_graphviz(run: command_line.Run) -> None:
    shown = run("structure", "shop.people")
    assert (shown.code, shown.err) == (0, "")
    for words in ("friend", "PRIMARY KEY (id)", "people_pkey", "CHECK (id > 0)", "A colleague"):
        assert words in shown.out
    told = run("structure", "shop.people", "--json").json
    assert told["relation"] == "shop.people"
    assert [(one["columns"], one["target"]) for one in told["refers_to"]] == [(["friend"], "shop.people")]
    assert [one["name"] for one in told["indexes"]] == ["people_pkey"]
    written = run("structure", "shop.people", "--ddl").out
    assert written.startswith("CREATE TABLE shop.people (\n    id integer NOT NULL,")
    assert "COMMENT ON TABLE shop.people IS 'People \x1b[31m';" in written
    graph = run("structure", "shop.people", "--dot").out
    assert graph.startswith("digraph {")
    assert "n0 -> n0" in graph


def test_what_cannot_be_told_is_one_clear_line(run: command_line.Run) -> None:
    assert "There is no table or view" in run("structure", "shop.nowhere").line
    assert run("structure").code == 2
    assert run("structure", "shop.people", "--ddl", "--json").code == 2
    assert run("tables", "--search", "").code == 2
    assert run("tables", "--search", "\udc80").code == 2
