"""What was asked before: one's own statements, searched, put back into the editor with a click."""

from __future__ import annotations

import datetime

import streamlit as st

from elements import messages, sql_asking, sql_draft, visitor
from resources import database
from undertone import audit, errors, units

MOST_DRAWN = 25
SHOWN, LONGEST = 28, 600  # characters of a statement: on its line, and where the mouse rests
HEIGHT = sql_draft.SIDE_HEIGHT
ICONS = {
    "answered": "check",
    "truncated": "content_cut",
    "running": "hourglass_top",
    "refused": "block",
    "limited": "timer_off",
    "cancelled": "stop_circle",
    "failed": "error",
    "lost": "question_mark",
}


@st.fragment
def show() -> None:
    """The history of who looks."""
    sql_draft.refresh()
    words = st.text_input(
        "Search the history",
        key="sql_history_search",
        placeholder="Search",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    try:
        # One's own alone: a statement may hold what is nobody else's business. Whoever runs Undertone has `history`.
        found = database.get_store().ask(audit.history, who=visitor.who(), search=words.strip(), most=MOST_DRAWN + 1)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    if not found:
        st.caption("Nothing was asked that is like that." if words else "What you ask will be listed here.")
        return
    with st.container(height=HEIGHT, border=False, gap=None):
        for entry in found[:MOST_DRAWN]:
            _entry(entry)
        if len(found) > MOST_DRAWN:
            st.caption("There is more: search to see it.")


def past(most: int = sql_draft.MOST_PAST) -> list[str]:
    """Who looks' own statements, the newest first, each once; empty where they cannot be read."""
    try:
        found = database.get_store().ask(audit.history, who=visitor.who(), most=most)
    except errors.UndertoneError:
        return []  # the arrow keys are a comfort; what is wrong with the store, the page says as it asks
    return sql_draft.handy(entry.statement for entry in found)


def _entry(entry: audit.Entry) -> None:
    line = " ".join(entry.statement.split())
    about = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…", *([entry.message] if entry.message else [])]
    st.button(
        messages.plain(line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"),
        key=f"sql_history_{entry.id}",
        type="tertiary",
        icon=f":material/{ICONS.get(entry.outcome, 'question_mark')}:",
        help=messages.plain(" → ".join(about)),
        on_click=sql_draft.put,
        args=(entry.statement,),
        kwargs={"target": entry.target},
    )
    about = [_when(entry.at)]
    if entry.how != "page":
        about.append(entry.how)
    if entry.seconds is not None:
        about.append(sql_asking.brief(entry.seconds))
    about.append(units.count(entry.rows, "row") if entry.rows is not None else entry.outcome)
    st.caption(messages.plain(" · ".join(about)))


def _when(at: datetime.datetime) -> str:
    local = at.astimezone()
    today = datetime.datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M")
