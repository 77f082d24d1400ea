"""What a page promises of itself before it is asked: only what an index serves is called fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg2.sql
import pytest

from undertone import catalog, database, looks, outlook, relations

Execute = Callable[..., list[tuple[object, ...]]]
SORT = "No index has this order: about 5,000 rows are read and sorted before the first one can be shown."
FILTER = "No index serves this filter: up to about 5,000 rows are looked through."
RARE = "r.body LIKE 'rare%'"


@pytest.fixture
def data(data_pool: database.Database, execute: Execute) -> Iterator[database.Connection]:
    execute("""
        CREATE TABLE t (id int PRIMARY KEY, i int, j int, body text);
        INSERT INTO t SELECT i, i, i, 'x' || i FROM generate_series(1, 5000) AS i;
        CREATE INDEX ON t (i); CREATE INDEX ON t (j DESC, i);
        CREATE TABLE bare AS SELECT id, body FROM t;
        CREATE VIEW v AS SELECT j + 1 AS id, body FROM t;
        CREATE VIEW laborious AS SELECT id, (SELECT count(*) FROM t AS x WHERE x.body < t.body) FROM t;
        CREATE TABLE empty ();
    """)
    execute("ANALYZE t, bare")
    with data_pool.lend() as connection:
        yield connection


def ahead(connection: database.Connection, name: str, sort: str, where: str | None) -> outlook.Outlook:
    relation = catalog.find(connection, name)
    sorts = [looks.Sort(part[1:], part[0] == "-") for part in sort.split()]
    condition = None if where is None else psycopg2.sql.SQL(where)
    return outlook.outlook(connection, relation, sorts=sorts, where=condition)


# The table, the order, the condition, and what is said of them.
CASES: list[tuple[str, str, str | None, str]] = [
    ("t", "", None, ""),
    ("t", "-id", None, ""),
    ("t", "+i", None, ""),
    ("t", "-i", None, ""),
    ("t", "-j +i", None, ""),
    ("t", "+body", None, SORT),
    ("t", "+j -i", None, ""),
    ("t", "", RARE, FILTER),
    ("t", "+i", RARE, FILTER),
    ("t", "", "r.i = 7", ""),
    ("t", "-body", "r.i = 7", ""),
    ("t", "", "true", ""),
    ("bare", "", None, ""),
    ("bare", "", RARE, FILTER),
    ("bare", "+id", None, SORT),
    ("empty", "", None, ""),
    ("v", "", None, SORT.replace("about 5,000", "all")),
    ("laborious", "", None, "These rows take long to make, even a few of them."),
]


@pytest.mark.usefixtures("data")
def test_only_what_an_index_serves_is_called_fast(data: database.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, sort, where, _ in CASES:  # few rows are read at once
        assert ahead(data, name, sort, where).words == "" or name == "laborious", (name, sort, where)
    monkeypatch.setattr(outlook, "SLOW", 90.0)  # as if there were many
    for name, sort, where, said in CASES:
        assert ahead(data, name, sort, where).words == said, (name, sort, where)


def test_a_column_that_is_not_there_is_refused(data: database.Connection) -> None:
    with pytest.raises(relations.CatalogError, match=r't has no column "bodie"'):
        ahead(data, "t", "+bodie", None)
