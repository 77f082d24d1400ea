"""What a person is writing on SQL: kept for the session, so that a look at another page loses none of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from resources import asked
from undertone import charts, library, parameters, sharing

KEY = "sql_draft"
TARGET = "sql_target"
SIDE = "sql_side"
EDITOR_HEIGHT, SIDE_HEIGHT = 250, 200  # pixels; beside each other they end alike
MOST_PAST, PAST_CHARACTERS = 200, 60_000


@dataclass
class Draft:
    """The text and what goes with it. `replaced` counts how often the text was put in from outside the editor."""

    text: str = ""
    start: str = ""  # the text that was put in last
    replaced: int = 0
    inserted: tuple[int, str] | None = None
    values: dict[str, parameters.Value] = field(default_factory=dict)  # of parameters, as they came with the text
    chart: charts.Chart | None = None
    saved: library.Saved | None = None  # the query that was opened
    notice: str = ""  # where the text came from
    trouble: str = ""  # why a link could not be opened
    changed: bool = False  # by what stands beside the editor, which is made again without the rest of the page
    seen: int = -1  # the editor's last event that was obeyed
    running: asked.Running | None = None
    whole: str = ""  # the text out of which the running statement was taken, and where it began there
    offset: int = 0
    asked: int = 0  # how many statements were
    marked: bool = False  # whether the editor knows of the last one's error
    preview: bool = False  # the running statement is the schema browser's, not the editor's
    past: list[str] | None = None  # statements for the arrow keys, the newest first


def get() -> Draft:
    """This session's draft."""
    if KEY not in st.session_state:
        st.session_state[KEY] = Draft()
    draft: Draft = st.session_state[KEY]
    return draft


def begin(targets: Sequence[str]) -> Draft:
    """At the top of the page: the draft, filled from the page's address when the page was just opened."""
    draft = get()
    if SIDE not in st.session_state:  # the page's own widgets are forgotten when another page is shown
        draft.start, draft.replaced, draft.inserted, draft.past = draft.text, draft.replaced + 1, None, None
        draft.notice = draft.trouble = ""
        open_link()
    draft.changed = False
    if st.session_state.get(TARGET, "data") not in targets:
        draft.trouble = "That database cannot be asked here; this is the data's."
        st.session_state[TARGET] = "data"
    return draft


def put(
    text: str,
    *,
    values: Mapping[str, parameters.Value] | None = None,
    chart: charts.Chart | None = None,
    target: str | None = None,
    saved: library.Saved | None = None,
    notice: str = "",
) -> None:
    """Put a text into the editor instead of what is there, which its undo brings back. Nothing is asked.

    Only before the page's widgets are made: in a callback, or at the top of the page.
    """
    draft = get()
    draft.text = draft.start = text
    draft.replaced += 1
    draft.changed = True
    draft.inserted = None
    draft.chart, draft.saved, draft.notice, draft.trouble = chart, saved, notice, ""
    draft.values = dict(values or {})
    for key in [str(key) for key in st.session_state if str(key).startswith("sql_parameter_")]:
        del st.session_state[key]  # a value of another query's is not this one's
    if target is not None:
        st.session_state[TARGET] = target


def insert(text: str) -> None:
    """Insert a text where the cursor is."""
    draft = get()
    draft.inserted = ((draft.inserted or (0, ""))[0] + 1, text)
    draft.changed = True


def refresh() -> None:
    """In a fragment: make the whole page again, if what was clicked in it concerns the page."""
    if get().changed:
        st.rerun()


def remember(statement: str) -> None:
    """A statement that was asked is the first that the arrow keys bring back."""
    draft = get()
    draft.past = handy([statement, *(draft.past or [])])


def handy(statements: Iterable[str]) -> list[str]:
    """Each statement once, as many of the first ones as may go to a browser with every look at the page."""
    found: list[str] = []
    left = PAST_CHARACTERS
    for one in dict.fromkeys(statements):
        left -= len(one)
        if left < 0 or len(found) == MOST_PAST:
            break
        found.append(one)
    return found


def open_link() -> None:
    """Fill the page with what its address holds. That never runs by itself."""
    draft = get()
    if (packed := st.query_params.get(sharing.NAME)) is not None:
        try:
            shared = sharing.unpack(packed)
        except sharing.SharingError as error:
            draft.trouble = str(error)
            return
        put(
            shared.statement,
            values=shared.parameters,
            chart=_chart(shared),
            target=shared.target,
            notice="This statement came with a link. Read it, then run it.",
        )
    elif (statement := st.query_params.get("statement")) is not None:
        put(statement, notice="This statement came with a link. Read it, then run it.")


def _chart(shared: sharing.Shared) -> charts.Chart | None:
    try:
        return None if shared.chart is None else charts.Chart.from_dict(dict(shared.chart))
    except charts.ChartError:
        return None  # another version's; the page proposes one of its own
