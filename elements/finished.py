"""A word, on whatever page one is, when a run ends that one has started."""

from __future__ import annotations

import streamlit as st

from elements import messages, visitor
from resources import runs
from undertone import scoring, units

LOOK_SECONDS, SELDOM_SECONDS = 3.0, 86_400.0
WAITED = "finished_waited"  # numbers of runs whose end this session has not seen
ICONS = {"finished": ":material/check_circle:", "failed": ":material/error:", "cancelled": ":material/cancel:"}


def expect(run: int) -> None:
    """Tell when this run ends, too: it may have ended before the next look at what is under way."""
    waited: set[int] = st.session_state.setdefault(WAITED, set())
    waited.add(run)


def watch() -> None:
    """In the frame, before the page: look now and then for the end of one's runs, while there are any."""
    waited: set[int] = st.session_state.setdefault(WAITED, set())
    waited.update(runs.under_way(visitor.who()))
    # Never without an interval. A browser whose app was started anew, or has forgotten it while it slept, asks for the
    # whole page again only where a part of it is due again some time; else all that it says to a part is lost.
    st.fragment(_look, run_every=LOOK_SECONDS if waited else SELDOM_SECONDS)()


def _look() -> None:
    waited: set[int] = st.session_state.get(WAITED, set())
    if not waited:
        return
    for run in runs.ended(sorted(waited)):
        waited.discard(run.id)
        st.toast(messages.plain(_words(run)), icon=ICONS[run.state], duration="long")


def _words(run: scoring.Run) -> str:
    said = f"Run {run.id} over {run.source.title} {'was cancelled' if run.state == 'cancelled' else run.state}"
    failed = f", {run.failed:,} failed" if run.failed else ""
    return f"{said}: {units.count(run.scored, 'row')} scored{failed}"
