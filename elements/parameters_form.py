"""An input for each parameter of a statement, of the kind that it is."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Mapping, Sequence

import streamlit as st

from elements import messages
from undertone import parameters

WIDTH = 290  # pixels of an input with its kind beside it
EXAMPLES = {"integer": "42", "number": "3.14", "date": "2026-01-31", "timestamp": "2026-01-31 13:45"}
FIRST, LAST = datetime.date(1, 1, 1), datetime.date(9999, 12, 31)


def show(
    wanted: Sequence[parameters.Parameter], given: Mapping[str, parameters.Value], *, key: str
) -> dict[str, parameters.Value]:
    """The values of these parameters, without those that have none yet. `given`: what the inputs begin with."""
    found: dict[str, parameters.Value] = {}
    if not wanted:
        return found
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for parameter in wanted:
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width=WIDTH):
                if (value := _input(parameter, given.get(parameter.name), f"{key}_{parameter.name}")) is not None:
                    found[parameter.name] = value
    return found


def _input(parameter: parameters.Parameter, given: parameters.Value | None, key: str) -> parameters.Value | None:
    kinds = list(parameters.KINDS)
    first = given.kind if given else parameter.kind
    kind_key, null_key = f"{key}_kind_{first}", f"{key}_null"
    kind = st.session_state.get(kind_key) or first
    null = bool(st.session_state.get(null_key, given is not None and given.value is None))
    initial = given.value if given and given.kind == kind else None
    label = messages.plain(f":{parameter.name}")
    value = _widget(kind, label, initial, f"{key}_{kind}", null)
    # After the input, which is what is filled in first; the state is known before.
    with st.popover("NULL" if null else kind, help=f"Of which kind {label} is"):
        st.selectbox(f"Kind of {label}", kinds, index=kinds.index(first), key=kind_key, persist_state="session")
        st.checkbox(f"{label} is NULL", value=null, key=null_key, persist_state="session")
    return parameters.Value(kind, None) if null else value


def _widget(kind: str, label: str, initial: str | None, key: str, null: bool) -> parameters.Value | None:
    if kind == "boolean":
        options = ["true", "false"]
        chosen = st.selectbox(
            label,
            options,
            index=options.index(initial) if initial in options else None,
            placeholder="choose",
            key=key,
            disabled=null,
            persist_state="session",
        )
        return None if chosen is None else parameters.Value(kind, str(chosen))
    if kind in ("date", "timestamp"):
        # What no calendar can show, `infinity` or a year BC, came with a saved query or a link and is edited as text.
        with contextlib.suppress(ValueError):
            return _calendar(kind, label, initial, key, null)
    typed = st.text_input(
        label,
        value=initial or "",
        placeholder=EXAMPLES.get(kind, ""),
        key=f"{key}_typed",
        disabled=null,
        persist_state="session",
    )
    return parameters.Value(kind, typed) if typed or kind == "text" else None


def _calendar(kind: str, label: str, initial: str | None, key: str, null: bool) -> parameters.Value | None:
    """Raises ValueError for a value that a calendar cannot show."""
    chosen: datetime.date | None
    if kind == "date":
        begin = datetime.date.fromisoformat(initial) if initial else None
        chosen = st.date_input(
            label,
            value=begin,
            min_value=FIRST,
            max_value=LAST,
            format="YYYY-MM-DD",
            key=key,
            disabled=null,
            persist_state="session",
        )
        return None if chosen is None else parameters.Value(kind, chosen.isoformat())
    moment = datetime.datetime.fromisoformat(initial) if initial else None
    if moment is not None and (moment.second or moment.microsecond or moment.tzinfo):
        raise ValueError("finer than a calendar's minutes")
    chosen = st.datetime_input(
        label,
        value=moment,
        min_value=datetime.datetime.combine(FIRST, datetime.time()),
        max_value=datetime.datetime.combine(LAST, datetime.time(23, 59)),
        format="YYYY-MM-DD",
        step=datetime.timedelta(minutes=1),
        key=key,
        disabled=null,
        persist_state="session",
    )
    return None if chosen is None else parameters.Value(kind, chosen.isoformat(sep=" ", timespec="minutes"))
