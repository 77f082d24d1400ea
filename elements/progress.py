"""How far a run is, and what came out of it."""

from __future__ import annotations

import streamlit as st

from elements import grids, labels, messages
from resources import database, results
from undertone import errors, scoring, units

LOOK_SECONDS = 1.0
MOST = 20
ICONS = {"pause": "pause", "resume": "play_arrow", "cancel": "close", "retry": "refresh"}


def follow(run: int, *, running: bool) -> None:
    """Show a run, again every second while it goes on; the rest of the page waits for nothing."""
    st.fragment(_show, run_every=LOOK_SECONDS if running else None)(run, running)


def _show(number: int, running: bool) -> None:
    try:
        run = database.get_store().ask(scoring.get, number)
        _numbers(run)
        _buttons(run)
        if running and run.ended:
            st.rerun()  # the whole page once more: nothing is left to follow
        if run.rows or run.ended:
            _results(run)
    except errors.UndertoneError as error:
        messages.error(error)


def _numbers(run: scoring.Run) -> None:
    total = "?" if run.rows_total is None else f"{run.rows_total:,}"
    words = [f"{run.state}: {run.rows:,} of {total} rows"]
    if run.rate:
        words.append(f"{run.rate:,.0f} rows a second")
    if run.seconds_left is not None:
        words.append(f"{units.duration(run.seconds_left)} left")
    if run.state in ("planned", "running") and not run.rows:
        words.append("a worker will take it in a moment; the first rows wait for the model")
    st.progress(run.share, " · ".join(words))
    columns = st.columns(5)
    for column, (name, value, meaning) in zip(
        columns,
        (
            ("Scored", run.scored, "Texts that have a label from this run"),
            ("Unchanged", run.unchanged, "Rows that this model had scored before, left as they were"),
            ("Empty", run.empty, "Rows with nothing to read"),
            ("Truncated", run.truncated, "Texts longer than what the model reads; the scores say which share it read"),
            ("Failed chunks", run.chunks_failed, "Parts that were given up after several attempts"),
        ),
        strict=True,
    ):
        column.metric(name, f"{value:,}", help=meaning)
    if run.error:
        st.error(messages.plain(run.error), icon=":material/error:")
    if run.chunks_failed:
        errors_of = database.get_store().ask(scoring.chunk_errors, run.id)
        grids.show(("chunk", "error"), errors_of, key=f"score_errors_{run.id}")


def _buttons(run: scoring.Run) -> None:
    actions = scoring.ACTIONS[run.state]
    with st.container(horizontal=True):
        for action in actions:
            if st.button(action.capitalize(), icon=f":material/{ICONS[action]}:", key=f"score_{action}_{run.id}"):
                results.change_run(run.id, action)
                st.rerun()


def _results(run: scoring.Run) -> None:
    summary = results.get_summary(run.source)
    known = {label: float(count) for label, count in summary.labels.items() if label is not None}
    if not known:
        messages.empty("The scores will be summed up here.")
        return
    st.subheader("What came out")
    left, right = st.columns([3, 2], gap="large")
    with left:
        labels.bars(known, axis="rows", form=",d")
    with right:
        if database.get_services().one_database:
            st.caption("All scores of this column are one table, which SQL can ask and join:")
            st.code(_statement(run), language="sql")
            st.page_link(
                "pages/sql.py",
                label="Open in SQL",
                icon=":material/terminal:",
                query_params={"statement": _statement(run)},
            )
        else:
            st.caption("All scores of this column are one table in the store, beside the data that SQL asks:")
            st.code(run.source.scores, language=None)
    ends = [label for label in ("NEGATIVE", "POSITIVE") if label in known] or list(known)[:2]
    for column, label in zip(st.columns(len(ends), gap="large"), ends, strict=True):
        with column:
            st.subheader(f"Most {label.lower()}" if label in labels.COLOURS else messages.plain(label))
            found = results.get_extremes(run.source, label, MOST)
            rows = [
                (key, round(confidence, 3), text if text is not None else "(the row is gone)")
                for key, confidence, text in found
            ]
            names = (", ".join(kept.name for kept in run.source.key), "confidence", run.source.text_column)
            grids.show(names, rows, key=f"score_most_{label}_{run.id}")


def _statement(run: scoring.Run) -> str:
    return f"SELECT label, count(*), avg(confidence)\nFROM {run.source.scores}\nGROUP BY label\nORDER BY label"
