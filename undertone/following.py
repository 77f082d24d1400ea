"""Runs on the command line: follow one to its end, show one to a person or to a program."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from undertone import local_worker, output, scores, scoring, services

FOLLOW_SECONDS = 0.5


def follow(opened: services.Services, run: scoring.Run) -> scoring.Run:
    """Show a run's progress until it ends, seeing to it that somebody works on it."""
    helper = local_worker.LocalWorker(opened.settings) if opened.settings.embedded_store else None
    if helper:
        helper.start()
    progress = output.Progress("rows")
    begun, warned = time.monotonic(), False
    try:
        while not run.ended:
            time.sleep(FOLLOW_SECONDS)
            run = opened.store.ask(scoring.get, run.id)
            progress.show(run.rows, run.rows_total or 0)
            if not helper and not warned and not run.rows and time.monotonic() - begun > 10:
                print("no worker has taken the run yet; start one with: python -m undertone worker", file=sys.stderr)
                warned = True
            if run.state == "paused":
                break
    finally:
        progress.end()
        if helper:
            helper.stop()
    return run


def described(opened: services.Services, run: scoring.Run) -> dict[str, Any]:
    """A run as a program reads it."""
    summary = opened.store.ask(scores.summary, run.source)
    return {
        "run": run.id,
        "state": run.state,
        "table": f"{run.source.schema}.{run.source.relation}",
        "text": run.source.text_column,
        "key": [kept.stored for kept in run.source.key],
        "context": [kept.stored for kept in run.source.context],
        "scores": run.source.scores,
        "model": run.model_id or run.model,
        "rows": run.rows,
        "rows_total": run.rows_total,
        "scored": run.scored,
        "unchanged": run.unchanged,
        "empty": run.empty,
        "truncated": run.truncated,
        "chunks": run.chunks,
        "chunks_failed": run.chunks_failed,
        "rows_per_second": run.rate and round(run.rate, 1),
        "seconds_left": run.seconds_left,
        "error": run.error,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "labels": {str(label): rows for label, rows in summary.labels.items() if label is not None},
    }


def show(opened: services.Services, run: scoring.Run, *, for_program: bool) -> None:
    """Show a run on stdout, to a person or, as JSON, to a program."""
    shown = described(opened, run)
    if for_program:
        print(json.dumps(shown, indent=2, default=str))
        return
    labels = ", ".join(f"{label} {rows:,}" for label, rows in shown["labels"].items()) or "none yet"
    total = "?" if run.rows_total is None else f"{run.rows_total:,}"
    rate = f", {run.rate:,.0f} rows/s" if run.rate else ""
    print(f"Run {run.id} over {run.source.title}: {run.state}, {run.rows:,} of {total} rows{rate}")
    print(f"scored {run.scored:,} · unchanged {run.unchanged:,} · empty {run.empty:,} · truncated {run.truncated:,}")
    print(f"in {shown['scores']}: {labels}")
    if run.error:
        print(f"error: {run.error}")
    for number, error in opened.store.ask(scoring.chunk_errors, run.id)[:5]:
        print(f"chunk {number}: {error}")
