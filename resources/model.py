"""The classifier: loaded once per process, when a page first needs it."""

from __future__ import annotations

import streamlit as st

from resources import database
from undertone import classifier


@st.cache_resource(show_spinner="Loading the model …")
def get_classifier() -> classifier.Classifier:
    """The model of the settings, safe for every session at once. Raises ModelError."""
    chosen = database.get_settings()
    return classifier.load_classifier(
        chosen.model, max_length=chosen.max_length, batch_tokens=chosen.batch_tokens, threads=chosen.threads
    )
