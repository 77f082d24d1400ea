"""What the measurement of Tables counts on."""

from __future__ import annotations

import dataclasses

import pytest

from bench import browse, browse_look, browse_reads, browse_tables
from undertone import database

PAGES = [(column, place) for column in browse_reads.ORDERS.values() for place in browse_reads.PLACES]


def test_all_sides_are_asked_for_the_same_page(store_pool: database.Database, data_pool: database.Database) -> None:
    with store_pool.lend() as owner:
        browse_tables.rows(owner, "small", 2_000)
    ours = browse_reads.Ours(data_pool, "small")
    with data_pool.lend() as connection:
        reads = list(browse_reads.reads(connection, "small", 2_000))
    assert [(read.column, read.place) for read in reads] == PAGES
    for read in reads:
        page = ours.page(read)
        assert ours.everything(read) == page
        assert (page.first, page.last) == (read.place == "first", read.place == "last")
        with data_pool.lend() as connection, connection.cursor() as cursor:
            cursor.execute(read.plain)
            typed = [row[0] for row in cursor.fetchall()]
            assert {*typed} == {row[0] for row in page.rows}, read  # typed backwards it comes backwards
            cursor.execute(";".join(ours.statements(read)))
            assert set(typed) <= {row[0] for row in cursor.fetchall()}


def test_a_page_of_datasette_is_asked_by_its_own_way_on() -> None:
    read = browse_reads.Read("large", "at", "middle", ("2025-01-01 00:00:01", "7"))
    assert read.path() == "/large/large.json?_size=50&_sort=at&_next=2025-01-01%2B00~3A00~3A01%2C7"
    assert browse_reads.Read("large", "id", "forward", ("x", "50")).path() == "/large/large.json?_size=50&_next=50"
    assert browse_reads.Read("large", "id", "last").path() == "/large/large.json?_size=50&_sort_desc=id"
    assert browse_reads.Read("large", "id", "back", ("x", "50")).path() is None


@pytest.fixture
def found() -> browse.Results:
    found = browse.Results(rows=10_000_000)
    for column, place in PAGES:
        what = f"{column} {place}"
        sides = {"psql": 0.001, "statement": 0.0015, "page large": 0.004, "all large": 0.012, "page small": 0.004}
        for side, seconds in sides.items():
            found.seconds[f"{side} {what}"] = [seconds, seconds, 9.0]
        found.seconds[f"datasette {what}"] = [0.006]
    found.seconds["page large at last"] = [0.008]
    found.seconds["first look, rows"] = [0.03]
    found.seconds["tree"] = [0.5]
    found.seconds["click ours"], found.seconds["click bare"] = [0.13], [0.1]
    found.written["csv"] = browse_look.Written(10_000_000, 1_000, 50.0, -5)
    return found


def test_ratios_are_ours_to_theirs_and_the_worst_is_named(
    found: browse.Results, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "\n".join(browse.ratios(found))
    assert "statement / psql: median 1.50, at worst 1.50" in lines
    assert "all of our Python for a page: at worst 12.0 ms" in lines
    assert "10,000,000 rows / 10,000: median 1.00, at worst 2.00 (at last)" in lines
    assert "ours / Datasette's JSON: median 2.00" in lines
    assert "first look: rows after 30.0 ms" in lines
    assert "tree of 2,000 tables: 500 ms" in lines
    assert "written as csv: 0 B more" in lines
    assert "ours / bare: 1.30 (goal: at most 1.5)" in lines
    browse.show(found)
    shown = capsys.readouterr().out
    (line,) = (line for line in shown.splitlines() if line.startswith("last, by an indexed column"))
    assert line.split()[-6:] == ["1.00", "1.50", "8.00", "12.00", "4.00", "6.00"]
    assert "200,000 rows/s" in shown
    some = dataclasses.replace(
        found, seconds={name: times for name, times in found.seconds.items() if "datas" not in name}
    )
    assert "Datasette" not in "\n".join(browse.ratios(some))
