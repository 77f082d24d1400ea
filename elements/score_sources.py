"""The sources: what is or has been scored, with its labels, models, tables, last run and schedule."""

from __future__ import annotations

import shlex

import streamlit as st

from elements import grids, labels, messages, score_place, score_results, score_schedule
from resources import database, results, runs
from undertone import errors, listing, scores, watches

GRID, LISTED = "score_sources_grid", "score_sources_listed"
ROWS, HEIGHT = 5, 184  # pixels: that many rows


def show() -> None:
    """The list, and below it the source that is chosen in it."""
    found = runs.get_sources()
    if not found:
        messages.empty("The texts that you score will be listed here, with their tables. Nothing has been scored yet.")
        if st.button("New run", type="primary", icon=":material/add:", key="score_first"):
            score_place.go("new")
        return
    last, watched = runs.get_last_runs(), runs.get_watches()
    names = [source.name for source in found]
    chosen = st.query_params.get("scores")
    at = names.index(chosen) if chosen in names else 0
    st.session_state[LISTED] = names
    st.session_state[GRID] = {"selection": {"rows": [at], "columns": [], "cells": []}}
    grids.show(
        ("source", "of", "current model", "last run", "state", "when", "schedule"),
        [_row(source, last.get(source.id), watched) for source in found],
        key=GRID,
        selectable=True,
        on_select=_choose,
        height=HEIGHT if len(found) > ROWS else None,
        plain=("last run",),
        missing="",
    )
    score_place.keep("scores", names[at])
    try:
        _source(found[at], last.get(found[at].id), [watch for watch in watched if watch.source.id == found[at].id])
    except errors.UndertoneError as error:
        messages.error(error)


def _choose() -> None:
    rows = st.session_state[GRID]["selection"]["rows"]
    names = st.session_state.get(LISTED, [])
    if rows and rows[0] < len(names):
        st.query_params["scores"] = names[rows[0]]


def _row(source: scores.Source, last: listing.Last | None, watched: list[watches.Watch]) -> tuple[object, ...]:
    own = [watch for watch in watched if watch.source.id == source.id]
    return (
        source.title,
        source.address if source.schema else "a saved query",
        source.current_model,
        last.id if last else None,
        (listing.UNDONE if last.undone else last.state) if last else None,
        f"{last.at.astimezone():%Y-%m-%d %H:%M}" if last else None,
        ", ".join(f"{watch.pace}{'' if watch.active else ' (paused)'}" for watch in own),
    )


def _source(source: scores.Source, last: listing.Last | None, watched: list[watches.Watch]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(messages.plain(source.title), width="content", anchor=False)
        st.space("stretch")
        if last is not None:
            for label, icon, query in (
                ("Last run", "arrow_forward", {"run": str(last.id)}),
                ("All its runs", "list", {"source": source.name}),
            ):
                if st.button(label, icon=f":material/{icon}:", key=f"score_source_{icon}_{source.id}"):
                    score_place.go("runs", **query)
    left, right = st.columns([3, 2], gap="large")
    with left:
        summary = results.get_summary(source, last)
        known = {label: float(count) for label, count in summary.labels.items() if label is not None}
        if known:
            labels.bars(known, axis="rows", form=",d")
        else:
            messages.empty("It has no current scores: its run has not got so far, or was undone.")
        if nothing := summary.labels.get(None):
            st.caption(f"and {nothing:,} with nothing to read")
        score_results.models(source, last)
        for watch in watched:
            score_schedule.facts(watch)
    with right:
        score_results.tables(source)
        st.caption("All models' scores, with what was read, when and by which run, are the table:")
        st.code(source.scores, language="sql", wrap_lines=True)
        st.caption("Take the current scores along, as CSV, JSON lines or Parquet, from a terminal:")
        st.code(f"python -m undertone export {shlex.quote(source.name)}", language="bash", wrap_lines=True)
        if source.database != database.get_services().place:
            st.caption(messages.plain(f"Its texts are in another database, {source.database}."))
