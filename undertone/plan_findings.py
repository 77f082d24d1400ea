"""What stands out at one step of a plan that was run, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from undertone import amounts, plan_filters, plan_steps, plan_words, units
from undertone.plan_steps import Step

THROWN_AWAY = 0.9  # of the rows read
WORTH_READING = 1_000  # rows; to read fewer is quick anyhow
WORTH_SHARE = 0.1  # of the time
MANY_LOOPS = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stands out: `mark` on the step, and `advice` in a sentence or a few."""

    topic: str
    step: Step
    mark: str
    advice: str
    weight: float  # share of the whole that it may cost


def look(step: Step) -> Iterator[Finding]:
    """All that stands out at a step that was run."""
    for one in LOOKS:
        yield from one(step)


def _filtered(step: Step) -> Iterator[Finding]:
    """A scan that reads much and keeps little."""
    removed, kept = step.amount("Rows Removed by Filter") * (step.loops or 0.0), step.rows or 0.0
    read = removed + kept
    ours = step.text("Relation Name") and step.kind not in ("Foreign Scan", "Custom Scan")
    if not ours or read < WORTH_READING or removed < THROWN_AWAY * read or step.share < WORTH_SHARE:
        return
    whole = step.kind == "Seq Scan"
    columns = plan_filters.columns(step.text("Filter")) if whole else ()
    index = f"An index on {' and '.join(columns)}" if columns else "An index that fits this filter"
    if not columns:
        index += ", if there can be one," if whole else ", too,"
    yield Finding(
        f"filter of {step.kind}",
        step,
        f"throws away {amounts.percent(removed / read)} of the rows it reads",
        f"{name(step)} reads {amounts.count(read)} rows and keeps {amounts.count(kept)} of them, by the filter"
        f" {plan_words.cut(step.text('Filter'))}. {index} could find those directly.",
        step.share,
    )


def _joined(step: Step) -> Iterator[Finding]:
    """A join that compares much and keeps little."""
    removed = step.amount("Rows Removed by Join Filter") * (step.loops or 0.0)
    compared = removed + (step.rows or 0.0)
    if compared >= 10 * WORTH_READING and removed >= THROWN_AWAY * compared and step.share >= WORTH_SHARE:
        yield Finding(
            "join filter",
            step,
            f"its join filter throws away {amounts.percent(removed / compared)} of the pairs",
            f"{name(step)} compares {amounts.count(compared)} pairs of rows and throws away {amounts.count(removed)} of"
            f" them, by the filter {plan_words.cut(step.text('Join Filter'))}. Where a condition can be written with ="
            " between columns of both sides, the server looks partners up instead.",
            step.share,
        )


def _sorted(step: Step) -> Iterator[Finding]:
    """A sort that did not fit into memory, here or in another process."""
    workers = step.raw.get("Workers")
    told = [one for one in [step.raw, *(workers if isinstance(workers, list) else [])] if isinstance(one, dict)]
    disks = [plan_steps.amount(one, "Sort Space Used") for one in told if one.get("Sort Space Type") == "Disk"]
    for groups in ("Full-sort Groups", "Pre-sorted Groups"):
        one = step.raw.get(groups)
        disk = one.get("Sort Space Disk") if isinstance(one, dict) else None
        if isinstance(disk, dict):
            disks.append(plan_steps.amount(disk, "Peak Sort Space Used"))
    if disks:
        used = amounts.kilobytes(sum(disks))
        yield Finding(
            "sort",
            step,
            f"spilled {used} to disk",
            f"{name(step)} did not fit into memory and wrote {used} to disk. Fewer rows or columns to sort, an index in"
            " that order, or a higher work_mem avoid that.",
            step.share,
        )


