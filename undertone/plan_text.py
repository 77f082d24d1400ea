"""Plans as text: for people, for the tools that take PostgreSQL's own text, and the costliest part of a long one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from undertone import amounts

if TYPE_CHECKING:
    from undertone import plans

DEEPEST = 40  # levels that are indented


@dataclass(frozen=True, slots=True)
class Row:
    """A step and how deep it lies; or, where `node` is None, how many were left out at that place, and their share."""

    depth: int
    node: plans.Node | None
    left_out: int = 0
    share: float = 0.0


def walk(root: plans.Node) -> Iterator[tuple[int, plans.Node]]:
    """Every step with its depth, each before its children."""
    waiting = [(0, root)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting += [(depth + 1, child) for child in reversed(node.children)]


def pick(plan: plans.Plan, most: int) -> list[Row]:
    """At most `most` steps, in the plan's order: all, or the costliest, and those above them while there is room.

    Where steps were left out, a row says so.
    """
    order = list(walk(plan.root))
    kept = set(range(len(order)))
    if len(order) > most:
        above: dict[int, int] = {}
        path: list[int] = []
        for index, (depth, _) in enumerate(order):
            del path[depth:]
            above[index] = path[-1] if path else index
            path.append(index)
        kept = {0}
        for index in sorted(range(len(order)), key=lambda one: (-order[one][1].share, order[one][0], one)):
            while index not in kept and len(kept) < most:
                kept.add(index)
                index = above[index]
    picked: list[Row] = []
    for index, (depth, node) in enumerate(order):
        if index in kept:
            picked.append(Row(depth, node))
        elif picked[-1].node is None:
            last = picked.pop()
            picked.append(Row(min(last.depth, depth), None, last.left_out + 1, last.share + node.share))
        else:
            picked.append(Row(depth, None, 1, node.share))
    return picked


def summary(plan: plans.Plan) -> str:
    """The whole in a line: how long, how many rows, and where most of it went."""
    said = []
    if plan.seconds is not None:
        said.append(f"ran in {amounts.duration(plan.seconds)}")
    if plan.planning_seconds is not None:
        said.append(f"planned in {amounts.duration(plan.planning_seconds)}")
    if plan.root.rows is None:
        said.append(f"not run; about {rows(plan.root.rows_estimated)} expected")
    else:
        said.append(f"{rows(plan.root.rows)}, {amounts.count(plan.root.rows_estimated)} expected")
    what = "time" if plan.costliest.seconds is not None else "cost"
    said.append(f"costliest {plan.costliest.title}, {amounts.percent(plan.costliest.share)} of the {what}")
    return "; ".join(said)


def rows(number: float) -> str:
    """How many rows."""
    return f"{amounts.count(number)} row" + ("" if number == 1 else "s")


def text(plan: plans.Plan) -> str:
    """For a terminal: the summary, advice, and an indented tree with each step's own share, time and rows."""
    timed = plan.root.seconds is not None
    head = ("share", "time" if timed else "cost", "rows", "expected", "")
    lines = [head]
    for depth, node in walk(plan.root):
        mark = "*" if node is plan.costliest else " "
        spent = amounts.duration(node.seconds) if node.seconds is not None else f"{node.cost:,.2f}"
        came = "" if node.rows is None else "not run" if not node.loops else amounts.count(node.rows)
        step = _indent(depth) + " · ".join(filter(None, [node.kind, node.about]))
        lines.append((amounts.percent(node.share) + mark, spent, came, amounts.count(node.rows_estimated), step))
        lines += [("", "", "", "", f"{_indent(depth)}  ! {warning}") for warning in node.warnings]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    table = [
        "  ".join([*(cell.rjust(width) for cell, width in zip(line, widths, strict=False)), line[4]]).rstrip()
        for line in lines
    ]
    advice = [f"- {sentence}" for sentence in plan.advice]
    return "\n".join([summary(plan), *advice, "", *table])


def _indent(depth: int) -> str:
    return "  " * depth if depth <= DEEPEST else f"{'  ' * DEEPEST}({depth}) "


def postgres_lines(plan: plans.Plan) -> Iterator[str]:
    """As PostgreSQL's own text, nearly: what tools that read plans take. Line by line, as there may be many."""
    for depth, node in walk(plan.root):
        level = min(depth, DEEPEST)
        before = " " * (6 * level - 4) if level else ""
        if node.subplan:
            yield before + _line(node.subplan)
            before += "  "
        yield f"{before}{'->  ' if level else ''}{_line(node.title)}  {node.figures}"
        for name, value in node.details:
            yield f"{' ' * (6 * level + 2)}{name}: {_line(value)}"
    if plan.settings:
        yield "Settings: " + ", ".join(f"{name} = '{value}'" for name, value in plan.settings)
    for name, seconds in (("Planning", plan.planning_seconds), ("Execution", plan.seconds)):
        if seconds is not None:
            yield f"{name} Time: {seconds * 1000:.3f} ms"


def _line(value: str) -> str:
    return " ".join(value.split())


def about_lane(plan: plans.Plan) -> str | None:
    """What of the settings may make the plan another than elsewhere."""
    settings = dict(plan.settings)
    parallel, compiled = settings.get("max_parallel_workers_per_gather") == "0", settings.get("jit") == "off"
    off = " and ".join(filter(None, ["helping processes" if parallel else "", "compiling (JIT)" if compiled else ""]))
    return f"Planned without {off}, as statements are run here; elsewhere the plan may differ." if off else None
