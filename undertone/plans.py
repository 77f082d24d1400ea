"""EXPLAIN of a person's statement: how to ask for it, and its answer as a tree that can be read without knowing how.

The statement goes through the lane as any other (`console.py`): nothing here talks to a database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from undertone import errors, gate, lexer, outcomes, plan_advice, plan_json, plan_steps, plan_text, plan_words

# BUFFERS and SETTINGS tell what was read and under which settings; SUMMARY the time of planning, also without ANALYZE.
ESTIMATED = "EXPLAIN (FORMAT JSON, BUFFERS, SETTINGS, SUMMARY) "
MEASURED = "EXPLAIN (ANALYZE, FORMAT JSON, BUFFERS, SETTINGS, SUMMARY) "
# Shown as numbers of their own, or of no use to a person.
TOLD = {
    "Node Type",
    "Parent Relationship",
    "Subplan Name",
    "Join Type",
    "Strategy",
    "Partial Mode",
    "Operation",
    "Command",
    "Scan Direction",
    "Custom Plan Provider",
    "Schema",
    "Relation Name",
    "Function Name",
    "Table Function Name",
    "CTE Name",
    "Tuplestore Name",
    "Index Name",
    "Alias",
    "Startup Cost",
    "Total Cost",
    "Plan Rows",
    "Plan Width",
    "Actual Startup Time",
    "Actual Total Time",
    "Actual Rows",
    "Actual Loops",
}
KILOBYTES = ("Sort Space Used", "Peak Memory Usage", "Disk Usage", "Maximum Storage")

text = plan_text.text
postgres_lines = plan_text.postgres_lines
pick = plan_text.pick
summary = plan_text.summary
about_lane = plan_text.about_lane
rows = plan_text.rows
DEEPEST = plan_text.DEEPEST


class PlanError(errors.UndertoneError):
    """An answer of the server that is no plan."""


@dataclass(frozen=True, eq=False)
class Node:
    """A step of a plan. Figures are its own, without those of the steps beneath it, in all its loops.

    `kind` as PostgreSQL's text calls it; `about`: relation, index, conditions; `rows_estimated` in as many loops as
    there were. `rows`, `loops`, `seconds` are None where nothing was run, `loops` is 0 where only this step was not.
    Times of processes side by side are averaged. `cost` is in PostgreSQL's units, `buffers_…` in its pages, `share` of
    the whole, 0 to 1: of time, else of cost. `words`: what such a step does. `title`, `subplan`, `figures` and
    `details` are the server's own. All texts are plain, and may hold what somebody wrote.
    """

    kind: str
    about: str
    rows_estimated: float
    rows: float | None
    loops: float | None
    seconds: float | None
    cost: float
    share: float
    buffers_hit: int
    buffers_read: int
    words: str
    warnings: tuple[str, ...]
    title: str
    subplan: str
    figures: str
    details: tuple[tuple[str, str], ...]
    children: tuple[Node, ...] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """How the server would answer a statement, or has answered it.

    `seconds` to run it is None where it was not run. `json` is all that the server said; of equal ones, the plans are
    equal. `settings`: those that shape plans and are not the default.
    """

    json: str
    root: Node = field(repr=False, compare=False)
    planning_seconds: float | None = field(compare=False)
    seconds: float | None = field(compare=False)
    costliest: Node = field(repr=False, compare=False)
    advice: tuple[str, ...] = field(compare=False)
    settings: tuple[tuple[str, str], ...] = field(compare=False)
    size: int = field(compare=False)  # steps

    def __reduce__(self) -> tuple[Any, ...]:
        return read, (self.json,)  # a tree of a thousand levels cannot be pickled as it is


def statement(asked: str, *, analyze: bool) -> str:
    """The statement that explains `asked`, and runs it if `analyze`; comments, parameters and what follows stay.

    All places in the query move by as many characters as the statement grows. Raises StatementRefused for what the lane
    would refuse, and for what cannot be explained.
    """
    at = _start(asked)
    return asked[:at].replace(";", " ") + (MEASURED if analyze else ESTIMATED) + asked[at:]


def _start(asked: str) -> int:
    """Where the query begins, after comments and semicolons."""
    tokens = lexer.tokenise(asked)
    if reason := gate.refusal(tokens):
        raise outcomes.StatementRefused(reason)
    body = [token for token in tokens if token.kind != "comment" and token.mark != ";"]
    first = next(token for token in body if token.mark != "(")
    if first.text in ("explain", "show"):
        raise outcomes.StatementRefused(
            f"Only a query can be explained (SELECT, WITH, VALUES or TABLE), not {first.text.upper()}; run it as it is."
        )
    return body[0].start


def read(answer: str) -> Plan:
    """The plan in an answer of PostgreSQL 15 to 18, or of a later one as far as it goes on in the same way.

    Raises PlanError. A plan of any depth may come; those who walk it must not recurse.
    """
    try:
        whole = plan_json.parse(answer)
    except ValueError as error:
        raise PlanError(f"The server's answer is no plan, or a part of one only: {error}.") from None
    while isinstance(whole, list) and whole:
        whole = whole[0]
    raw = whole.get("Plan") if isinstance(whole, dict) else None
    if not isinstance(raw, dict):
        raise PlanError("The server's answer holds no plan.")
    steps = plan_steps.flatten(raw)
    timed = plan_steps.measure(steps)
    found = plan_advice.findings(steps)
    marks: dict[plan_steps.Step, list[str]] = {}
    for finding in found:
        marks.setdefault(finding.step, []).append(finding.mark)
    nodes: dict[plan_steps.Step, Node] = {}
    for step in reversed(steps):
        nodes[step] = _node(step, timed, tuple(marks.get(step, ())), tuple(nodes[child] for child in step.children))
    seconds = _seconds(whole, "Execution Time")
    settings = whole.get("Settings")
    return Plan(
        json=answer,
        root=nodes[steps[0]],
        planning_seconds=_seconds(whole, "Planning Time"),
        seconds=seconds,
        costliest=nodes[max(steps, key=lambda step: (step.own, step.cost))],
        advice=tuple(plan_advice.advice(found, whole, seconds)),
        settings=tuple((name, str(value)) for name, value in settings.items()) if isinstance(settings, dict) else (),
        size=len(steps),
    )


def _node(step: plan_steps.Step, timed: bool, warnings: tuple[str, ...], children: tuple[Node, ...]) -> Node:
    kind = plan_words.kind(step)
    return Node(
        kind=kind,
        about=plan_words.about(step),
        rows_estimated=step.estimated,
        rows=step.rows,
        loops=step.loops,
        seconds=step.own / 1000 if timed else None,
        cost=step.cost,
        share=step.share,
        buffers_hit=step.hit,
        buffers_read=step.read,
        words=plan_words.words(step),
        warnings=warnings,
        title=" ".join(filter(None, [kind, plan_words.target(step)])),
        subplan=step.text("Subplan Name"),
        figures=_figures(step),
        details=tuple(_details(step)),
        children=children,
    )


def _figures(step: plan_steps.Step) -> str:
    """The numbers of a step as PostgreSQL's text has them: per loop, with what is beneath."""
    raw = step.raw
    cost = f"(cost={step.amount('Startup Cost'):.2f}..{step.amount('Total Cost'):.2f}"
    cost += f" rows={step.amount('Plan Rows'):.0f} width={step.amount('Plan Width'):.0f})"
    if step.loops is None:
        return cost
    if not step.loops:
        return f"{cost} (never executed)"
    time = ""
    if step.number("Actual Total Time") is not None:
        time = f"time={step.amount('Actual Startup Time'):.3f}..{step.amount('Actual Total Time'):.3f} "
    rows = step.amount("Actual Rows")
    shown = f"{rows:.0f}" if isinstance(raw.get("Actual Rows"), int) else f"{rows:.2f}"
    return f"{cost} (actual {time}rows={shown} loops={step.loops:.0f})"


