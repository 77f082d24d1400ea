"""A page with nothing but the editor, for test_editor.py: what Python is told stands in it as JSON."""

import json

import streamlit as st

from elements import editor
from undertone import statements

COLUMNS = [("id", "bigint"), ("rating", "integer"), ("body", "text"), ("Mixed Case", "text")]
NAMES = editor.Names(
    schemas={
        "public": {"reviews": COLUMNS, "orders": [("total", "numeric")], "user": [("email", "text")]},
        "sales": {"Big Deals": [("worth", "numeric")]},
    },
    # As many as a server has, or about.
    functions=["date_trunc", "count", *(f"function_{number}" for number in range(3000))],
    search_path=["public"],
)
WORD = '<img src=x onerror="document.title=1">'

state = st.session_state
state.setdefault("runs", 0)
state.setdefault("given", {"text": "", "replace": 0, "insert": None})
state.setdefault("problem", None)
state.setdefault("history", ["SELECT 'newest'", "SELECT 'older',\n       2"])
state.runs += 1

with st.container(horizontal=True):
    if st.button("Replace"):
        state.given |= {"text": "SELECT 1;\n\nSELECT '🐘;', 2;\nSELECT 3", "replace": state.given["replace"] + 1}
    if st.button("Insert"):
        state.given["insert"] = ((state.given["insert"] or (0,))[0] + 1, '"Mixed Case"')
    if st.button("Problem"):
        state.problem = editor.Problem(20, f"column does not exist {WORD}")
    if st.button("Solved"):
        state.problem = None
moved = st.toggle("Moved")
with st.columns(2)[0] if moved else st.container():
    written = editor.editor(
        state.given["text"],
        key="it",
        names=NAMES,
        problem=state.problem,
        history=state.history,
        replace=state.given["replace"],
        insert=state.given["insert"],
    )
text, event = written.text, written.event


def meant(text: str, start: int, end: int) -> list[object] | None:
    """What a selection means, and where it begins."""
    chosen = statements.chosen(text, statements.split(text), start, end)
    return [chosen.statement, chosen.start] if chosen else None


here = meant(text, written.start, written.end)
if st.button("Own", shortcut="Ctrl+Enter"):
    state.own = text, here
if event and event.number != state.get("last"):
    state.last = event.number
    state.asked = meant(event.text, event.start, event.end)
    state.history = [state.asked[0], *state.history]
with st.container(key="said"):
    asked = state.asked if event else None
    said = {"text": text, "here": here, "asked": asked, "own": state.get("own"), "runs": state.runs}
    st.text(json.dumps(said))
