"""What to do about a plan, in words. Never more than the plan tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from undertone import amounts, plan_estimates, plan_findings, plan_steps, units
from undertone.plan_findings import Finding
from undertone.plan_steps import Step

SLOW_PLANNING = 0.01  # seconds
QUICK = 0.01  # seconds
WORTH_SHARE = 0.1  # of the time
MOST_ADVICE = 8


def findings(steps: Sequence[Step]) -> list[Finding]:
    """All that stands out, in the order of the plan. Nothing, if the plan was not run: it is a guess then."""
    if steps[0].loops is None:
        return []
    found = list(plan_estimates.misjudged(steps))
    for step in steps:
        if step.loops:
            found += plan_findings.look(step)
    return found


def advice(found: Iterable[Finding], whole: Mapping[str, Any], seconds: float | None) -> Iterator[str]:
    """What to do: the heaviest of each kind, the heaviest kind first. `whole` is the server's answer with the plan."""
    topics: dict[str, list[Finding]] = {}
    for finding in found:
        if finding.advice:
            topics.setdefault(finding.topic, []).append(finding)
    most = [(max(of, key=lambda finding: finding.weight), len(of) - 1) for of in topics.values()]
    most.sort(key=lambda one: -one[0].weight)
    said = list(_around(whole, seconds))
    if most and seconds is not None and seconds < QUICK:
        yield f"It took {amounts.duration(seconds)}: what follows matters only if it is asked often, or over more rows."
    for finding, more in most[: MOST_ADVICE - len(said)]:
        yield finding.advice + (f" The same is marked at {units.count(more, 'other step')}." if more else "")
    yield from said


def _around(whole: Mapping[str, Any], seconds: float | None) -> Iterator[str]:
    """What is not a step's."""
    planning = plan_steps.amount(whole, "Planning Time") / 1000
    if seconds is not None and planning > seconds and planning >= SLOW_PLANNING:
        yield (
            f"Planning took {amounts.duration(planning)}, longer than running ({amounts.duration(seconds)}). Fewer"
            " joins, or fewer partitions to look at, make planning shorter."
        )
    compiling = whole.get("JIT")
    timing = compiling.get("Timing") if isinstance(compiling, dict) else None
    spent = plan_steps.amount(timing, "Total") / 1000 if isinstance(timing, dict) else 0.0
    if seconds and spent >= WORTH_SHARE * seconds:
        yield (
            f"Compiling the query (JIT) took {amounts.duration(spent)} of {amounts.duration(seconds)}. Where such"
            " queries are the rule, a higher jit_above_cost, or jit off, saves that."
        )
