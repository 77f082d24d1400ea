"""Where on Score somebody is: which part, run, source. It stands in the page's address, so a reload keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from resources import runs

PARTS = {"runs": "Runs", "new": "New run", "sources": "Sources"}
ICONS = {"runs": ":material/list:", "new": ":material/add:", "sources": ":material/database:"}
PART, NEXT = "score_part", "score_next"
OF_THE_ADDRESS = ("score_filter_", "score_new_", "score_show")


def part() -> str:
    """The control that chooses the part of the page; the part. Raises DatabaseError."""
    if NEXT in st.session_state:
        _arrive(*st.session_state.pop(NEXT))
    elif PART not in st.session_state:
        st.session_state[PART] = _wanted()
    chosen: str = st.segmented_control(
        "Part",
        list(PARTS),
        format_func=lambda name: f"{ICONS[name]} {PARTS[name]}",
        key=PART,
        required=True,
        label_visibility="collapsed",
    )
    keep("part", chosen)
    return chosen


def _wanted() -> str:
    """The part that the address means; where it says nothing, the runs, or how to get the first one."""
    named = st.query_params.get("part")
    if named in PARTS:
        return named
    if st.query_params.get("run"):
        return "runs"
    if st.query_params.get("table") or st.query_params.get("query"):
        return "new"
    return "new" if runs.get_newest() is None else "runs"


def go(name: str, **query: str | list[str]) -> NoReturn:
    """Make the page anew at another part, with this address and nothing else in it."""
    st.session_state[NEXT] = (name, query)
    st.rerun()


def _arrive(name: str, query: dict[str, str | list[str]]) -> None:
    for key in [str(key) for key in st.session_state if str(key).startswith(OF_THE_ADDRESS)]:
        del st.session_state[key]  # they begin with what the address says
    st.session_state[PART] = name
    st.query_params.from_dict({"part": name, **query})


def keep(name: str, value: str | None) -> None:
    """Note a choice in the address; nothing of one that is none."""
    if not value:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def begin(key: str, name: str, options: Sequence[str] | None = None) -> None:
    """Let a widget begin with what the address says, if that is one of its options."""
    if key not in st.session_state:
        value = st.query_params.get(name)
        if value is not None and (options is None or value in options):
            st.session_state[key] = value
