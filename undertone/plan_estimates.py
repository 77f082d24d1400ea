"""Where the planner was wrong about rows. Never where a step was stopped before its end, which looks the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from undertone import amounts, plan_findings
from undertone.plan_findings import Finding
from undertone.plan_steps import Step

MISJUDGED = 10.0  # times as many or as few rows as estimated
WORTH_ROWS = 100  # rows; a smaller misjudgement changes nothing
# These take all that their input has before they give a row, or count something else than rows.
BLOCKING = ("Sort", "Hash", "ModifyTable", "Bitmap Heap Scan", "BitmapAnd", "BitmapOr")
PASSING = (
    *("Append", "Merge Append", "Gather", "Gather Merge", "Nested Loop", "Hash Join", "Recursive Union"),
    *("Aggregate", "Group", "Unique", "Incremental Sort", "WindowAgg", "Materialize", "Memoize"),
    *("Result", "ProjectSet", "Subquery Scan", "LockRows"),
)
UNCOUNTED = ("BitmapAnd", "BitmapOr", "ModifyTable", "WorkTable Scan")
GUESSED = (
    *("Function Scan", "Table Function Scan", "ProjectSet", "SetOp", "Recursive Union"),
    *("Foreign Scan", "Custom Scan"),
)
GROUPING = ("Aggregate", "Group", "Unique")


def misjudged(steps: Sequence[Step]) -> Iterator[Finding]:
    """The steps whose rows were far from what the planner expected, with advice where that began."""
    judged = _judged(steps)
    for step, times in judged.items():
        more = times > 1
        mark = f"{amounts.count(times if more else 1 / times)} × {'more' if more else 'fewer'} rows than estimated"
        # What is wrong further down is wrong here, too: only where it begins can something be done.
        sources = [*step.inputs, *([step.cte] if step.cte else [])]
        begins = not any(source in judged and (judged[source] > 1) == more for source in sources)
        yield Finding("estimate", step, mark, _advice(step) if begins else "", step.below if begins else 0.0)


def _advice(step: Step) -> str:
    expected, came = amounts.count(step.estimated), amounts.count(step.rows or 0.0)
    what = f"{plan_findings.name(step)}: {expected} rows were expected, {came} came."
    relation = step.text("Relation Name")
    if step.kind in GUESSED or step.raw.get("Run Condition"):
        return f"{what} How many rows such a step gives, the planner often can only guess."
    if relation:
        return (
            f"{what} If the statistics of {relation} are old, ANALYZE mends that; where several columns of it go"
            " together, CREATE STATISTICS may."
        )
    if step.kind in GROUPING:
        return (
            f"{what} If the statistics of the tables are old, ANALYZE mends that; where groups are of several columns"
            " or of an expression, CREATE STATISTICS may."
        )
    return (
        f"{what} If the statistics of the tables are old, ANALYZE may mend that; how columns of different tables go"
        " together, the planner cannot know."
    )


def _judged(steps: Sequence[Step]) -> dict[Step, float]:
    """Steps that gave far more rows than estimated (how many times: above 1) or far fewer (below 1)."""
    stopped: dict[Step, bool] = {}
    judged = {}
    for step in steps:
        stopped[step] = _may_stop(step, stopped)
        if not step.loops or step.kind in UNCOUNTED or not step.number("Plan Rows"):
            continue
        rows, estimated = step.rows or 0.0, step.estimated
        merged = step.parent is not None and step.parent.kind == "Merge Join" and step.role == "Inner"
        if rows >= MISJUDGED * estimated and rows >= WORTH_ROWS and not merged:  # a merge may read rows again
            judged[step] = rows / estimated
        # Before PostgreSQL 18 the rows of a loop are rounded.
        most = rows + (0.5 * step.loops if isinstance(step.raw.get("Actual Rows"), int) and step.loops > 1 else 0.0)
        if most * MISJUDGED <= estimated and estimated >= WORTH_ROWS and not stopped[step]:
            judged[step] = max(most, 1.0) / estimated
    return judged


def _may_stop(step: Step, stopped: Mapping[Step, bool]) -> bool:
    """Whether the step above may have left rows unread, so that few rows do not tell of a wrong estimate."""
    above = step.parent
    if above is None:
        return False
    if step.role in ("InitPlan", "SubPlan"):
        return True
    if above.kind in BLOCKING or (above.kind == "Aggregate" and above.text("Strategy") in ("Plain", "Hashed", "Mixed")):
        return False
    if above.kind not in PASSING or above.raw.get("Run Condition"):
        return True
    if above.kind == "Nested Loop" and step.role == "Inner":
        once = above.raw.get("Inner Unique") is True or above.text("Join Type") in ("Semi", "Anti")
        return once or stopped[above]
    if above.kind == "Hash Join" and step.role == "Outer":
        table = above.child("Inner")
        return stopped[above] or table is None or not table.rows
    return stopped[above] and above.kind != "Hash Join"
