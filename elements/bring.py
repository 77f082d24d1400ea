"""Bring a file: a dialog that makes a table of it, in the embedded database only."""

from __future__ import annotations

import pathlib
import tempfile

import streamlit as st

from elements import messages, place
from resources import browsing, database, results, tree
from undertone import errors, load, looks, names

SUFFIXES = ["csv", "tsv", "jsonl", "ndjson", "json", "parquet"]


def button() -> None:
    """The button that opens the dialog; says why not where files cannot be brought."""
    owner = database.get_services().owner
    if st.button(
        "Bring a file",
        icon=":material/upload_file:",
        key="tables_bring",
        disabled=owner is None,
        help=None if owner else "Only the embedded database takes files: Undertone never writes to yours.",
    ):
        _dialog()
    if loaded := st.session_state.pop("tables_brought", None):
        st.toast(messages.plain(f"{loaded.rows:,} rows in the new table {loaded.table}"), icon=":material/check:")
        place.go(looks.Look(table=names.quoted(loaded.table)))
        st.rerun()


@st.dialog("Bring a file", width="medium")
def _dialog() -> None:
    limit = database.get_settings().upload_megabytes
    file = st.file_uploader("CSV, TSV, JSON lines or Parquet", type=SUFFIXES, key="tables_file", max_upload_size=limit)
    left, right = st.columns(2)
    table = left.text_input("Name of the new table", key="tables_name", placeholder="from the file's name")
    key = right.text_input("Column that identifies a row", key="tables_key", placeholder="a new one that counts")
    if not st.button("Make a table of it", type="primary", key="tables_make", disabled=file is None) or file is None:
        return
    bar = st.progress(0.0, "Reading …")

    def show(done: int, total: int) -> None:
        bar.progress(min(1.0, done / total) if total else 0.0, f"{done:,} of {total:,}" if total else "Reading …")

    owner = database.get_services().owner
    assert owner is not None
    try:
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / f"file{pathlib.Path(file.name).suffix.lower()}"
            path.write_bytes(file.getbuffer())
            loaded = load.load_file(
                owner, path, table=table.strip() or None, key=key.strip() or None, name=file.name, progress=show
            )
    except errors.UndertoneError as error:
        bar.empty()
        messages.error(error)
        return
    for kept in (results.get_relations, browsing.get_relation, tree.get_tree):
        kept.clear()
    st.session_state["tables_brought"] = loaded
    st.rerun()
