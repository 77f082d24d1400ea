"""Keeping a source up: the watch of a run's texts and model, set up, paused, resumed, removed."""

from __future__ import annotations

import dataclasses

import streamlit as st

from elements import messages, score_pace, score_place, visitor
from resources import database, results, runs
from undertone import again, errors, planning, scoring, watches

HASHES = (
    "Each run reads all rows and compares the hashes of their texts: what is new or has changed is scored, and rows"
    " that have vanished are marked."
)


def reads(new_by: str | None) -> str:
    """How rows are found, in our own Markdown."""
    if not new_by:
        return HASHES
    return (
        f"The first run reads all rows, each one after it only those whose {messages.plain(new_by)} is new, by its"
        " index. Changes to older rows and rows that have vanished are not noticed."
    )


def show(run: scoring.Run) -> None:
    """The watch of a run's source and model, and how to have one."""
    if run.source.database != database.get_services().place:
        messages.empty(
            "The texts of this run are in another database than the one that is open. Start a new run first."
        )
        return
    found = [watch for watch in runs.get_watches() if (watch.source.id, watch.model) == (run.source.id, run.model)]
    for watch in found:
        facts(watch)
    with st.expander("Change the schedule", icon=":material/edit_calendar:") if found else st.container():
        if not found:
            st.markdown("Keep these texts scored by themselves: a run is started every so often, by any worker.")
        _form(run, found[0] if found else None)


def facts(watch: watches.Watch) -> None:
    """A watch, and what can be done with it."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/schedule: {messages.plain(str(watch.pace))}", width="content")
            if watch.active:
                st.badge("active", color="green")
                st.caption(f"next {watch.next_at.astimezone():%a %Y-%m-%d %H:%M}", width="content")
            else:
                st.badge("paused", color="orange")
            st.space("stretch")
            action = "pause" if watch.active else "resume"
            icon = ":material/pause:" if watch.active else ":material/play_arrow:"
            if st.button(f"{action.capitalize()} schedule", icon=icon, key=f"score_watch_{action}_{watch.id}"):
                _change(watch, action)
            if st.button(
                "Remove",
                icon=":material/delete:",
                key=f"score_watch_remove_{watch.id}",
                help="Its runs and scores stay",
            ):
                _change(watch, "remove")
        st.caption(reads(watch.wish.new_by))
        by = f"Set up by {watch.who}. " if watch.who else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            if watch.last_run is None:
                st.caption(messages.plain(f"{by}No run has been started by it yet."), width="content")
            else:
                st.caption(messages.plain(f"{by}Its last run, {watch.last_run}: {watch.last_state}."), width="content")
                if st.button(
                    "Show it", type="tertiary", icon=":material/arrow_forward:", key=f"score_watch_last_{watch.id}"
                ):
                    score_place.go("runs", run=str(watch.last_run))
        if watch.error:
            st.error(messages.plain(f"The last run could not be started: {watch.error}"), icon=":material/error:")


def _form(run: scoring.Run, watch: watches.Watch | None) -> None:
    key = f"score_schedule_{run.source.id}_{run.model}"
    pace = score_pace.choose(key, watch.pace if watch else None)
    before = watch.wish.new_by if watch else run.new_by
    new_by = choose_new_by(_candidates(run), before, key=f"{key}_new_by")
    if st.button(
        "Schedule",
        type="primary",
        icon=":material/event_repeat:",
        key=f"score_schedule_put_{run.id}",
        disabled=pace is None,
    ):
        assert pace is not None
        try:
            runs.schedule(run, dataclasses.replace(_wish(run, watch), new_by=new_by, who=visitor.who()), pace)
        except errors.UndertoneError as error:
            messages.error(error)
        else:
            st.rerun()


def choose_new_by(candidates: list[str], before: str | None, *, key: str) -> str | None:
    """The input for the column by which new rows are told, and what that means."""
    options = list(dict.fromkeys([*([before] if before else []), *candidates]))
    new_by: str | None = None
    if options:
        new_by = st.selectbox(
            "Only new rows, by",
            options,
            index=options.index(before) if before else None,
            placeholder="Read all rows",
            key=key,
            help="A time or a growing number with an index. New rows are then found without reading the whole table.",
        )
    st.caption(reads(new_by))
    return new_by


def _wish(run: scoring.Run, watch: watches.Watch | None) -> planning.Wish:
    return again.wish(run) if watch is None else watch.wish


def _candidates(run: scoring.Run) -> list[str]:
    """Columns by which new rows of a run's source can be found; none of a query's, whose rows are all made anyway."""
    source = run.source
    for relation in results.get_relations():
        if (relation.schema, relation.name) == (source.schema, source.relation):
            return runs.get_new_by(relation)
    return []


def _change(watch: watches.Watch, action: str) -> None:
    try:
        runs.change_watch(watch.id, action)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    st.rerun()
