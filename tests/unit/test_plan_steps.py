"""Plans made by hand: what belongs to each step, in cases that a server shows only now and then."""

from __future__ import annotations

import itertools
import json
import pickle
from typing import Any

import pytest

from undertone import plan_text, plan_words, plans

Raw = dict[str, Any]


def step(kind: str, *children: Raw, role: str = "Outer", **fields: Any) -> Raw:
    """A step as PostgreSQL tells it; `ms`, `rows` and `loops` are per loop, and with what is beneath."""
    short = {"ms": "Actual Total Time", "rows": "Actual Rows", "loops": "Actual Loops", "cost": "Total Cost"}
    short |= {"expected": "Plan Rows", "name": "Subplan Name", "relation": "Relation Name", "cte": "CTE Name"}
    raw: Raw = {"Node Type": kind, "Parent Relationship": role, "Startup Cost": 0.0, "Plan Width": 4}
    raw |= {short.get(field, field.replace("_", " ").title()): value for field, value in fields.items()}
    if "ms" in fields or "rows" in fields:
        raw = {"Actual Rows": 1, "Actual Loops": 1, "Plan Rows": 1, "Total Cost": 1.0} | raw
    return raw | ({"Plans": list(children)} if children else {})


def plan(root: Any, **around: Any) -> plans.Plan:
    return plans.read(json.dumps([{"Plan": root} | {name.replace("_", " "): value for name, value in around.items()}]))


def nodes(found: plans.Plan) -> list[plans.Node]:
    return [node for _, node in plan_text.walk(found.root)]


def times(found: plans.Plan) -> list[float]:
    """Milliseconds, each step's own."""
    return [round((node.seconds or 0) * 1000, 6) for node in nodes(found)]


# Time


def test_time_is_per_loop_and_with_what_is_beneath() -> None:
    inner = step("Index Scan", ms=0.02, loops=1000, rows=1, role="Inner")
    found = plan(step("Nested Loop", step("Seq Scan", ms=5, rows=1000), inner, ms=30, rows=1000))
    assert times(found) == [5, 5, 20]
    assert [node.rows for node in nodes(found)] == [1000, 1000, 1000]
    assert found.costliest.kind == "Index Scan"


def test_averages_that_do_not_add_up_leave_nothing_negative() -> None:
    inner = step("Index Scan", ms=0.05, loops=1000, role="Inner")
    found = plan(step("Nested Loop", step("Seq Scan", ms=5), inner, ms=30))
    assert times(found) == [0, 5, 50]
    assert sum(node.share for node in nodes(found)) == pytest.approx(1)


def test_a_cte_is_in_the_time_of_those_who_read_it() -> None:
    cte = step("Seq Scan", ms=60, role="InitPlan", name="CTE x")
    first, second = step("CTE Scan", ms=70, cte="x"), step("CTE Scan", ms=10, cte="x", role="Inner")
    found = plan(step("Hash Join", cte, first, step("Hash", second, ms=12, role="Inner"), ms=90))
    assert times(found) == [8, 60, 10, 2, 10]


def test_of_ctes_of_one_name_the_nearest_is_read() -> None:
    inside = step("Limit", step("Sort", ms=4, role="InitPlan", name="CTE x"), step("CTE Scan", ms=5, cte="x"), ms=6)
    outside = step("Seq Scan", ms=20, role="InitPlan", name="CTE x")
    found = plan(step("Append", outside, step("CTE Scan", ms=22, cte="x", role="Member"), inside, ms=30))
    assert times(found) == [2, 20, 2, 1, 4, 1]


@pytest.mark.parametrize(
    ("name", "used"), [("InitPlan 1 (returns $0)", "(a = $0)"), ("InitPlan 1", "(a = (InitPlan 1).col1)")]
)
def test_an_init_plan_is_in_the_time_of_the_step_that_asks_for_it(name: str, used: str) -> None:
    asked = step("Aggregate", ms=40, role="InitPlan", name=name)
    found = plan(step("Sort", asked, step("Seq Scan", ms=45, filter=used), ms=50))
    assert times(found) == [5, 40, 5]


