"""A plan as the server tells it, made flat, and what of its time, cost and pages belongs to each step alone.

PostgreSQL tells times per loop and with everything beneath a step in them. What is beneath is not always drawn
beneath: a CTE or an InitPlan hangs at the top of its query and runs inside the step that reads it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CONDITIONS = (
    "Hash Cond",
    "Merge Cond",
    "Index Cond",
    "TID Cond",
    "Join Filter",
    "Filter",
    "One-Time Filter",
    "Recheck Cond",
    "Order By",
    "Run Condition",
    "Function Call",
)
HIT, READ = ("Shared Hit Blocks", "Local Hit Blocks"), ("Shared Read Blocks", "Local Read Blocks")
WRITTEN = ("Temp Written Blocks",)

LARGEST = 1e100  # PostgreSQL's own for rows

_INIT_PLAN = re.compile(r"\bInitPlan \d+|\$\d+")


@dataclass(slots=True, eq=False)
class Step:
    """One step of a plan. `raw` is what the server said of it; the rest is worked out by `measure`."""

    raw: dict[str, Any]
    kind: str  # PostgreSQL's word, such as Seq Scan; one of tomorrow's may be any
    parent: Step | None
    depth: int
    children: list[Step] = field(default_factory=list)
    cte: Step | None = None  # that it scans
    processes: float = 1.0  # that share its loops
    total: float = 0.0  # milliseconds, or cost, with what is beneath
    own: float = 0.0  # without
    share: float = 0.0  # own, of the whole plan
    below: float = 0.0  # share of what is drawn at and beneath it
    cost: float = 0.0  # own
    hit: int = 0  # pages, own
    read: int = 0
    written: int = 0  # to temporary files

    def text(self, name: str) -> str:
        """A value as text; empty where there is none. Lists are joined by commas."""
        value = self.raw.get(name)
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        return "" if isinstance(value, bool | dict) else str(value)

    def number(self, name: str) -> float | None:
        """A number that the server can mean, else None."""
        return number(self.raw, name)

    def amount(self, name: str) -> float:
        """As `number`, with 0 for what is missing."""
        return amount(self.raw, name)

    @property
    def role(self) -> str:
        """What it is to the step above: Outer, Inner, Member, Subquery, InitPlan, SubPlan."""
        return self.text("Parent Relationship")

    @property
    def loops(self) -> float | None:
        """How often it ran; None where nothing was run."""
        return self.number("Actual Loops")

    @property
    def rows(self) -> float | None:
        """How many rows came of it in all loops, as far as their average tells; None where nothing was run."""
        rows, loops = self.number("Actual Rows"), self.loops
        return None if rows is None or loops is None else float(round(rows * loops))

    @property
    def estimated(self) -> float:
        """How many rows were expected, in as many loops as there were."""
        return self.amount("Plan Rows") * (self.loops or 1.0)

    @property
    def inputs(self) -> list[Step]:
        """The steps that give it rows."""
        return [child for child in self.children if child.role not in ("InitPlan", "SubPlan")]

    def child(self, role: str) -> Step | None:
        """The first child with this role."""
        return next((child for child in self.children if child.role == role), None)


def number(raw: Mapping[str, Any], name: str) -> float | None:
    """What the server said, if that is a number that it can mean, else None."""
    value = raw.get(name)
    if type(value) is not int and type(value) is not float:  # True is no number here
        return None
    return float(value) if 0 <= value <= LARGEST else None


def amount(raw: Mapping[str, Any], name: str) -> float:
    """As `number`, with 0 for what is missing."""
    return number(raw, name) or 0.0


def flatten(root: dict[str, Any]) -> list[Step]:
    """All steps, each before its children, in the order in which PostgreSQL draws them."""
    steps: list[Step] = []
    waiting: list[tuple[dict[str, Any], Step | None]] = [(root, None)]
    while waiting:
        raw, parent = waiting.pop()
        kind = raw.get("Node Type")
        step = Step(raw, kind if isinstance(kind, str) else "Unknown", parent, parent.depth + 1 if parent else 0)
        steps.append(step)
        if parent is not None:
            parent.children.append(step)
        plans = raw.pop("Plans", None)
        if isinstance(plans, list):
            waiting += [(plan, step) for plan in reversed(plans) if isinstance(plan, dict)]
    return steps


def measure(steps: Sequence[Step]) -> bool:
    """Work out what belongs to each step alone. Returns whether that is time; if none was taken, it is cost."""
    timed = steps[0].number("Actual Total Time") is not None
    _count_processes(steps)
    charges = list(_charges(steps))
    for step in steps:
        step.total = step.amount("Actual Total Time") * (step.loops or 0.0) / step.processes
        step.cost = step.amount("Total Cost")
    _own_cost(steps)
    if timed:
        for step, own in zip(steps, _own([step.total for step in steps], steps, charges), strict=True):
            step.own = own
    else:
        for step in steps:
            step.own, step.total = step.cost, step.amount("Total Cost")
    whole = max(sum(step.own for step in steps), steps[0].total)
    for step in reversed(steps):
        step.share = step.own / whole if whole else 0.0
        step.below += step.share
        if step.parent is not None:
            step.parent.below += step.below

    def pages(names: Sequence[str]) -> Iterator[int]:
        return (round(own) for own in _own([sum(map(step.amount, names)) for step in steps], steps, charges))

    for step, hit, read, written in zip(steps, pages(HIT), pages(READ), pages(WRITTEN), strict=True):
        step.hit, step.read, step.written = hit, read, written
    return timed


def _count_processes(steps: Sequence[Step]) -> None:
    """Beneath a Gather, loops and times are those of several processes that ran at the same time."""
    for step in steps:
        above = step.parent
        if above is None or step.role == "InitPlan":  # that, one process runs for all
            continue
        step.processes = above.processes
        if above.kind in ("Gather", "Gather Merge") and above.loops:
            step.processes *= max(1.0, (step.loops or 0.0) / above.loops)


def _charges(steps: Sequence[Step]) -> Iterator[tuple[Step, list[Step]]]:
    """Each CTE and InitPlan with the steps in whose time it ran; the one above it where that cannot be seen."""
    users: dict[Step, list[Step]] = {}
    ctes: dict[tuple[Step, str], Step] = {}
    offered: dict[str, Step] = {}  # by the name that a condition gives it
    for step in steps:
        if step.role != "InitPlan" or step.parent is None:
            continue
        users[step] = []
        ctes[step.parent, step.text("Subplan Name")] = step
        for name in _INIT_PLAN.findall(step.text("Subplan Name")):
            offered[name] = step
    for step in steps:
        if step.kind == "CTE Scan" and (cte := _cte(ctes, step)):
            step.cte = cte
            users[cte].append(step)
        if offered:
            named = _INIT_PLAN.findall(" ".join(map(step.text, CONDITIONS)))
            for name in dict.fromkeys(name for name in named if name in offered):
                users[offered[name]].append(step)
    for used, by in users.items():
        if used.parent is not None:
            yield used, by or [used.parent]


def _cte(ctes: dict[tuple[Step, str], Step], scan: Step) -> Step | None:
    """The nearest CTE above a scan that has the name which it reads."""
    above = scan.parent
    while above is not None:
        if found := ctes.get((above, f"CTE {scan.text('CTE Name')}")):
            return found
        above = above.parent
    return None


def _own(totals: Sequence[float], steps: Sequence[Step], charges: Sequence[tuple[Step, list[Step]]]) -> list[float]:
    """Without what ran inside each step. Never negative: clocks and averages are not exact."""
    whole = dict(zip(steps, totals, strict=True))
    own = dict(whole)
    for step in steps:
        if step.parent is not None and step.role != "InitPlan":
            own[step.parent] -= whole[step]
    for used, by in charges:
        left = whole[used]
        # What does not fit ran for one of those above: before a Gather starts its workers, say.
        users = sorted(by, key=own.__getitem__, reverse=True)
        for user in itertools.chain(users, _between(by[0], used.parent)):
            taken = max(0.0, min(left, own[user]))
            own[user] -= taken
            left -= taken
            if left <= 0:
                break
    return [max(0.0, own[step]) for step in steps]


def _between(step: Step, top: Step | None) -> Iterator[Step]:
    """The steps above `step`, up to `top`."""
    while step is not top and step.parent is not None:
        step = step.parent
        yield step


def _own_cost(steps: Sequence[Step]) -> None:
    """From the top down: what the whole is expected to cost, and how much of each step's is spent beneath it."""
    for step in steps:
        whole = step.amount("Total Cost")
        scale = step.cost / whole if whole else 0.0
        outer = step.child("Outer") or step
        times = max(1.0, outer.amount("Plan Rows"))
        once, again = {}, {}
        for child in step.children:
            cost = child.amount("Total Cost") * scale
            if _repeated(step, child):
                again[child] = cost * times
            else:
                once[child] = cost
        for wanted in (once, again):
            asked = sum(wanted.values())
            fit = min(1.0, step.cost / asked) if asked else 0.0
            for child, cost in wanted.items():
                child.cost = cost * fit
            step.cost = max(0.0, step.cost - asked * fit)


def _repeated(step: Step, child: Step) -> bool:
    """Whether `child` is expected to run once for each row, at its full cost."""
    if child.role == "SubPlan":
        name = f"hashed {child.text('Subplan Name')}"
        return name not in step.text("Filter") and name not in step.text("Join Filter")
    return step.kind == "Nested Loop" and child.role == "Inner" and child.kind != "Materialize"
