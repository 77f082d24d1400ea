"""One run: how far it is, what can be done with it, and below what came out, what failed and how it is kept up."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from elements import (
    messages,
    score_about,
    score_actions,
    score_errors,
    score_place,
    score_results,
    score_schedule,
)
from resources import runs
from undertone import errors, scoring, units

LOOK_SECONDS = 1.0
RESULT_SECONDS = 5.0
COLOURS = {
    "planned": "blue",
    "running": "blue",
    "paused": "orange",
    "finished": "green",
    "failed": "red",
    "cancelled": "grey",
    "undone": "grey",
}
PARTS = {
    "Results": score_results.show,
    "Errors": score_errors.show,
    "Schedule": score_schedule.show,
    "About": score_about.show,
}
SHOW = "score_show"


def follow(number: int) -> None:
    """Show a run; its numbers again every second while it goes on, and the rest of the page waits for nothing."""
    try:
        run = runs.get_run(number)
    except scoring.ScoringError as error:
        messages.error(error)
        st.caption("Choose another one from the list.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"Run {run.id}", width="content", anchor=False)
        st.badge(state_of(run), color=COLOURS[state_of(run)])
        st.text(run.source.title, width="content")
        st.caption(messages.plain(_origin(run)), width="content")
        st.space("stretch")
        score_actions.buttons(run)
    going_on = run.state in ("planned", "running")
    # A paused run may be resumed by somebody else.
    st.fragment(_numbers, run_every=None if run.ended else LOOK_SECONDS)(number, (run.state, run.undone_at))
    score_place.begin(SHOW, "show", list(PARTS))
    tabs = st.tabs(list(PARTS), key=SHOW, on_change="rerun")
    shown = st.session_state.get(SHOW, "Results")
    score_place.keep("show", None if shown == "Results" else shown)
    for tab, (name, element) in zip(tabs, PARTS.items(), strict=True):
        if tab.open:
            with tab:
                seconds = RESULT_SECONDS if going_on and name in ("Results", "Errors") else None
                st.fragment(_guarded, run_every=seconds)(element, number)


def state_of(run: scoring.Run) -> str:
    """The state of a run in a word."""
    return "undone" if run.undone_at is not None else run.state


def _origin(run: scoring.Run) -> str:
    at = f"{run.model}, {run.created_at.astimezone():%Y-%m-%d %H:%M}"
    by = f"by watch {run.watch}" if run.watch is not None else f"by {run.who}" if run.who else ""
    return f"{at} {by}".strip()


def _guarded(element: Callable[[scoring.Run], None], number: int) -> None:
    try:
        element(runs.get_run(number))
    except errors.UndertoneError as error:
        messages.error(error)


def _numbers(number: int, before: tuple[object, ...]) -> None:
    """How far the run is. The whole page is made anew once somebody can do something else with it than before."""
    try:
        run = runs.get_run(number)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    if (run.state, run.undone_at) != before:
        st.rerun()
    st.progress(run.share, " · ".join(_words(run)))
    shown = [
        ("Scored", run.scored, "Texts that have a label from this run", run.reused),
        ("Unchanged", run.unchanged, "Skipped: this model had scored them before, and nothing has changed", 0),
        ("Empty", run.empty, "Rows with nothing to read", 0),
        ("Failed", run.failed, "Rows that could not be read, classified or written: see Errors", 0),
        ("Truncated", run.truncated, "Texts longer than what the model reads; the scores say which share it read", 0),
        ("Vanished", run.vanished, "Rows that were scored before and are no longer there: their scores are marked", 0),
    ]
    for column, (name, value, meaning, reused) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(
            name,
            f"{value:,}",
            delta=f"{reused:,} of them reused" if reused else None,
            delta_color="off",
            delta_arrow="off",
            help=f"{meaning}. Reused: this model had seen the same text before." if reused else meaning,
        )
    if run.state in ("planned", "running") and not run.done and not _has_worker(run):
        st.warning(
            f"No worker of the queue {messages.plain(run.queue)} is at work yet; the run waits for one. Status lists"
            " them, and says how to start one.",
            icon=":material/hourglass_empty:",
        )
    if run.error and not run.ended:
        st.warning(messages.plain(run.error), icon=":material/hourglass_empty:")
    elif run.error:
        st.error(messages.plain(run.error), icon=":material/error:")
    elif run.chunks_failed:
        st.error(
            f"{units.count(run.chunks_failed, 'chunk')} of rows could not be done: see Errors. The rest goes on.",
            icon=":material/error:",
        )


def _has_worker(run: scoring.Run) -> bool:
    return any(run.queue in worker.queues for worker in runs.get_workers())


def _words(run: scoring.Run) -> list[str]:
    if run.undone_at is not None:
        return [
            f"undone {run.undone_at.astimezone():%Y-%m-%d %H:%M}: its scores are gone, what they had replaced is back"
        ]
    if run.rows_total is None:
        if run.state == "planned" and not run.surveyed:
            return ["planned: a worker will take it in a moment, and loads the model first"]
        if not run.surveyed:
            return [run.state]
        looks = "looks through the rows" if run.state == "planned" else "looked through the rows"
        return [f"{run.state}: {looks}, {run.surveyed:,} so far"]
    words = [f"{run.state}: {run.rows:,} of {units.count(run.rows_total, 'row')}"]
    if run.rate:
        words.append(f"{run.rate:,.0f} rows a second")
    if run.seconds_left is not None:
        words.append(f"{units.duration(run.seconds_left)} left")
    if run.state == "running" and not run.done:
        words.append("the first rows wait for the model")
    if run.failed:
        words.append(f"{units.count(run.failed, 'row')} failed, see Errors")
    if run.ended and run.started_at and run.finished_at:
        words.append(units.duration((run.finished_at - run.started_at).total_seconds()))
    return words