def test_an_init_plan_that_nobody_is_seen_to_ask_for_is_in_the_step_above() -> None:
    found = plan(step("Result", step("Aggregate", ms=40, role="InitPlan", name="expr_1"), ms=42))
    assert times(found) == [2, 40]


def test_an_init_plan_asked_for_by_all_workers_runs_before_them() -> None:
    asked = step("Aggregate", ms=40, role="InitPlan", name="InitPlan 1")
    scan = step("Seq Scan", ms=30, loops=3, filter="(a > (InitPlan 1).col1)", parallel_aware=True)
    found = plan(step("Aggregate", asked, step("Gather", scan, ms=100, workers_planned=2, workers_launched=2), ms=101))
    assert times(found) == [1, 40, 60, 0]


def test_a_subquery_is_in_the_time_of_the_step_above() -> None:
    found = plan(step("Seq Scan", step("Index Scan", ms=0.5, loops=50, role="SubPlan", name="SubPlan 1"), ms=30))
    assert times(found) == [5, 25]
    assert "a subquery that the step above runs" in nodes(found)[1].words


def test_processes_side_by_side_count_once() -> None:
    scan = step("Seq Scan", ms=20, loops=3, rows=100, parallel_aware=True)
    inner = step("Index Scan", ms=0.01, loops=300, role="Inner")
    join = step("Nested Loop", scan, inner, ms=25, loops=3)
    found = plan(step("Gather", join, ms=30, workers_planned=2, workers_launched=2))
    assert times(found) == [5, 4, 20, 1]
    assert nodes(found)[2].rows == 300
    assert nodes(found)[2].kind == "Parallel Seq Scan"


def test_a_gather_that_runs_again_counts_its_processes_each_time() -> None:
    gather = step("Gather", step("Seq Scan", ms=2, loops=20), ms=4, loops=10, role="Inner")
    assert times(plan(step("Nested Loop", step("Result", ms=1), gather, ms=45))) == [4, 1, 20, 20]


def test_what_was_never_run_takes_nothing() -> None:
    scan = step("Seq Scan", ms=0, rows=0, loops=0, expected=500, role="Inner")
    found = plan(step("Nested Loop", step("Seq Scan", ms=3, rows=0), scan, ms=3, rows=0))
    unrun = nodes(found)[2]
    assert (unrun.rows, unrun.loops, unrun.seconds, unrun.rows_estimated, unrun.warnings) == (0, 0, 0, 500, ())
    assert unrun.figures.endswith("(never executed)")
    assert plan_words.UNRUN in unrun.words


def test_rows_have_fractions_since_18() -> None:
    new = plan(step("Seq Scan", ms=1, rows=12.84, loops=25)).root
    assert (new.rows, "rows=12.84" in new.figures) == (321, True)
    old = plan(step("Seq Scan", ms=1, rows=13, loops=25)).root
    assert (old.rows, "rows=13 " in old.figures) == (325, True)


# Cost, where no time was taken


def test_without_times_the_cost_is_shared_out() -> None:
    found = plan(step("Sort", step("Seq Scan", cost=70.0, expected=5), cost=100.0, expected=5))
    assert [node.cost for node in nodes(found)] == [30, 70]
    assert [node.share for node in nodes(found)] == [0.3, 0.7]
    assert (found.root.rows, found.root.seconds, found.root.loops) == (None, None, None)


def test_the_inner_side_of_a_loop_is_paid_for_each_row() -> None:
    inner = step("Index Scan", cost=2.0, expected=1, role="Inner")
    found = plan(step("Nested Loop", step("Seq Scan", cost=10.0, expected=40), inner, cost=100.0, expected=40))
    assert [node.cost for node in nodes(found)] == [10, 10, 80]
    kept = step("Materialize", cost=2.0, expected=1, role="Inner")
    found = plan(step("Nested Loop", step("Seq Scan", cost=10.0, expected=40), kept, cost=100.0, expected=40))
    assert [node.cost for node in nodes(found)] == [88, 10, 2]


