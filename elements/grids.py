"""Grids of rows: numbers to the right, null apart from empty, a stored text shown as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import streamlit as st

from elements import messages
from undertone import export_text
from undertone import names as naming

# Whole numbers beyond this lose digits in a browser; numbers of more digits than these are shown with others.
SAFE_INTEGER, SAFE_DIGITS = 2**53, 15
LONGEST = 5_000  # characters of a value; the browser draws none of what is beyond
CELLS = 1_000_000  # that a browser takes without a pause
# The grid's own file would hold what is shown, not all of it, and formulas as they are. Download has neither fault.
NO_FILE = '<style>[data-testid="stDataFrame"] button[aria-label="Download as CSV"] { display: none; }</style>'
NUMBERS = ("smallint", "integer", "bigint", "oid", "real", "double precision", "numeric")


@dataclass(frozen=True)
class Values:
    """A column as the browser gets it. `form` is how a number is shown, None for a text; `right` where it stands."""

    array: pa.Array
    form: str | None = None
    right: bool = False


def unique(names: Sequence[str]) -> list[str]:
    """The names, told apart by a number where they are equal, and called `column` where they are empty."""
    return naming.unique(names)


def frame(names: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[str] = ()) -> pa.Table:
    """Rows as the table that a grid shows. Columns may share a name or have none: they are told apart.

    `types` are PostgreSQL's, where they are known.
    """
    return pa.Table.from_arrays([column.array for column in _columns(names, rows, types)], names=_sendable(names))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[str]) -> list[Values]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    kinds = types or [""] * len(columns)
    return [_values(values, kind) for values, kind in zip(columns, kinds, strict=True)]


def _values(values: Sequence[Any], postgresql: str) -> Values:
    kinds = {type(value) for value in values if value is not None}
    present = [value for value in values if value is not None]
    if kinds == {int} and min(present) > -SAFE_INTEGER and max(present) < SAFE_INTEGER:
        return Values(pa.array(values, pa.int64()), "localized", right=True)
    if kinds and kinds <= {int, float} and float in kinds and all(map(_is_safe, present)):
        # An answer's number is shown with all its digits, one of ours as it is read best.
        return Values(pa.array(values, pa.float64()), "plain" if postgresql else "localized", right=True)
    if kinds == {str} and postgresql == "numeric" and (form := _numeric_form(present)):
        numbers = [None if value is None else float(value) for value in values]
        return Values(pa.array(numbers, pa.float64()), form, right=True)
    if kinds - {str}:
        values = [None if value is None else export_text.plain(value) for value in values]
        present = [value for value in values if value is not None]
    if present and max(map(len, present)) > LONGEST:
        values = [value if value is None or len(value) <= LONGEST else _cut(value) for value in values]
    return Values(_texts(values), right=postgresql in NUMBERS)


def _is_safe(number: float) -> bool:
    return math.isfinite(number) and abs(number) < SAFE_INTEGER


def _numeric_form(texts: Sequence[str]) -> str | None:
    """How numerics are shown if a browser's numbers hold them exactly: with as many places as they all have."""
    if max(map(len, texts)) > SAFE_DIGITS + 1 or not all(text[-1].isdigit() for text in texts):
        return None
    places = {len(text.partition(".")[2]) for text in texts}
    if any(abs(float(text)) >= 10**SAFE_DIGITS for text in texts):
        return None
    return f"%.{places.pop()}f" if len(places) == 1 else "plain"


def _cut(text: str) -> str:
    return f"{text[:LONGEST]}… ({len(text):,} characters)"


def _texts(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # half of a character
        return pa.array([None if value is None else _whole(value) for value in values], pa.string())


def _whole(text: str) -> str:
    return text.encode(errors="replace").decode()


def _sendable(names: Sequence[str]) -> list[str]:
    return unique([_whole(name) for name in names])


def selected(key: str) -> list[int]:
    """The rows that are selected in the grid of this key; none where it has not been shown."""
    rows: list[int] = st.session_state[key]["selection"]["rows"] if key in st.session_state else []
    return rows


def select(key: str, rows: list[int]) -> None:
    """Before it is shown: have these rows selected in the grid of this key.

    Said only where it is not so: what is said while somebody clicks could undo the click.
    """
    if selected(key) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def show(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    key: str,
    plain: Sequence[str] = (),
    types: Sequence[str] = (),
    selectable: bool = False,
    on_select: Callable[[], None] | None = None,
    links: Sequence[str] = (),
    height: int | None = None,
    missing: str = "null",
) -> int | None:
    """Show rows. Columns named in `plain`, such as keys, have no thousands separators.

    `types` are PostgreSQL's, for the help at the headings. Where a row is `selectable`, returns the index of the one
    that is selected, and calls `on_select` when that is another one. Columns named in `links` hold addresses that we
    have made, never a database. `height` is in pixels, where it is not to follow the rows; `missing`
    stands where there is no value.
    """
    columns, labels = _columns(names, rows, types), _sendable(names)
    config = {}
    for label, column, type in zip(labels, columns, types or [""] * len(columns), strict=True):
        help = messages.plain(type) if type else None
        if label in links:
            config[label] = st.column_config.LinkColumn(display_text="open")
        elif column.form:
            form = "%d" if label in plain and column.form == "localized" and column.array.type == pa.int64() else None
            form = form or (None if label in plain else column.form)
            config[label] = st.column_config.NumberColumn(format=form, help=help)
        elif type or column.right:
            config[label] = st.column_config.TextColumn(help=help, alignment="right" if column.right else None)
    table = pa.Table.from_arrays([column.array for column in columns], names=labels)
    st.html(NO_FILE)
    if not selectable:
        st.dataframe(
            table,
            hide_index=True,
            column_config=config,
            key=key,
            placeholder=missing,
            lazy=False,
            height=height or "auto",
        )
        return None
    state = st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        key=key,
        placeholder=missing,
        lazy=False,
        height=height or "auto",
        on_select=on_select or "rerun",
        selection_mode="single-row",
    )
    selected = state["selection"]["rows"]
    return selected[0] if selected and selected[0] < len(rows) else None
