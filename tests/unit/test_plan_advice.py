"""Advice on plans made by hand: said where the plan tells it, and not said where it only looks so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit import test_plan_steps as made
from undertone import amounts, plans

step, plan = made.step, made.plan


def marks(found: plans.Plan) -> list[tuple[str, str]]:
    """Each mark, with the kind of step that has it."""
    return [(node.kind, mark) for node in made.nodes(found) for mark in node.warnings]


def about(found: plans.Plan, words: str) -> list[str]:
    return [sentence for sentence in found.advice if words in sentence]


# Estimates


@pytest.mark.parametrize(
    ("rows", "expected", "mark"),
    [
        (1000, 100, "10 × more rows than estimated"),
        (999, 100, None),
        (100, 1000, "10 × fewer rows than estimated"),
        (101, 1000, None),
        (0, 100, "100 × fewer rows than estimated"),
        (99, 1, None),  # as many times as that, but few
        (0, 99, None),
        (500, 0, None),  # not said
    ],
)
def test_estimates_off_ten_times_are_marked(rows: int, expected: int, mark: str | None) -> None:
    found = plan(step("Seq Scan", ms=5, rows=rows, expected=expected, relation="orders"))
    assert marks(found) == ([("Seq Scan", mark)] if mark else [])
    assert len(about(found, "If the statistics of orders are old, ANALYZE mends that")) == bool(mark)


def test_it_is_told_where_it_begins() -> None:
    scan = step("Seq Scan", ms=5, rows=5000, expected=10, relation="orders")
    other = step("Hash", step("Seq Scan", ms=1, rows=10, expected=10), ms=1, rows=10, expected=10, role="Inner")
    found = plan(
        step("Sort", step("Hash Join", scan, other, ms=9, rows=5000, expected=10), ms=20, rows=5000, expected=10)
    )
    assert [kind for kind, _ in marks(found)] == ["Sort", "Hash Join", "Seq Scan"]
    assert len(about(found, "were expected")) == 1
    assert about(found, "Seq Scan on orders: 10 rows were expected, 5,000 came.")


def test_a_join_of_rightly_judged_inputs_says_that_nobody_can_know() -> None:
    scans = [step("Seq Scan", ms=1, rows=100, expected=100), step("Seq Scan", ms=1, rows=9, expected=9, role="Inner")]
    found = plan(step("Nested Loop", *scans, ms=9, rows=5000, expected=10))
    assert about(found, "how columns of different tables go together, the planner cannot know")


@pytest.mark.parametrize("kind", ["Function Scan", "Recursive Union", "SetOp", "Foreign Scan"])
def test_what_can_only_be_guessed_is_said_to_be(kind: str) -> None:
    found = plan(step(kind, ms=5, rows=5000, expected=10, relation="r"))
    assert about(found, "often can only guess")
    assert not about(found, "ANALYZE")


STOPPED: dict[str, Any] = {"ms": 1, "rows": 5, "expected": 100_000, "relation": "r"}


@pytest.mark.parametrize(
    "root",
    [
        step("Limit", step("Seq Scan", **STOPPED), ms=1),
        step("Limit", step("Nested Loop", step("Seq Scan", **STOPPED), step("Result", ms=0, role="Inner"), ms=1), ms=1),
        step("Limit", step("Aggregate", step("Sort", ms=1), strategy="Sorted", ms=1, rows=3, expected=5000), ms=1),
        step("Merge Join", step("Seq Scan", **STOPPED), step("Seq Scan", **STOPPED, role="Inner"), ms=2),
        step("Nested Loop", step("Result", ms=0), step("Seq Scan", **STOPPED, role="Inner"), join_type="Semi", ms=2),
        step("Nested Loop", step("Result", ms=0), step("Seq Scan", **STOPPED, role="Inner"), inner_unique=True, ms=2),
        step("Hash Join", step("Seq Scan", **STOPPED), step("Hash", ms=0, rows=0, role="Inner"), ms=2, rows=0),
        step("Result", step("Seq Scan", **STOPPED, role="SubPlan"), ms=2),
        step("Result", step("Seq Scan", **STOPPED, role="InitPlan"), ms=2),
        step("Quantum Join", step("Seq Scan", **STOPPED), ms=2),
        step("Merge Join", step("Sort", ms=1), step("Sort", ms=1, rows=90_000, expected=100, role="Inner"), ms=2),
        step("BitmapAnd", ms=1, rows=0, expected=5000),
        step("ModifyTable", ms=1, rows=0, expected=5000, operation="Insert"),
        step("Aggregate", step("Seq Scan", ms=1, rows=0, loops=5000, expected=1), ms=2, strategy="Plain"),  # to 17
    ],
)
def test_few_rows_of_a_step_that_was_stopped_are_no_error(root: dict[str, Any]) -> None:
    found = plan(root)
    assert marks(found) == []
    assert found.advice == ()


@pytest.mark.parametrize(
    "root",
    [
        step("Limit", step("Sort", step("Seq Scan", **STOPPED), ms=2), ms=2),
        step("Limit", step("Aggregate", step("Seq Scan", **STOPPED), strategy="Hashed", ms=2), ms=2),
        step("Gather", step("Seq Scan", **STOPPED), ms=2),
        step("Append", step("Seq Scan", **STOPPED, role="Member"), ms=2),
        step("Hash Join", step("Seq Scan", **STOPPED), step("Hash", ms=0, rows=9, role="Inner"), ms=2),
        step("Limit", step("Hash Join", step("Result", ms=1),
                           step("Hash", step("Seq Scan", **STOPPED), ms=1, role="Inner"), ms=2), ms=2),
        step("Aggregate", step("Seq Scan", ms=1, rows=0.0, loops=5000, expected=1), ms=2, strategy="Plain"),  # since 18
    ],
)  # fmt: skip
def test_few_rows_of_a_step_that_came_to_its_end_are_an_error(root: dict[str, Any]) -> None:
    assert [kind for kind, _ in marks(plan(root))] == ["Seq Scan"]


# What takes time


def test_disk_in_another_process_is_seen() -> None:
    workers = [{"Worker Number": 0, "Sort Space Type": "Disk", "Sort Space Used": 2000}]
    found = plan(step("Sort", ms=50, workers=workers, sort_space_type="Memory", sort_space_used=25))
    assert marks(found) == [("Sort", "spilled 2.0 MB to disk")]


def test_disk_of_an_incremental_sort_is_seen() -> None:
    groups = {"Group Count": 3, "Sort Space Disk": {"Average Sort Space Used": 10, "Peak Sort Space Used": 1000}}
    raw = step("Incremental Sort", ms=50) | {"Full-sort Groups": groups}
    assert marks(plan(raw)) == [("Incremental Sort", "spilled 1.0 MB to disk")]


@pytest.mark.parametrize(("batches", "seen"), [(1, False), (2, True)])
def test_batches_of_a_hash(batches: int, seen: bool) -> None:
    table = step("Hash", step("Seq Scan", ms=1), ms=2, role="Inner") | {"Hash Batches": batches}
    found = plan(step("Hash Join", step("Seq Scan", ms=1), table, ms=9))
    assert bool(about(found, "The hash table for Hash Join did not fit into memory")) == seen


@pytest.mark.parametrize(("removed", "seen"), [(9, True), (8, False)])
def test_rows_thrown_away(removed: int, seen: bool) -> None:
    scan = step("Seq Scan", ms=5, rows=1, expected=1, loops=100, relation="r", filter="(k = 1)", role="Inner")
    scan["Rows Removed by Filter"] = removed
    loop = step("Nested Loop", step("Result", ms=1), scan, ms=600, rows=100, expected=100)
    assert bool(about(plan(loop), "An index on k could find those directly.")) == seen
    scan["Rows Removed by Filter"], scan["Actual Total Time"] = 900, 0.1  # a small part of the whole
    assert marks(plan(loop)) == []


@pytest.mark.parametrize("kind", ["CTE Scan", "Function Scan", "Foreign Scan", "Subquery Scan"])
def test_no_index_for_what_is_no_table(kind: str) -> None:
    raw = step(kind, ms=5, rows=1, filter="(k = 1)") | {"Rows Removed by Filter": 90_000}
    assert marks(plan(raw)) == []
    assert not about(plan(raw | ({"Relation Name": "r"} if kind == "Foreign Scan" else {})), "index")


def test_heaps_that_were_not_vacuumed_and_bitmaps_that_did_not_fit() -> None:
    found = plan(step("Index Only Scan", ms=5, rows=2000, expected=2000) | {"Heap Fetches": 2000})
    assert about(found, "VACUUM")
    found = plan(step("Bitmap Heap Scan", ms=5, rows=2000, expected=2000) | {"Lossy Heap Blocks": 30})
    assert marks(found) == [("Bitmap Heap Scan", "remembered 30 pages only as a whole")]


def test_a_memory_of_answers_that_forgets() -> None:
    raw = step("Memoize", step("Index Scan", ms=5), ms=9) | {
        "Cache Hits": 5,
        "Cache Misses": 900,
        "Cache Evictions": 800,
    }
    assert marks(plan(raw)) == [("Memoize", "forgot 800 answers")]
    assert marks(plan(raw | {"Cache Hits": 5000})) == []


def test_fewer_workers_than_planned() -> None:
    raw = step("Gather", step("Seq Scan", ms=5), ms=9, workers_planned=2, workers_launched=0)
    assert marks(plan(raw)) == [("Gather", "got 0 of 2 workers")]


def test_the_same_at_many_steps_is_said_once() -> None:
    sorts = [
        step("Sort", ms=at, role="Member", sort_space_type="Disk", sort_space_used=at * 100) for at in (10, 90, 20)
    ]
    found = plan(step("Append", *sorts, ms=130))
    assert len(marks(found)) == 3
    (sentence,) = about(found, "work_mem")
    assert "9.2 MB" in sentence
    assert sentence.endswith("The same is marked at 2 other steps.")


# Around the steps


@pytest.mark.parametrize(("planning", "running", "seen"), [(50.0, 20.0, True), (20.0, 50.0, False), (5.0, 1.0, False)])
def test_planning_longer_than_running(planning: float, running: float, seen: bool) -> None:
    found = plan(step("Result", ms=running), Planning_Time=planning, Execution_Time=running)
    assert bool(about(found, "Planning took 50 ms, longer than running (20 ms)")) == seen
    assert bool(found.advice) == seen


@pytest.mark.parametrize(("spent", "seen"), [(30.0, True), (5.0, False)])
def test_compiling_that_takes_long(spent: float, seen: bool) -> None:
    jit = {"Functions": 3, "Timing": {"Generation": {"Total": 1}, "Total": spent}}
    found = plan(step("Result", ms=90.0), JIT=jit, Execution_Time=100.0)
    assert bool(about(found, "Compiling the query (JIT) took 30 ms of 100 ms")) == seen


def test_what_is_quick_is_said_to_be() -> None:
    raw = step("Sort", ms=2.0, sort_space_type="Disk", sort_space_used=100)
    assert plan(raw, Execution_Time=2.5).advice[0].startswith("It took 2.5 ms: what follows matters only if")
    assert not about(plan(raw, Execution_Time=2500.0), "what follows")
    assert plan(step("Result", ms=2.0), Execution_Time=2.5).advice == ()


def test_the_heaviest_comes_first_and_not_all_comes() -> None:
    light = step("Sort", ms=5, role="Member", sort_space_type="Disk", sort_space_used=1)
    heavy = step("Hash", ms=95, role="Member") | {"Hash Batches": 4}
    found = plan(step("Append", light, heavy, ms=101), Execution_Time=101.0)
    assert [sentence.split()[0] for sentence in found.advice] == ["The", "Sort"]


# Figures


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.001, "< 1 %"),
        (0.25, "25 %"),
        (0.99, "99 %"),
        (0.9951, "99.51 %"),
        (0.999999, "99.99 %"),
        (1, "100 %"),
    ],
)
def test_only_nothing_is_0_and_only_all_is_100(share: float, text: str) -> None:
    assert amounts.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.000012, "0.012 ms"),
        (0.0123, "12.3 ms"),
        (0.0996, "100 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (75, "1 min 15 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert amounts.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (0.4, "0.4"), (3.0, "3"), (12.84, "13"), (1234567, "1,234,567"), (1e100, "1e+100")]
)
def test_counts(number: float, text: str) -> None:
    assert amounts.count(number) == text