def test_a_limit_pays_a_part_of_what_is_beneath() -> None:
    found = plan(step("Limit", step("Sort", step("Seq Scan", cost=600.0), cost=1000.0), cost=10.0))
    assert [round(node.cost, 6) for node in nodes(found)] == [0, 4, 6]


@pytest.mark.parametrize(("how", "cost"), [("(NOT (hashed SubPlan 1))", 5), ("(SubPlan 1)", 95)])
def test_a_subquery_is_paid_once_if_hashed(how: str, cost: float) -> None:
    sub = step("Seq Scan", cost=5.0, role="SubPlan", name="SubPlan 1")
    found = plan(step("Seq Scan", sub, cost=95.0, expected=40, filter=how))
    assert nodes(found)[1].cost == cost


def test_times_without_a_clock_are_none() -> None:
    raw = step("Seq Scan", rows=5, cost=10.0)
    found = plan(raw)
    assert (found.root.rows, found.root.seconds, found.root.share) == (5, None, 1)
    assert "(actual rows=5 loops=1)" in found.root.figures


# What is missing, or of tomorrow


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "{}",
        "null",
        "1",
        '"Plan"',
        '[{"Plan": []}]',
        '[{"Plan": null}]',
        "[[[]]]",
        "Seq Scan on x",
        '[{"Plan":',
    ],
)
def test_what_is_no_plan_is_an_error(answer: str) -> None:
    with pytest.raises(plans.PlanError) as caught:
        plans.read(answer)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "root",
    [
        {},
        {"Node Type": None, "Plans": None},
        {"Node Type": 5, "Plans": {"a": 1}},
        {"Node Type": "Sort", "Plans": [1, None, "x", [], {}], "Sort Key": None, "Workers": 3},
        {"Node Type": "Seq Scan", "Actual Rows": "many", "Actual Loops": -1, "Plan Rows": True, "Total Cost": "x"},
        {"Node Type": "Seq Scan", "Actual Total Time": float("inf"), "Actual Rows": float("nan"), "Actual Loops": 1},
        {"Node Type": "Nested Loop", "Actual Loops": 1e308, "Actual Total Time": 1e308, "Actual Rows": 1e308},
        {"Node Type": "Hash", "Hash Batches": [1], "Sort Space Used": {}, "Full-sort Groups": 1, "Filter": ["a", "b"]},
        {"Node Type": "CTE Scan", "CTE Name": "x", "Parent Relationship": "InitPlan", "Subplan Name": "CTE x"},
        {"Node Type": "Gather", "Actual Loops": 0, "Plans": [{"Actual Loops": 3, "Actual Total Time": 1.0}]},
    ],
)
@pytest.mark.parametrize("around", [{}, {"Planning Time": "x", "Execution Time": None, "JIT": 1, "Settings": []}])
def test_missing_and_odd_fields_do_no_harm(root: Raw, around: Raw) -> None:
    found = plan(root, **around)
    assert plans.text(found)
    assert list(plans.postgres_lines(found))
    assert all(0 <= node.share <= 1 for node in nodes(found))