def _details(step: plan_steps.Step) -> list[tuple[str, str]]:
    """All else that the server said of a step, but for what is zero or no."""
    found = []
    for name, value in step.raw.items():
        if name in TOLD or name.endswith(" Blocks") or value in (None, False, 0, "", [], {}):
            continue
        simple = not isinstance(value, dict | list) or (
            isinstance(value, list) and not any(isinstance(one, dict | list) for one in value)
        )
        said = step.text(name) or "yes" if simple else _compact(value)
        unit = "kB" if name in KILOBYTES else " ms" if name.endswith(" Time") else ""
        found.append((name, said + unit))
    for place in ("Shared", "Local", "Temp"):
        names = [name for name in step.raw if name.startswith(place) and name.endswith(" Blocks")]
        counts = {name.split()[1].lower(): step.amount(name) for name in names}
        said = " ".join(f"{what}={count:.0f}" for what, count in counts.items() if count)
        if said:
            found.append(("Buffers", f"{place.lower()} {said}"))
    return found


def _compact(value: Mapping[str, Any] | Sequence[Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)[: plan_json.MOST_CHARACTERS]
    except RecursionError:  # no server says so
        return "…"


def _seconds(whole: Mapping[str, Any], name: str) -> float | None:
    milliseconds = plan_steps.number(whole, name)
    return None if milliseconds is None else milliseconds / 1000
