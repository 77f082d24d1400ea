"""The plan of a run: how much work it is, looked up before anybody can start it; then the start."""

from __future__ import annotations

import streamlit as st

from elements import finished, messages, score_pace, score_place, score_schedule
from resources import runs
from undertone import errors, estimating, planning, units

PLANNED = "score_planned"


def show(wish: planning.Wish) -> None:
    """The button that plans, what it found, and the button that starts what was planned and nothing else."""
    planned: tuple[planning.Wish, estimating.Plan] | None = st.session_state.get(PLANNED)
    current = planned is not None and planned[0] == wish
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Plan",
            type="secondary" if current else "primary",
            icon=":material/calculate:",
            key="score_plan",
        )
        if planned is not None and not current:
            st.caption("The form has changed since it was planned. Plan it again to start it.")
        else:
            st.caption(
                "Counts the rows and what is scored already, and writes nothing. Where nobody has measured the model"
                " here yet, it is loaded for that."
            )
    if pressed:
        planned = _plan(wish)
        current = planned is not None
    if not current or planned is None:
        st.button("Start", icon=":material/play_arrow:", key="score_start", disabled=True, help="Plan it first")
        return
    _numbers(planned[1])
    _start(wish)


def _plan(wish: planning.Wish) -> tuple[planning.Wish, estimating.Plan] | None:
    st.session_state.pop(PLANNED, None)
    try:
        with st.spinner("Looking through the rows …"):
            st.session_state[PLANNED] = wish, runs.look(wish)
    except errors.UndertoneError as error:
        messages.error(error)
        return None
    found: tuple[planning.Wish, estimating.Plan] = st.session_state[PLANNED]
    return found


def _numbers(plan: estimating.Plan) -> None:
    about = "" if plan.exact else "about "
    work = plan.todo - plan.empty
    took = (
        "nobody knows" if plan.seconds is None else "a moment" if plan.seconds < 1 else f"about {_long(plan.seconds)}"
    )
    shown = [
        ("Rows", f"{about}{plan.rows:,}", "All rows that are meant"),
        ("To score", f"{about}{work:,}", "New, or changed since they were scored"),
        ("Unchanged", f"{about}{plan.unchanged:,}", "Scored by this model already, and left as they are"),
        ("Empty", f"{about}{plan.empty:,}", "Null, or nothing but blanks: noted, not read"),
        ("Time", took, "From the rate of the workers here and the lengths of the texts"),
    ]
    for column, (name, value, meaning) in zip(st.columns([1, 1, 1, 1, 1.5]), shown, strict=True):
        column.metric(name, value, help=meaning)
    if not plan.exact:
        st.caption("There are many rows: the counts are estimated from some of them.")
    if plan.seconds is None:
        st.caption(
            "This model has not been measured here. The time left is shown as soon as the first rows are scored."
        )
    if not work:
        st.caption("Nothing is to be scored. A run would look through the rows and mark those that have vanished.")


def _start(wish: planning.Wish) -> None:
    pace = None
    keep = st.toggle("Keep it up: start such a run again and again", key="score_keep")
    if keep:
        with st.container(border=True):
            pace = score_pace.choose("score_keep_pace")
            st.caption(score_schedule.reads(wish.new_by))
    if st.button(
        "Start and schedule" if keep else "Start",
        type="primary",
        icon=":material/play_arrow:",
        key="score_start",
        disabled=keep and pace is None,
    ):
        try:
            with st.spinner("Starting …"):
                run = runs.start(wish, pace)
        except errors.UndertoneError as error:
            messages.error(error)
            return
        st.session_state.pop(PLANNED, None)
        finished.expect(run.id)
        score_place.go("runs", run=str(run.id))


def _long(seconds: float) -> str:
    return units.duration(seconds) if seconds >= 10 else f"{seconds:.0f} s"
