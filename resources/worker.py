"""The local worker: one child process that scores, where none runs elsewhere."""

from __future__ import annotations

import atexit

import streamlit as st

from resources import database
from undertone import local_worker


@st.cache_resource(show_spinner=False, on_release=lambda worker: worker.stop() if worker else None)
def get_worker() -> local_worker.LocalWorker | None:
    """See to it that a worker is at work; None where the store is somebody else's server, or a setting says no."""
    chosen = database.get_settings()
    if not (chosen.embedded_store and chosen.local_worker):
        return None
    worker = local_worker.LocalWorker(chosen)
    worker.start()
    # Registered after the services, so it runs before them: the worker needs the server until it has ended.
    atexit.register(worker.stop)
    return worker
