"""Runs on the command line: follow one to its end, show one to a person or to a program."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Sequence
from typing import Any

from undertone import local_worker, output, planning, scores, scoring, services, watches

FOLLOW_SECONDS = 0.5
PATIENCE_SECONDS = 10.0  # until somebody is told that no worker is there
FAILED_ROWS = 20  # shown to a person; a program gets all that are listed


def follow(opened: services.Services, run: scoring.Run) -> scoring.Run:
    """Show a run's progress until it ends, seeing to it that somebody works on it."""
    # The local worker does the usual queue; another one has been chosen for workers that somebody sees to.
    own = opened.settings.embedded_store and run.queue == planning.QUEUE
    helper = local_worker.LocalWorker(opened.settings) if own else None
    if helper:
        helper.start()
    looking, progress = output.Progress("rows looked through"), output.Progress("rows")
    begun, warned = time.monotonic(), False
    try:
        while not run.ended and run.state != "paused":
            time.sleep(FOLLOW_SECONDS)
            run = opened.store.ask(scoring.get, run.id)
            if run.rows_total is None:
                looking.show(run.surveyed, 0)
            else:
                progress.show(run.rows, run.rows_total)
            if not helper and not warned and not run.ended and time.monotonic() - begun > PATIENCE_SECONDS:
                warned = True
                _warn(opened, run)
    finally:
        looking.end()
        progress.end()
        if helper:
            helper.stop()
    return run


def _warn(opened: services.Services, run: scoring.Run) -> None:
    if any(run.queue in worker.queues for worker in opened.store.ask(scoring.workers)):
        return
    option = "" if run.queue == planning.QUEUE else f" --queue {shlex.quote(run.queue)}"
    message = f"no worker is there for the run; start one with: python -m undertone worker{option}"
    print(" ".join(message.split()), file=sys.stderr)


def labels(opened: services.Services, source: scores.Source) -> dict[str, int]:
    """How many current scores of a source have which label; nothing where somebody has dropped their table."""
    if not opened.store.ask(scores.SQL.exists, name=source.name):
        return {}
    found = opened.store.ask(scores.summary, source).labels
    return {str(label): rows for label, rows in found.items() if label is not None}


def described(run: scoring.Run, labels: dict[str, int]) -> dict[str, Any]:
    """A run as a program reads it."""
    source = run.source
    return {
        "run": run.id,
        "state": run.state,
        "table": f"{source.schema}.{source.relation}" if source.schema else None,
        "query": None if source.schema else source.relation,
        "text": source.text_column,
        "template": source.template,
        "condition": run.condition,
        "key": [kept.stored for kept in source.key],
        "context": [kept.stored for kept in source.context],
        "scores": source.scores,
        "view": source.current,
        "model": run.model_id or run.model,
        "model_name": run.model,
        "current_model": source.current_model,
        "queue": run.queue,
        "who": run.who,
        "watch": run.watch,
        "new_by": run.new_by,
        "surveyed": run.surveyed,
        "rows": run.rows,
        "rows_total": run.rows_total,
        "scored": run.scored,
        "reused": run.reused,
        "unchanged": run.unchanged,
        "empty": run.empty,
        "failed": run.failed,
        "truncated": run.truncated,
        "vanished": run.vanished,
        "chunks": run.chunks,
        "chunks_done": run.chunks_done,
        "chunks_failed": run.chunks_failed,
        "rows_per_second": run.rate and round(run.rate, 1),
        "seconds_left": run.seconds_left,
        "error": run.error,
        "actions": list(run.actions),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "undone_at": run.undone_at,
        "labels": labels,
    }


def list_described(opened: services.Services, runs: Sequence[scoring.Run]) -> list[dict[str, Any]]:
    """Runs as a program reads them; the scores of a source are counted once for all of its runs."""
    counted: dict[int, dict[str, int]] = {}
    for run in runs:
        if run.source.id not in counted:
            counted[run.source.id] = labels(opened, run.source)
    return [described(run, counted[run.source.id]) for run in runs]


def watch_described(watch: watches.Watch) -> dict[str, Any]:
    """A watch as a program reads it."""
    wish, source = watch.wish, watch.source
    return {
        "watch": watch.id,
        "table": f"{source.schema}.{source.relation}" if source.schema else None,
        "query": None if source.schema else source.relation,
        "text": source.text_column,
        "template": source.template,
        "condition": wish.condition,
        "new_by": wish.new_by,
        "queue": wish.queue,
        "scores": source.scores,
        "model": watch.model,
        "pace": str(watch.pace),
        "every_minutes": watch.pace.every_minutes,
        "cron": watch.pace.cron,
        "active": watch.active,
        "next_at": watch.next_at if watch.active else None,
        "error": watch.error,
        "who": watch.who,
        "created_at": watch.created_at,
        "last_run": watch.last_run,
        "last_state": watch.last_state,
    }


def show(opened: services.Services, run: scoring.Run, *, for_program: bool, watch: watches.Watch | None = None) -> None:
    """Show a run on stdout, to a person or, as JSON, to a program; and the watch that follows it, if there is one."""
    counted = labels(opened, run.source)
    failed_rows = opened.store.ask(scoring.failed_rows, run.id) if run.failed else []
    chunk_errors = opened.store.ask(scoring.chunk_errors, run.id) if run.chunks_failed else []
    if for_program:
        found = described(run, counted)
        found["failed_rows"] = [{"key": row.key, "reason": row.reason, "at": row.at} for row in failed_rows]
        found["chunk_errors"] = [{"chunk": number, "error": error} for number, error in chunk_errors]
        found["kept_up"] = watch and watch_described(watch)
        print(json.dumps(found, indent=2, default=str))
        return
    lines = [*_about(run, counted), *(f"chunk {number}: {error}" for number, error in chunk_errors[:5])]
    lines += [f"row {_key(run.source, row.key)}: {row.reason}" for row in failed_rows[:FAILED_ROWS]]
    if run.failed > FAILED_ROWS:
        lines.append(f"… and {run.failed - FAILED_ROWS:,} more rows; up to 1,000 are in --json")
    if watch is not None:
        lines.append(f"kept up {watch.pace} by watch {watch.id}, next at {output.time(watch.next_at)}")
    for line in lines:
        print(output.harmless(" ".join(line.split())))


def _about(run: scoring.Run, counted: dict[str, int]) -> list[str]:
    total = "?" if run.rows_total is None else f"{run.rows_total:,}"
    rate = f", {run.rate:,.0f} rows/s" if run.rate else ""
    lines = [f"Run {run.id} over {run.source.title}: {run.state}, {run.rows:,} of {total} rows{rate}"]
    if run.condition:
        lines.append(f"where {run.condition}")
    reused = f" ({run.reused:,} texts known before)" if run.reused else ""
    lines.append(
        f"scored {run.scored:,}{reused} · unchanged {run.unchanged:,} · empty {run.empty:,} · failed {run.failed:,}"
        f" · truncated {run.truncated:,} · vanished {run.vanished:,}"
    )
    if run.undone_at is not None:
        lines.append(f"undone at {output.time(run.undone_at)}: its scores are gone, what they had replaced is back")
    listed = ", ".join(f"{label} {rows:,}" for label, rows in counted.items()) or "none yet"
    lines.append(f"in {run.source.current}: {listed}")
    if run.error:
        lines.append(f"error: {run.error}")
    return lines


def _key(source: scores.Source, values: scores.Values) -> str:
    """A row's key as a person would name it."""
    names = [kept.name for kept in source.key]
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
