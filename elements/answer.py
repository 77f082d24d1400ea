"""The rows of an answer: a grid to sort and search, and one row in full."""

from __future__ import annotations

import zlib

import streamlit as st

from elements import grids, messages
from undertone import console, export_text, names, units

LONG = 2_000  # characters of a value that are shown unasked
PAGE = 40  # values of a row that are shown at once


def show(result: console.Result, *, key: str) -> None:
    """The rows as a grid, and the selected one in full below it."""
    if not result.columns:
        messages.empty(f"The answer has {units.count(len(result.rows), 'row')} and no column.")
        return
    types = [column.type for column in result.columns]
    most = max(1, grids.CELLS // len(types))
    # Another answer is another grid: what was selected in one means nothing in the next.
    key = f"{key}_{zlib.crc32(repr((result.columns, len(result.rows), result.seconds)).encode(errors='replace')):08x}"
    selected = grids.show(
        [column.name for column in result.columns], result.rows[:most], key=key, types=types, selectable=True
    )
    if len(result.rows) > most:
        st.caption(
            f"The grid has the first {most:,} of {len(result.rows):,} rows: so many columns would halt a browser."
            " Chart and Download have them all."
        )
    if selected is None:
        if result.rows:
            st.caption("Select a row to see all of it.")
        return
    _row(result, selected, f"{key}_row")


def _row(result: console.Result, number: int, key: str) -> None:
    """All values of a row, as plain text that can be copied."""
    labels = names.unique([column.name for column in result.columns])
    values = list(zip(labels, result.columns, result.rows[number], strict=True))
    with st.container(border=True, key=key, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Row {number + 1:,}**", width="content")
            first = 0
            if len(values) > PAGE:
                starts = range(0, len(values), PAGE)
                first = st.selectbox(
                    "Columns",
                    starts,
                    format_func=lambda start: f"columns {start + 1:,} to {min(start + PAGE, len(values)):,}",
                    key=f"{key}_from",
                    label_visibility="collapsed",
                    width=260,
                )
        for index, (label, column, value) in enumerate(values[first : first + PAGE], first):
            _value(label, column.type, value, f"{key}_{number}_{index}")


def _value(label: str, type: str, value: object, key: str) -> None:
    left, right = st.columns([1, 3], gap="small")
    left.markdown(f"**{messages.plain(label)}**  \n:gray[:small[{messages.plain(type)}]]")
    if value is None or value == "":
        right.markdown(":gray[null]" if value is None else ":gray[empty text]")
        return
    text = export_text.plain(value)
    if len(text) > LONG and not right.toggle(f"All {len(text):,} characters", key=key):
        text = f"{text[:LONG]}…"
    right.code(text, language=None, wrap_lines=True, height=400 if len(text) > 2 * LONG else "content")
