"""What pages promise in any order, under conditions and in a limited time: by an index, or looked through."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import psycopg2.sql
import pytest

from tests.unit import walked
from undertone import catalog, database, keyset, looks, outlook, paging, reading, row_order

Execute = Callable[..., list[tuple[object, ...]]]


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
    page = catalog.page(
        data, catalog.find(data, "t"), size=9, sorts=[*walked.by("id", True), *walked.by("a"), *walked.by("id")]
    )
    assert walked.ids(page.rows) == list(range(9, 0, -1))
    assert page.keys == [(str(number),) for number in range(9, 0, -1)]


def around(data: database.Connection, sorts: list[looks.Sort], wanted: list[object]) -> list[object]:
    """Rows by two far jumps: all after some row, and all before it, from which the whole is put together."""
    relation = catalog.find(data, "t")
    known = row_order.about(data, relation)
    first = catalog.page(data, relation, size=23, sorts=sorts, known=known)
    rest = catalog.page(data, relation, size=60, sorts=sorts, after=first.end, known=known)
    back = catalog.page(data, relation, size=23, sorts=sorts, before=rest.start, known=known)
    assert (walked.ids(back.rows), rest.last, first.first) == (walked.ids(first.rows), True, True)
    last = catalog.page(data, relation, size=9, sorts=sorts, at_end=True, known=known)
    assert walked.ids(last.rows) == wanted[-9:]
    return walked.ids(first.rows) + walked.ids(rest.rows)


@pytest.mark.parametrize(
    ("sorts", "middle"),
    [
        ([], ("9999",)),
        (walked.by("id", True), ("9999",)),
        (walked.by("indexed"), ("2024-01-04", "9999")),
        (walked.by("indexed", True), ("2024-01-04", "9999")),
        (walked.by("pair"), ("25", "9999")),
        (walked.by("pair", True), ("25", "9999")),
        ([*walked.by("pair", True), *walked.by("id")], ("25", "9999")),
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
    assert (walked.ids(page.rows), page.stopped, page.first, page.last) == (rare, None, True, True)
    found: list[object] = []
    looks_, go_on = 0, whole
    monkeypatch.setattr(keyset.Walk, "left", property(lambda walk: 0.0))  # the time is always up
    while True:
        page = catalog.page(data, relation, size=10, where=RARE, seconds=30, **go_on)
        found = walked.ids(page.rows) + found if back else found + walked.ids(page.rows)
        looks_ += 1
        if page.stopped is None:
            break
        assert (page.first, page.last) == (not back and looks_ == 1, back and looks_ == 1)
        go_on = {"before" if back else "after": walked.carried(page.stopped)}
        assert looks_ < 100
    assert found == rare
    assert looks_ > 3


def test_a_page_that_takes_too_long_is_stopped_and_says_what_to_do(data: database.Connection, execute: Execute) -> None:
    execute("CREATE VIEW v AS SELECT i, md5(i::text) FROM generate_series(1, 100000000) AS i")
    with pytest.raises(paging.PageTooSlow, match="longer than 0"):
        catalog.page(data, catalog.find(data, "v"), size=5, sorts=walked.by("md5"), seconds=0.2)
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
            outlook.outlook(data, relation, sorts=walked.by("id"), known=known)
