"""The workers: who works, what each does, how fast each is and all of them together."""

from __future__ import annotations

import datetime

import streamlit as st

from elements import grids, messages
from resources import runs
from undertone import errors, listing, local_worker, units

LOOK_SECONDS = 3.0
NAMES = ("worker", "does", "rows a second", "last seen", "up for", "engine", "device", "threads", "queues")


@st.fragment(run_every=LOOK_SECONDS)
def show(local: local_worker.LocalWorker | None) -> None:
    """The workers as they are now, and again every few seconds."""
    try:
        found = runs.get_workers()
        active, _ = runs.get_lines(state=listing.UNDER_WAY)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    columns = st.columns(4)
    columns[0].metric("Workers", f"{len(found):,}", help="Processes that do scoring work, on any machine")
    columns[1].metric(
        "Rows a second", _rate(sum(worker.rate for worker in found)), help="Of all of them, in the last minute"
    )
    columns[2].metric("Rows in the last minute", f"{sum(worker.rows for worker in found):,}")
    columns[3].metric("Runs under way", f"{len(active):,}", help="Planned, running or paused")
    if not found:
        if local is not None:
            messages.empty("The local worker is starting; it will be listed here in a few seconds.")
        else:
            messages.empty(
                "No worker is at work. Start one with `python -m undertone worker`, on any machine with the same"
                " settings."
            )
        return
    now = datetime.datetime.now(datetime.UTC)
    rows = [
        (
            worker.name,
            worker.doing,
            round(worker.rate, 1 if worker.rate < 10 else None),
            f"{_ago(now, worker.last_seen)} ago",
            _ago(now, worker.started_at),
            worker.engine or "not loaded yet",
            worker.device,
            worker.threads or None,
            ", ".join(worker.queues),
        )
        for worker in found
    ]
    grids.show(NAMES, rows, key="status_workers", missing="")


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 or not rate else f"{rate:.1f}"


def _ago(now: datetime.datetime, then: datetime.datetime) -> str:
    seconds = max(0, round((now - then).total_seconds()))
    return f"{seconds} s" if seconds < 60 else units.duration(seconds)
