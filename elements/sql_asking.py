"""A statement on its way: how long it has taken, and a button that stops it."""

from __future__ import annotations

import streamlit as st

from resources import asked
from undertone import console, units

LOOK_SECONDS = 0.4
PATIENCE_SECONDS = 0.35  # most answers are there by then, and nothing has to flicker


def wait(running: asked.Running, limits: console.Limits) -> bool:
    """Whether the answer is there. If not, show that it is asked, and make the page again once it has come."""
    asked.keep(running)
    if running.done or running.wait(PATIENCE_SECONDS):
        return True
    st.fragment(_show, run_every=LOOK_SECONDS)(running, limits)
    return False


def _show(running: asked.Running, limits: console.Limits) -> None:
    if running.done:
        st.rerun()
    asked.keep(running)
    seconds = running.elapsed
    words = "Cancelling" if running.cancelled else "Asking"
    with st.container(horizontal=True, vertical_alignment="center", key="sql_asking"):
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key="sql_cancel",
            on_click=running.cancel,
            disabled=running.cancelled,
        )
        st.progress(
            min(1.0, seconds / limits.seconds),
            f"{words} … {seconds:.0f} s of at most {units.duration(limits.seconds)}",
        )


def brief(seconds: float) -> str:
    """Seconds that something took, in milliseconds where they are few."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else units.duration(seconds)