def test_a_kind_of_tomorrow_is_shown_as_it_is() -> None:
    found = plan(step("Quantum Scan", ms=5, relation="cats", entangled_with="dogs", shots=[1, 2], setup={"a": [1]}))
    assert found.root.title == "Quantum Scan on cats"
    assert plan_words.UNKNOWN in found.root.words
    details = dict(found.root.details)
    assert (details["Entangled With"], details["Shots"], details["Setup"]) == ("dogs", "1, 2", '{"a": [1]}')


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"kind": "Foreign Scan", "operation": "Select", "relation": "r", "alias": "r"}, "Foreign Scan on r"),
        ({"kind": "Foreign Scan", "operation": "Update", "relation": "r", "alias": "x"}, "Foreign Update on r x"),
        ({"kind": "Foreign Scan", "async_capable": True, "relation": "r"}, "Async Foreign Scan on r"),
        ({"kind": "Custom Scan", "custom_plan_provider": "Chunks"}, "Custom Scan (Chunks)"),
        ({"kind": "ModifyTable", "operation": "Insert", "relation": "r"}, "Insert on r"),
        ({"kind": "SetOp", "strategy": "Hashed", "command": "Except All"}, "HashSetOp Except All"),
        ({"kind": "Hash Join", "join_type": "Right Semi"}, "Hash Right Semi Join"),
        ({"kind": "Merge Join", "join_type": "Inner"}, "Merge Join"),
        ({"kind": "Aggregate", "strategy": "Mixed", "partial_mode": "Simple"}, "MixedAggregate"),
        ({"kind": "Aggregate", "strategy": "Sorted", "partial_mode": "Finalize"}, "Finalize GroupAggregate"),
        ({"kind": "Index Scan", "scan_direction": "Backward", "index_name": "i", "relation": "r", "schema": "s"},
         "Index Scan Backward using i on s.r"),
        ({"kind": "Bitmap Index Scan", "index_name": "i"}, "Bitmap Index Scan on i"),
        ({"kind": "Tid Range Scan", "relation": "r"}, "Tid Range Scan on r"),
    ],
)  # fmt: skip
def test_a_step_is_called_as_in_postgresqls_text(fields: Raw, title: str) -> None:
    assert plan(step(fields.pop("kind"), **fields)).root.title == title


def test_pruned_partitions_are_told() -> None:
    assert "1,200 of its inputs" in plan(step("Append", subplans_removed=1200, ms=1)).root.words


def test_a_setting_against_a_kind_of_step_is_told() -> None:
    assert "there was no other way" in plan(step("Seq Scan", disabled=True)).root.words


# Long and deep


def test_a_plan_of_ten_thousand_levels() -> None:
    depth = 10_000
    root = '{"Node Type":"Limit","Actual Total Time":%d.0,"Actual Rows":1,"Actual Loops":1,"Plans":['
    answer = '[{"Plan":' + "".join(root % (depth - at) for at in range(depth)) + "{}" + "]}" * depth + "}]"
    found = plans.read(answer)
    assert found.size == depth + 1
    assert pickle.loads(pickle.dumps(found)) == found
    assert (hash(found), repr(found)[:4], repr(found.root)[:4]) == (hash(found), "Plan", "Node")
    assert len(plans.text(found)) < 200 * depth
    assert sum(map(len, plans.postgres_lines(found))) < 400 * depth


def many(count: int) -> plans.Plan:
    scans = [step("Seq Scan", ms=1 if at != 7_777 else 500, role="Member", relation=f"t{at}") for at in range(count)]
    return plan(step("Append", *scans, ms=count + 600))


def test_of_ten_thousand_steps_the_costliest_are_picked() -> None:
    found = many(10_000)
    rows = plans.pick(found, 100)
    kept = [row.node for row in rows if row.node is not None]
    assert len(kept) == 100
    assert found.root in kept
    assert found.costliest in kept
    assert found.costliest.title == "Seq Scan on t7777"
    gaps = [row for row in rows if row.node is None]
    assert sum(row.left_out for row in gaps) + len(kept) == found.size == 10_001
    left = sum(row.share for row in gaps)
    assert left + sum(node.share for node in kept) == pytest.approx(1)
    assert not any(one.node is None and other.node is None for one, other in itertools.pairwise(rows))


def test_of_a_few_steps_all_are_picked() -> None:
    found = many(99)
    assert [row.node for row in plans.pick(found, 100)] == nodes(found)


def test_those_above_a_costly_step_are_picked_while_there_is_room() -> None:
    chain = step("Seq Scan", ms=900)
    for _ in range(5):
        chain = step("Limit", chain, ms=901)
    cheap = [step("Seq Scan", ms=1, role="Member") for _ in range(200)]
    found = plan(step("Append", *cheap, chain, ms=1200))
    rows = plans.pick(found, 10)
    assert [row.depth for row in rows if row.node] == [0, 1, 1, 1, 1, 2, 3, 4, 5, 6]
