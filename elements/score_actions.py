"""What a person may do with a run: a button each, and a question before what cannot be taken back."""

from __future__ import annotations

import streamlit as st

from elements import finished, messages
from resources import runs
from undertone import errors, scoring, units

ICONS = {
    "pause": "pause",
    "resume": "play_arrow",
    "cancel": "close",
    "retry": "refresh",
    "undo": "undo",
}
MEANINGS = {
    "pause": "Within one batch; Resume goes on where it stopped",
    "resume": "Go on where it stopped",
    "cancel": "End it; what is scored stays",
    "retry": "Do the failed rows and chunks again",
    "undo": "Take its scores away, and bring back what they had replaced",
}
ASKED = ("cancel", "undo")


def buttons(run: scoring.Run) -> None:
    """The buttons, in a row."""
    for action in run.actions:
        pressed = st.button(
            action.capitalize(),
            icon=f":material/{ICONS[action]}:",
            key=f"score_{action}_{run.id}",
            help=MEANINGS[action],
        )
        if pressed and action in ASKED:
            _ask(run, action)
        elif pressed:
            _do(run, action)


def _do(run: scoring.Run, action: str) -> None:
    try:
        runs.change(run.id, action)
    except errors.UndertoneError as error:
        messages.error(error)  # it has ended meanwhile, or somebody was faster
        return
    if action in ("resume", "retry"):
        finished.expect(run.id)
    st.rerun()


def _ask(run: scoring.Run, action: str) -> None:
    @st.dialog(f"{action.capitalize()} run {run.id}?")
    def ask() -> None:
        st.text(run.source.title)
        for line in _consequences(run, action):
            st.markdown(f"- {line}")
        with st.container(horizontal=True):
            if st.button(
                f"{action.capitalize()} the run",
                type="primary",
                icon=f":material/{ICONS[action]}:",
                key=f"score_sure_{action}",
            ):
                _do(run, action)
            if st.button("Leave it", key=f"score_unsure_{action}"):
                st.rerun()

    ask()


def _consequences(run: scoring.Run, action: str) -> list[str]:
    """What will happen, a sentence each, in our own Markdown."""
    if action == "cancel":
        left = "The rest" if run.rows_total is None else f"About {units.count(run.rows_total - run.rows, 'row')}"
        return [
            f"{units.count(run.scored, 'row')} scored so far stay scored.",
            f"{left} will not be looked at.",
            "It cannot be resumed. A new run leaves out what is scored; Undo takes away what this one has written.",
        ]
    written = run.scored + run.empty
    lines = [
        f"{units.count(written, 'score')} that this run has written will be removed, unless a later run has replaced"
        " them.",
        "The scores that they had replaced come back.",
    ]
    if run.vanished:
        lines.append(f"{units.count(run.vanished, 'row')} that it has marked as vanished count as there again.")
    return [*lines, "Nobody's tables are touched. It cannot be taken back, but a new run can score the rows again."]