def _hashed(step: Step) -> Iterator[Finding]:
    """A hash table that did not fit into memory."""
    if (batches := step.amount("Hash Batches")) > 1:
        above, many = step.parent or step, amounts.count(batches)
        yield Finding(
            "hash",
            step,
            f"in {many} batches",
            f"The hash table for {name(above)} did not fit into memory: it was worked through in {many} batches, by way"
            " of disk. Fewer rows or columns, or a higher work_mem or hash_mem_multiplier, avoid that.",
            step.share + above.share,
        )
    if step.kind == "Aggregate" and (kilobytes := step.amount("Disk Usage")):
        used = amounts.kilobytes(kilobytes)
        yield Finding(
            "aggregate",
            step,
            f"spilled {used} to disk",
            f"The groups of {name(step)} did not fit into memory, and {used} went to disk. Fewer groups, or a higher"
            " work_mem or hash_mem_multiplier, avoid that.",
            step.share,
        )
    evicted, hits = step.amount("Cache Evictions"), step.amount("Cache Hits")
    if evicted and evicted > hits:
        forgot = amounts.count(evicted)
        yield Finding(
            "memoize",
            step,
            f"forgot {forgot} answers",
            f"{name(step)} forgot {forgot} answers for want of memory, and could use one again {amounts.count(hits)}"
            " times only. A higher work_mem or hash_mem_multiplier would help.",
            step.share,
        )


def _looped(step: Step) -> Iterator[Finding]:
    """What runs very often for something else."""
    inner = step.child("Inner") if step.kind == "Nested Loop" else None
    if inner and (inner.loops or 0.0) >= MANY_LOOPS and inner.below >= WORTH_SHARE:
        times = amounts.count(inner.loops or 0.0)
        yield Finding(
            "loops",
            step,
            f"ran its second input {times} times",
            f"{name(step)} ran its second input, {name(inner)}, {times} times: {amounts.percent(inner.below)} of all."
            " Look whether an index fits the condition there, and whether the first input can have fewer rows.",
            inner.below,
        )
    if step.role == "SubPlan" and (step.loops or 0.0) >= MANY_LOOPS and step.below >= WORTH_SHARE:
        times = amounts.count(step.loops or 0.0)
        yield Finding(
            "subquery",
            step,
            f"ran {times} times",
            f"{step.text('Subplan Name') or 'A subquery'} ran {times} times, for one row after the other:"
            f" {amounts.percent(step.below)} of all. A join, or a subquery grouped beforehand, may do it at once.",
            step.below,
        )


def _looked_up(step: Step) -> Iterator[Finding]:
    """Indexes that sent the server to the table more often than they should."""
    if lossy := step.amount("Lossy Heap Blocks"):
        pages = amounts.count(lossy)
        yield Finding(
            "lossy",
            step,
            f"remembered {pages} pages only as a whole",
            f"The bitmap for {name(step)} did not fit into memory: of {pages} pages every row had to be checked again."
            " A higher work_mem avoids that.",
            step.share,
        )
    fetched = step.amount("Heap Fetches")
    if fetched >= WORTH_READING and 2 * fetched >= (step.rows or 0.0) and step.share >= WORTH_SHARE:
        rows = amounts.count(fetched)
        yield Finding(
            "heap",
            step,
            f"looked {rows} rows up in the table",
            f"{name(step)} could answer from the index alone, but looked {rows} rows up in the table. VACUUM of the"
            " table notes which pages need no look.",
            step.share,
        )


def _kept(step: Step) -> Iterator[Finding]:
    """Rows kept on disk by other steps than those above."""
    if step.kind in ("CTE Scan", "Materialize", "WindowAgg", "Function Scan", "Recursive Union") and step.written:
        pages = units.count(step.written, "page")
        yield Finding(
            "kept",
            step,
            f"wrote {pages} to disk",
            f"{name(step)} keeps rows to read them again, and wrote {pages} of them to disk. Fewer rows or columns, or"
            " a higher work_mem, avoid that.",
            step.share,
        )


def _gathered(step: Step) -> Iterator[Finding]:
    """Fewer processes than the plan was made for."""
    planned, launched = step.number("Workers Planned"), step.number("Workers Launched")
    if planned is not None and launched is not None and launched < planned:
        few, many = amounts.count(launched), amounts.count(planned)
        yield Finding(
            "workers",
            step,
            f"got {few} of {many} workers",
            f"{name(step)} was planned for {many} processes beside its own and got {few}: the server had no more to"
            " give at the time.",
            step.below / 2,
        )


LOOKS: tuple[Callable[[Step], Iterator[Finding]], ...] = (
    _filtered,
    _joined,
    _sorted,
    _hashed,
    _looped,
    _looked_up,
    _kept,
    _gathered,
)


def name(step: Step) -> str:
    """A step in a sentence."""
    return " ".join(filter(None, [plan_words.kind(step), plan_words.target(step)]))
