"""What came of a statement: the answer in tabs, or why there is none and what to do next."""

from __future__ import annotations

import copy
from collections.abc import Callable

import streamlit as st

from elements import answer as answers
from elements import chart as pictures
from elements import download, messages, plan, sql_asking, sql_draft
from resources import asked
from resources import database as database_resource
from undertone import console, database, errors, units

RAISE = {"rows": "UNDERTONE_QUERY_ROWS", "bytes": "UNDERTONE_QUERY_BYTES"}


def show(running: asked.Running, again: Callable[[], None]) -> None:
    """The answer of a statement that has ended. `again` asks it anew; it is called before the page is made again."""
    if running.error is not None:
        _error(running.error, again)
        return
    found = running.answer
    if found is None:
        st.info("This answer was let go, because others needed its memory.", icon=":material/inbox:")
        st.button("Run again", icon=":material/refresh:", on_click=again, key="sql_again")
    elif isinstance(found, console.Result):
        _result(running, found, again)
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "What the server planned" if running.how == "plan" else "What the server planned, and what it did"
            )
        plan.show(found, key="sql_plan")


def _result(running: asked.Running, result: console.Result, again: Callable[[], None]) -> None:
    draft = sql_draft.get()
    if result.truncated:
        st.warning(
            f"Only the first {units.count(len(result.rows), 'row')}: the limit of {result.truncated} was reached"
            f" (`{RAISE[result.truncated]}`). Ask for less with a WHERE or a LIMIT, or take all of it with Download.",
            icon=":material/content_cut:",
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = f"{units.count(len(result.rows), 'row')} in {sql_asking.brief(result.seconds)}"
        if draft.preview:
            words = f"{messages.plain(running.question.statement)} · {words}"
        if (age := running.age) is not None and (running.cached or age >= 1):
            words += f" · {'shared answer, ' if running.cached else ''}{_ago(age)}"
        st.caption(words, width="content")
        st.button(
            "Run again",
            icon=":material/refresh:",
            type="tertiary",
            on_click=again,
            key="sql_again",
            help=_kept(),
        )
    rows, chart, take = st.tabs(
        [":material/table_rows: Rows", ":material/bar_chart: Chart", ":material/download: Download"],
        key="sql_tabs",
        on_change="rerun",
    )
    if rows.open:
        with rows:
            answers.show(result, key="sql_rows")
    if chart.open:
        with chart:
            draft.chart = pictures.edit(result, draft.chart, key=f"sql_chart_{draft.replaced}")
    if take.open:
        with take:
            download.show(running.question, key="sql_download")


def _error(error: errors.UndertoneError, again: Callable[[], None]) -> None:
    if isinstance(error, console.StatementFailed):
        draft = sql_draft.get()
        if not draft.marked:
            draft.marked = True
            st.rerun()  # the editor stands above and has been shown already, without the mark
        shifted = copy.copy(error)
        if shifted.position is not None:
            shifted.position += draft.offset
        messages.failed(draft.whole, shifted)
    elif isinstance(error, console.StatementRefused):
        st.error(messages.plain(error), icon=":material/block:")
        st.caption("It was not asked. Run takes the selection; without one, the statement at the cursor.")
    elif isinstance(error, console.StatementCancelled):
        st.info(messages.plain(error), icon=":material/stop_circle:")
        st.button("Run again", icon=":material/refresh:", on_click=again, key="sql_again")
    elif isinstance(error, console.StatementLimited):
        st.warning(messages.plain(error), icon=":material/timer_off:")
        st.button("Try again", icon=":material/refresh:", on_click=again, key="sql_again")
    else:
        messages.error(error)
        lost = isinstance(error, database.DatabaseError)
        st.button("Try again", icon=":material/refresh:", on_click=again, key="sql_again", disabled=not lost)


def _kept() -> str:
    seconds = database_resource.get_settings().query_cache_seconds
    if not seconds:
        return "Ask the database once more."
    return f"Whoever asks the same within {units.duration(seconds)} has the same answer. This asks the database now."


def _ago(seconds: float) -> str:
    return f"{units.duration(float(int(seconds)))} ago" if seconds >= 10 else f"{seconds:.0f} s ago"
