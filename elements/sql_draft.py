"""What a person is writing on SQL: kept for the session, so that a look at another page loses none of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from resources import asked
from undertone import charts, library, parameters, sharing, statements

KEY = "sql_draft"
TARGET = "sql_target"
SIDE, RUN = "sql_side", "sql_run"
EDITOR_HEIGHTS, SIDE_HEIGHT = (120, 360), 400  # pixels: the editor grows with its text; the side is as tall as a screen
MOST_PAST, PAST_CHARACTERS = 200, 60_000


@dataclass
class Draft:
    """The text and what goes with it. `replaced` counts how often the text was put in from outside the editor."""

    text: str = ""
    at: tuple[int, int] = (0, 0)  # what is selected in it
    start: str = ""  # the text that was put in last
    start_at: tuple[int, int] = (0, 0)
    beside: bool = True  # whether schema, saved queries and history stand beside it
    replaced: int = 0
    inserted: tuple[int, str] | None = None
    parts: tuple[str, tuple[statements.Part, ...]] = ("", ())  # a text and its statements: a long one takes a while
    chosen: statements.Chosen | None = None  # the selection, or the statement at the cursor
    values: dict[str, parameters.Value] = field(default_factory=dict)  # of parameters, as they came with the text
    filled: dict[str, parameters.Value] = field(default_factory=dict)  # as they are now, of every statement
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
    if RUN not in st.session_state:  # the page's own widgets are forgotten when another page is shown
        draft.start, draft.start_at, draft.replaced = draft.text, draft.at, draft.replaced + 1
        draft.inserted, draft.past = None, None
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
    # Of several statements the first one is meant until somebody says otherwise; of one, its end is where one goes on.
    several = statements.split(text)[:2]
    draft.at = draft.start_at = (several[0].end,) * 2 if len(several) > 1 else (len(text),) * 2
    draft.replaced += 1
    draft.changed = True
    draft.inserted = None
    draft.chart, draft.saved, draft.notice, draft.trouble = chart, saved, notice, ""
    draft.values, draft.filled = dict(values or {}), dict(values or {})
    for key in [str(key) for key in st.session_state if str(key).startswith("sql_parameter_")]:
        del st.session_state[key]  # a value of another query's is not this one's
    if target is not None:
        st.session_state[TARGET] = target


def insert(text: str) -> None:
    """Insert a text where the cursor is."""
    draft = get()
    draft.inserted = ((draft.inserted or (0, ""))[0] + 1, text)
    draft.changed = True


def choose(text: str, start: int, end: int) -> statements.Chosen | None:
    """What a selection, or a mere cursor, in a text means."""
    draft = get()
    if draft.parts[0] != text:
        draft.parts = text, statements.split(text)
    return statements.chosen(text, draft.parts[1], start, end)


def fill(names: Iterable[str], values: Mapping[str, parameters.Value]) -> None:
    """Keep the values of these parameters, those that have one."""
    draft = get()
    asked = set(names)
    draft.filled = {name: value for name, value in draft.filled.items() if name not in asked} | dict(values)


def filled(limit: int) -> dict[str, parameters.Value]:
    """The values of all parameters that the text has; none of one longer than `limit`, which is not looked through."""
    draft = get()
    names = {parameter.name for parameter in parameters.find(draft.text)} if len(draft.text) <= limit else set()
    return {name: value for name, value in draft.filled.items() if name in names}


def fold() -> None:
    """Hide what stands beside the editor, or show it again."""
    draft = get()
    draft.beside = not draft.beside


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
