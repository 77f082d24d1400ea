"""What a step of a plan is called, what it is about, and what it means, for somebody who has never read a plan."""

from __future__ import annotations

from undertone import plan_steps

MOST_CHARACTERS = 200  # of what a step is about

MEANINGS = {
    "Seq Scan": "Reads the whole table from beginning to end, and keeps the rows that pass its filter, if it has one.",
    "Sample Scan": "Reads a random part of the table, as TABLESAMPLE asks.",
    "Index Scan": "Looks entries up in an index, and fetches the row of each from the table.",
    "Index Only Scan": "Answers from an index alone; rows changed lately are looked up in the table (heap fetches).",
    "Bitmap Index Scan": "Collects from an index the places of all rows that match, for the step above to fetch.",
    "Bitmap Heap Scan": "Fetches the rows whose places were collected below, in the table's own order.",
    "BitmapAnd": "Keeps the places of rows that every index below has found.",
    "BitmapOr": "Puts together the places of rows that any index below has found.",
    "Tid Scan": "Fetches rows by their place in the table (ctid).",
    "Tid Range Scan": "Reads a range of places in the table (ctid).",
    "Subquery Scan": "Passes on the rows of a subquery, filtered or with other columns.",
    "Function Scan": "Calls a function that gives rows, and keeps them all before passing them on.",
    "Table Function Scan": "Takes rows out of XML or JSON, as XMLTABLE or JSON_TABLE asks.",
    "Values Scan": "Gives the rows that VALUES lists in the statement itself.",
    "CTE Scan": "Reads the rows of a WITH query, which is worked out once and kept.",
    "Named Tuplestore Scan": "Reads rows that a trigger kept.",
    "WorkTable Scan": "Reads the rows that the last round of the recursion gave.",
    "Foreign Scan": "Asks another server or a file for the rows.",
    "Custom Scan": "Reads rows in a way that an extension brings.",
    "Nested Loop": "For each row of the first input, runs the second to find its partners. Good for few rows.",
    "Merge Join": "Walks through two inputs sorted alike, side by side, and joins what is equal.",
    "Hash Join": "Looks each row of the first input up in a hash table made of the second.",
    "Hash": "Puts all rows from below into a hash table in memory, for the join above.",
    "Materialize": "Keeps the rows from below, so that they can be read again without working them out again.",
    "Memoize": "Remembers the answers for keys it has seen, so that the step below need not run again for them.",
    "Sort": "Sorts all rows before it passes on the first.",
    "Incremental Sort": "Sorts rows that are sorted by the first columns already, one small group at a time.",
    "Group": "Makes one row of each group of sorted rows.",
    "WindowAgg": "Works out window functions (OVER …) across the rows, and keeps every row.",
    "Unique": "Drops rows equal to the one before; its input is sorted.",
    "SetOp": "Compares two inputs for INTERSECT or EXCEPT.",
    "LockRows": "Locks the rows, as FOR UPDATE or FOR SHARE asks.",
    "Limit": "Passes on the first rows only, then stops everything beneath it.",
    "Result": "Works out a row without reading a table, or checks a condition once for all.",
    "ProjectSet": "Calls a function in the SELECT list that gives several rows for one.",
    "ModifyTable": "Writes rows to a table.",
    "Append": "Passes on the rows of several inputs, such as partitions or parts of a UNION ALL, one after another.",
    "Merge Append": "Merges several inputs that are sorted alike, such as partitions, and keeps the order.",
    "Recursive Union": "Runs the recursive part of WITH RECURSIVE again and again, until it gives no more rows.",
    "Gather": "Collects rows from several processes that work at the same time.",
    "Gather Merge": "Collects sorted rows from several processes that work at the same time, and keeps the order.",
}
AGGREGATES = {  # by strategy: PostgreSQL's name, and what it means
    "Plain": ("Aggregate", "Makes one row of all rows, such as a count or a sum."),
    "Sorted": ("GroupAggregate", "Makes one row of each group; its input comes sorted by group."),
    "Hashed": ("HashAggregate", "Makes one row of each group; keeps all groups in memory while it reads."),
    "Mixed": ("MixedAggregate", "Makes rows for several groupings at once (GROUPING SETS, CUBE, ROLLUP)."),
}
PARTIAL = {
    "Partial": "Each process does it for its share of the rows.",
    "Finalize": "Puts together what several processes, or several partitions, have made.",
}
JOINS = {
    "Left": "Rows of the first input without a partner are kept.",
    "Right": "Rows of the second input without a partner are kept.",
    "Full": "Rows without a partner are kept from both.",
    "Semi": "Of the first input, rows that have a partner are kept, once each (EXISTS, IN).",
    "Anti": "Of the first input, only rows without a partner are kept (NOT EXISTS).",
    "Right Semi": "Of the second input, rows that have a partner are kept, once each (EXISTS, IN).",
    "Right Anti": "Of the second input, only rows without a partner are kept (NOT EXISTS).",
}
ROLES = {
    "InitPlan": "It is worked out once, when first needed, and its answer used in the query.",
    "SubPlan": "It is a subquery that the step above runs for its rows.",
}
UNKNOWN = "A kind of step that Undertone has no words for; PostgreSQL's documentation may."
UNRUN = "It was never run: nothing needed its rows."


