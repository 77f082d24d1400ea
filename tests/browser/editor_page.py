"""A page with nothing but the editor, for test_editor.py: what Python is told stands in it as JSON."""

import json

import streamlit as st

from elements import editor

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
    text, event = editor.editor(
        state.given["text"],
        key="it",
        names=NAMES,
        problem=state.problem,
        history=state.history,
        replace=state.given["replace"],
        insert=state.given["insert"],
    )
if st.button("Own", shortcut="Ctrl+Enter"):
    state.own = text
if event and event.number != state.get("last"):
    state.last = event.number
    state.history = [event.statement, *state.history]
with st.container(key="said"):
    asked = [event.statement, event.start] if event else None
    st.text(json.dumps({"text": text, "asked": asked, "own": state.get("own"), "runs": state.runs}))
