"""Something that takes long, on its way: how long it has taken, and a button that stops it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from elements import messages
from resources import jobs
from undertone import units

LOOK_SECONDS = 0.4
PATIENCE_SECONDS = 0.3  # most answers are there by then, and nothing has to flicker


def wait(job: jobs.Job[Any], what: str, *, key: str) -> bool:
    """Whether it is done. If not, say `what` is done, offer to cancel, and make the page again once it has ended."""
    if job.done or job.wait(PATIENCE_SECONDS):
        return True
    st.fragment(_show, run_every=LOOK_SECONDS)(job, what, key)
    return False


def _show(job: jobs.Job[Any], what: str, key: str) -> None:
    if job.done:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_waiting"):
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key=f"{key}_cancel",
            on_click=job.cancel,
            disabled=job.cancelled,
        )
        words = "Cancelling" if job.cancelled else messages.plain(what)
        st.progress(
            min(1.0, job.elapsed / job.seconds),
            f"{words} … {job.elapsed:.0f} s of at most {units.duration(job.seconds)}",
        )
