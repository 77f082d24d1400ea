"""The databases: opened once, shared by every session.

What is shared are pools, not connections: one live connection used by two sessions at once would mix their
transactions.
"""

from __future__ import annotations

import atexit

import streamlit as st

from undertone import asking, database, services, settings


@st.cache_resource(show_spinner="Opening the database …", on_release=services.Services.close)
def get_services() -> services.Services:
    """All that the settings name, opened. Raises SettingsError, ServerError, DatabaseError; a failure is not kept."""
    opened = services.open_services(settings.load_settings())
    # Ctrl-C and SIGTERM end the app in order; the server that it started must not stay behind.
    atexit.register(opened.close)
    asking.tidy(opened)
    return opened


def get_settings() -> settings.Settings:
    """The settings that the app runs with."""
    return get_services().settings


def get_database() -> database.Database:
    """The data: a pool that only reads."""
    return get_services().data


def get_console() -> database.Database:
    """The data again, in a small pool of its own for people's statements."""
    return get_services().console


def get_store() -> database.Database:
    """The store: runs, scores, the job queue."""
    return get_services().store
