"""Lists of runs: what they are filtered by, and how much of them is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit import scored
from undertone import database, listing

Execute = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database, execute: Execute) -> scored.Bench:
    execute("CREATE TABLE reviews (id int PRIMARY KEY, body text)")
    execute("CREATE TABLE tickets (id int PRIMARY KEY, body text)")
    execute("INSERT INTO reviews VALUES (1, 'good'), (2, NULL), (3, 'bad')")
    return scored.Bench(data_pool, store_pool)


def ids(bench: scored.Bench, **filters: object) -> list[int]:
    lines, _ = bench.store.ask(listing.runs, **filters)  # type: ignore[arg-type]
    return [line.id for line in lines]


def test_a_line_counts_what_the_runs_chunks_have_done(bench: scored.Bench) -> None:
    run = bench.run("reviews", chunk_rows=2, who="ann")
    ((line,), more) = bench.store.ask(listing.runs)
    assert not more
    assert (line.id, line.source, line.title, line.who) == (run.id, "reviews", "reviews · body", "ann")
    assert (line.rows_total, line.rows, line.scored, line.failed, line.chunks_failed) == (3, 3, 2, 0, 0)
    assert (line.shown_state, line.under_way) == ("finished", False)


def test_rows_that_are_in_no_chunk_are_counted_too(bench: scored.Bench) -> None:
    bench.run("reviews")
    bench.run("reviews")
    lines, _ = bench.store.ask(listing.runs)
    assert [(line.rows, line.scored) for line in lines] == [(3, 0), (3, 2)]


def test_filters_narrow_and_all_of_them_hold(bench: scored.Bench) -> None:
    first = bench.run("reviews", who="ann")
    second = bench.run("tickets", who="bob", condition="id > 5")
    third = bench.run("reviews", who="bob")
    fourth = bench.plan("tickets", who="ann", model="other")
    bench.change(first, "undo")
    assert ids(bench) == [4, 3, 2, 1]
    assert ids(bench, source="reviews") == [3, 1]
    assert ids(bench, who="bob") == [3, 2]
    assert ids(bench, state=listing.UNDER_WAY) == [fourth.id]
    assert ids(bench, state="finished") == [third.id, second.id]
    assert ids(bench, state=listing.UNDONE) == [first.id]
    assert ids(bench, source="tickets", who="bob") == [second.id]
    assert ids(bench, words="TICK oth") == [fourth.id]
    assert ids(bench, words="id > 5") == [second.id]
    assert ids(bench, words="100%") == ids(bench, words="a_b") == []
    assert ids(bench, words="\0 \ud800") == []
    assert bench.store.ask(listing.people) == ["ann", "bob"]


def test_the_newest_come_and_it_is_said_that_there_are_more(bench: scored.Bench) -> None:
    for _ in range(3):
        bench.run("tickets")
    lines, more = bench.store.ask(listing.runs, most=2)
    assert ([line.id for line in lines], more) == ([3, 2], True)
    lines, more = bench.store.ask(listing.runs, most=3)
    assert (len(lines), more) == (3, False)
    assert bench.store.ask(listing.newest) == 3


def test_ones_own_runs_are_under_way_until_they_end(bench: scored.Bench, execute: Execute) -> None:
    mine, other = bench.plan("reviews", who="ann"), bench.plan("tickets", who="bob")
    assert bench.store.ask(listing.under_way, "ann") == [mine.id]
    bench.change(mine, "pause")
    assert bench.store.ask(listing.under_way, "ann") == [mine.id]
    assert bench.store.ask(listing.ended, [mine.id, other.id]) == []
    bench.change(mine, "cancel")
    assert bench.store.ask(listing.under_way, "ann") == []
    (ended,) = bench.store.ask(listing.ended, [mine.id, other.id])
    assert (ended.id, ended.state) == (mine.id, "cancelled")
    execute("UPDATE undertone.runs SET watch_id = 1")
    assert bench.store.ask(listing.under_way, "bob") == []


def test_every_source_has_its_last_run(bench: scored.Bench) -> None:
    bench.run("reviews")
    second = bench.run("reviews")
    third = bench.plan("tickets")
    bench.change(second, "undo")
    found = bench.store.ask(listing.last_runs)
    assert {source: (last.id, last.state, last.undone) for source, last in found.items()} == {
        second.source.id: (second.id, "finished", True),
        third.source.id: (third.id, "planned", False),
    }
    assert bench.store.ask(listing.newest) == third.id
