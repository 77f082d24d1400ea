"""When the browser of a session has gone: a tab that was closed, or a connection that broke and is not back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime import scriptrunner

GRACE_SECONDS = 0.75  # a connection that broke for a moment is back by then, and nothing was stopped


def name() -> str:
    """What Streamlit calls the session that this script runs for."""
    context = scriptrunner.get_script_run_ctx()
    return context.session_id if context else ""


def unless_back(session: str, do: Callable[[], object]) -> None:
    """Call `do` in a moment, in a thread, unless the session `session`, which has just been released, is back."""

    def look() -> None:
        if not (runtime.exists() and runtime.get_instance().is_active_session(session)):
            do()

    timer = threading.Timer(GRACE_SECONDS, look)
    timer.daemon = True
    timer.start()
