"""A row to take along: as JSON, and its large values as files."""

from __future__ import annotations

import re

import streamlit as st

from elements import messages
from resources import rows as answers
from undertone import errors, rows, units

COLOURED, SHOWN = 50_000, 500_000  # characters of JSON that a browser colours, and shows
MOST = 20  # values that are offered as files


def as_json(row: rows.Row) -> None:
    """All values as JSON, to copy or to save; asked for when it is unfolded."""
    folded = st.expander("As JSON", icon=":material/data_object:", key="row_json", on_change="rerun")
    if not folded.open:
        return
    with folded:
        try:
            written = answers.get_json(row.relation, row.key)
        except errors.UndertoneError as error:
            messages.error(error)
            return
        if len(written) <= SHOWN:
            st.code(written, language="json" if len(written) <= COLOURED else None, wrap_lines=True, height=320)
        else:
            st.caption(f"{len(written):,} characters are too many to show here.")
        st.download_button(
            "Save as a file",
            written,
            f"{_file_name(row.relation.name)}.json",
            "application/json",
            icon=":material/download:",
            key="row_json_file",
            on_click="ignore",
        )


def files(row: rows.Row) -> None:
    """Bytes, and values that are too long to be shown, as files."""
    large = [cell for cell in row.cells if cell.is_cut or (cell.field.base == "bytea" and cell.length)]
    if not large:
        return
    with st.expander("Values as files", icon=":material/download:", key="row_files"):
        for number, cell in enumerate(large[:MOST]):
            binary = cell.field.base == "bytea"
            length = units.size(cell.length) if binary else units.count(cell.length or 0, "character")
            st.download_button(
                messages.plain(f"{cell.name} ({length})"),
                answers.whole(row.relation, row.key, cell.name),
                f"{_file_name(row.relation.name)}_{_file_name(cell.name)}.{'bin' if binary else 'txt'}",
                "application/octet-stream" if binary else "text/plain",
                key=f"row_file_{number}",
                on_click="ignore",
            )


def _file_name(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:60] or "value"