def kind(step: plan_steps.Step) -> str:
    """What PostgreSQL's own text of a plan calls the step, such as Parallel Hash Left Join."""
    name, join = step.kind, step.text("Join Type")
    if name == "Aggregate":
        name = AGGREGATES.get(step.text("Strategy"), (name, ""))[0]
        if step.text("Partial Mode") in PARTIAL:
            name = f"{step.text('Partial Mode')} {name}"
    elif name == "SetOp":
        name = " ".join(
            filter(None, ["HashSetOp" if step.text("Strategy") == "Hashed" else name, step.text("Command")])
        )
    elif name == "ModifyTable":
        name = step.text("Operation") or name
    elif name == "Foreign Scan" and step.text("Operation") not in ("", "Select"):
        name = f"Foreign {step.text('Operation')}"
    elif name == "Custom Scan" and step.text("Custom Plan Provider"):
        name = f"Custom Scan ({step.text('Custom Plan Provider')})"
    elif join and join != "Inner":
        name = f"{name.removesuffix(' Join')} {join} Join"
    if step.text("Scan Direction") == "Backward":
        name += " Backward"
    if step.raw.get("Parallel Aware") is True:
        name = f"Parallel {name}"
    return f"Async {name}" if step.raw.get("Async Capable") is True else name


def target(step: plan_steps.Step) -> str:
    """What it reads, as PostgreSQL writes it: using an index, on a relation."""
    using = step.text("Index Name")
    named = ("Relation Name", "Function Name", "Table Function Name", "CTE Name", "Tuplestore Name")
    alias = step.text("Alias")
    on = next(filter(None, map(step.text, named)), "") or alias
    other = alias if alias != on else ""
    if on and (schema := step.text("Schema")):
        on = f"{schema}.{on}"
    on = " ".join(filter(None, [on, other]))
    if step.kind == "Bitmap Index Scan":
        return f"on {using}" if using else ""
    return " ".join(filter(None, [f"using {using}" if using else "", f"on {on}" if on else ""]))


def about(step: plan_steps.Step) -> str:
    """What it reads and by which conditions; a long one is cut."""
    names = [name for name in plan_steps.CONDITIONS if name not in ("Recheck Cond", "Function Call")]
    conditions = [step.text(name) for name in names]
    conditions += [f"by {keys}" for name in ("Sort Key", "Group Key", "Cache Key") if (keys := step.text(name))]
    said = ": ".join(filter(None, [target(step), "; ".join(filter(None, conditions))]))
    name = step.text("Subplan Name")
    return cut(" · ".join(filter(None, [name, said])))


def cut(text: str) -> str:
    """In one line, and no longer than a line or two can be."""
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def words(step: plan_steps.Step) -> str:
    """What it means, in a sentence or a few."""
    meaning = MEANINGS.get(step.kind, UNKNOWN)
    if step.kind == "Aggregate":
        meaning = AGGREGATES.get(step.text("Strategy"), AGGREGATES["Plain"])[1]
    more = [PARTIAL.get(step.text("Partial Mode"), ""), JOINS.get(step.text("Join Type"), "")]
    if step.text("Scan Direction") == "Backward":
        more.append("It reads the index from its end.")
    if step.raw.get("Parallel Aware") is True:
        more.append("Several processes share the work.")
    if left_out := step.amount("Subplans Removed"):
        more.append(f"{left_out:,.0f} of its inputs, such as partitions that cannot match, were left out unread.")
    if step.text("Subplan Name").startswith("CTE "):
        more.append("It is a WITH query: worked out once, and kept for those who read it.")
    else:
        more.append(ROLES.get(step.role, ""))
    if step.raw.get("Disabled") is True:
        more.append("A setting asks not to use this kind of step; there was no other way.")
    if step.loops == 0:
        more.append(UNRUN)
    return " ".join([meaning, *filter(None, more)])
