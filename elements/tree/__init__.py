"""The tree of the data: schemas, tables and what is under them, searched as one types, with favourites on top.

Its program is tree.js beside this. What the database holds is sent once and as bytes, which stay the same until it is
read anew; what a click changes goes through a second component, orders.js, and is small.
"""

from __future__ import annotations

import pathlib
from typing import Any

import streamlit as st

from elements import messages, place, structure, visitor, waiting
from resources import jobs
from resources import tree as resource
from undertone import catalog, errors, favourites, looks

FOLDER = pathlib.Path(__file__).parent
HTML = """
<div class="tree">
  <div class="bar">
    <input type="search" role="combobox" aria-controls="view" aria-expanded="true" aria-haspopup="tree"
           aria-label="Search tables and columns" placeholder="Search tables and columns"
           autocomplete="off" spellcheck="false">
    <span class="said muted" role="status" aria-live="polite"></span>
  </div>
  <div class="head muted" aria-hidden="true">
    <span>Name</span><span class="kind">Kind</span><span class="number">Rows</span><span class="number size">Size</span>
    <span class="analysed">Analysed</span><span class="comment">Comment</span>
  </div>
  <div class="view" id="view" role="tree" tabindex="0" aria-label="Tables"><div class="rows" role="none"></div></div>
  <div class="note muted" role="status"></div>
</div>
"""
EMPTY = "There is no table that this account may read. Bring a file to have one, or grant SELECT to the account."
SYSTEM, COUNTS, COUNTING, TROUBLE, GO = (
    f"tables_tree_{name}" for name in ("system", "counts", "counting", "trouble", "go")
)
JOB = "tables_tree_count"


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


_mount = st.components.v2.component("undertone_tree", html=HTML, css=_read("tree.css"), js=_read("tree.js"))
_order = st.components.v2.component("undertone_tree_orders", js=_read("orders.js"))


def show(look: looks.Look, *, wide: bool) -> None:
    """The tree; a click on a table goes there. `wide`: with columns for what else is known of a table."""
    st.fragment(_show)(look, wide)


def _show(look: looks.Look, wide: bool) -> None:
    if st.session_state.pop(GO, False):
        st.rerun()  # the address is another one
    system = bool(st.session_state.get(SYSTEM, False))
    try:
        known = resource.get_tree(system)
    except errors.UndertoneError as error:
        messages.error(error)
        st.button("Try again", icon=":material/refresh:", key="tables_tree_again")
        return
    who, marked, trouble = visitor.who(), [], st.session_state.pop(TROUBLE, None)
    try:
        marked = [favourite.label for favourite in resource.get_favourites(who)]
    except errors.UndertoneError as error:
        trouble = str(error)
    if not known.tree.nodes:
        messages.empty(EMPTY)
    counting = _counted(known)
    key = f"tables_tree_{'wide' if wide else 'narrow'}"
    if known.tree.nodes or marked:
        with st.container(gap=None):
            _mount(
                key=key,
                data=known.packed,
                on_open_change=lambda: _open(look, known, key),
                on_star_change=lambda: _star(known, who, key),
                on_count_change=lambda: _count(known, key),
            )
            _order(
                key=f"{key}_orders",
                data={
                    "table": look.table,
                    "keep": _kept(look),
                    "wide": wide,
                    "favourites": marked,
                    "counts": st.session_state.get(COUNTS, {}),
                    "counting": counting,
                },
            )
    if trouble:
        st.error(messages.plain(trouble), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("System schemas", key=SYSTEM, help="pg_catalog and information_schema, browsed like any other")
        st.button(
            "Refresh" if wide else "",
            icon=":material/refresh:",
            key="tables_tree_refresh",
            type="tertiary",
            help="Read the tree anew; it is kept for a minute",
            on_click=resource.get_tree.clear,
        )


def _counted(known: resource.Known) -> str | None:
    """The label of the table that is being counted; what has been counted is kept."""
    label = st.session_state.get(COUNTING)
    job = jobs.find(JOB, label) if label else None
    if job is None:
        return None
    if not waiting.wait(job, f"Counting the rows of {label}", key=JOB):
        return str(label)
    st.session_state[COUNTING] = None
    if job.error is None:
        st.session_state[COUNTS] = st.session_state.get(COUNTS, {}) | {label: job.result}
    elif not isinstance(job.error, jobs.JobCancelled):
        messages.error(job.error)
    jobs.forget(JOB)
    return None


def _kept(look: looks.Look) -> dict[str, str]:
    """What of a look another table is looked at by."""
    return {"part": look.part} if look.part != looks.PARTS[0] else {}


def _said(key: str, name: str) -> dict[str, Any]:
    """What the browser says, which may be anything."""
    said = dict(st.session_state.get(key) or {}).get(name)
    return dict(said) if isinstance(said, dict) and isinstance(said.get("label"), str) else {}


def _open(look: looks.Look, known: resource.Known, key: str) -> None:
    label = _said(key, "open").get("label")
    if label in known.tree.by_label:
        if look.part == "structure":
            structure.go(str(label))
        else:
            place.go(looks.Look(table=label, part=look.part))
        st.session_state[GO] = True


def _star(known: resource.Known, who: str, key: str) -> None:
    said = _said(key, "star")
    relation = known.tree.by_label.get(said.get("label", ""))
    try:
        if relation is not None:
            resource.mark(who, favourites.Favourite(relation.schema, relation.name), said.get("on") is True)
            return
        for favourite in resource.get_favourites(who):
            if favourite.label == said.get("label"):  # one that is gone can only be removed
                resource.mark(who, favourite, False)
    except errors.UndertoneError as error:
        st.session_state[TROUBLE] = str(error)


def _count(known: resource.Known, key: str) -> None:
    label = _said(key, "count").get("label", "")
    if (relation := known.tree.by_label.get(label)) is None:
        return
    try:
        jobs.start(JOB, label, catalog.count, relation)
        st.session_state[COUNTING] = label
    except errors.UndertoneError as error:
        st.session_state[TROUBLE] = str(error)
