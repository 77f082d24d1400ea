"""Grids of rows: numbers to the right, null apart from empty, a stored text shown as it is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

# Whole numbers beyond this lose digits in a browser.
SAFE_INTEGER = 2**53


def frame(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a frame. Columns may share a name or have none, which a frame's index allows and the grid does not."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame({index: _series(values) for index, values in enumerate(columns)}).set_axis(
        unique(names), axis="columns"
    )


def _series(values: Sequence[Any]) -> pd.Series[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int} and all(abs(value) < SAFE_INTEGER for value in values if value is not None):
        return pd.Series(values, dtype="Int64")
    if kinds and kinds <= {int, float} and float in kinds:
        return pd.Series([None if value is None else float(value) for value in values], dtype="Float64")
    return pd.Series([None if value is None else str(value) for value in values], dtype="object")


def unique(names: Sequence[str]) -> list[str]:
    """The names, told apart by a number where they are equal, and called `column` where they are empty."""
    found: list[str] = []
    for name in names:
        choices = itertools.chain([name or "column"], (f"{name or 'column'} ({n})" for n in itertools.count(2)))
        found.append(next(choice for choice in choices if choice not in found))
    return found


def show(names: Sequence[str], rows: Sequence[Sequence[Any]], *, key: str, plain: Sequence[str] = ()) -> None:
    """Show rows. Columns named in `plain`, such as keys, have no thousands separators."""
    data = frame(names, rows)
    config = {
        name: st.column_config.NumberColumn(format="localized")
        for name, dtype in data.dtypes.items()
        if str(dtype) in ("Int64", "Float64") and name not in plain
    }
    config |= {
        name: st.column_config.NumberColumn(format="%d") for name in plain if str(data.dtypes.get(name)) == "Int64"
    }
    st.dataframe(data, hide_index=True, column_config=config, key=key, placeholder="null")
