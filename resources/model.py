"""The classifier: loaded once per process, when a page first needs it."""

from __future__ import annotations

import streamlit as st

from resources import database
from undertone import classifier


@st.cache_resource(show_spinner="Loading the model … (the first time, it is made ready for this machine)")
def get_classifier() -> classifier.Classifier:
    """The model of the settings, safe for every session at once. Raises ModelError."""
    return classifier.from_settings(database.get_settings())
