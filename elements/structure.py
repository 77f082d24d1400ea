"""How a table is built: its columns, constraints and indexes, what refers to what, the statements that make it anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import streamlit as st

from elements import grids, messages, place, structure_words
from resources import structure as resource
from undertone import catalog, ddl, diagram, errors, looks, structure, structure_parts, units

LIGHT = diagram.Colours()
DARK = diagram.Colours(text="#e6eaec", line="#8fa0aa", fill="#1d2529", accent="#6fb3d2")
MOST_LINKS = 60
SECTIONS = ("Columns", "Constraints", "Indexes", "References", "DDL", "More")
SECTION, FAR = "section", "tables_structure_far"


def show(look: looks.Look, relation: catalog.Relation) -> None:
    """The sections, of which only the one that is open is made; which one that is stands in the address."""
    try:
        built = resource.get_structure(relation)
    except errors.UndertoneError as error:
        messages.error(error)
        st.button(
            "Try again", icon=":material/refresh:", key="tables_structure_again", on_click=resource.get_structure.clear
        )
        return
    if built.hides:
        st.caption("Shown is what this account may read; there may be more.")
    section = st.query_params.get(SECTION, SECTIONS[0])
    section = section if section in SECTIONS else SECTIONS[0]
    key = place.key("section", relation.label, section)
    tabs = st.tabs(SECTIONS, default=section, key=key, on_change=_turn, args=(key,))
    for tab, draw in zip(tabs, (_columns, _constraints, _indexes, _references, _ddl, _more), strict=True):
        if tab.open:
            with tab:
                draw(built)


def go(label: str) -> None:
    """In a callback: to the structure of another table, at the section that is open."""
    section = {SECTION: st.query_params[SECTION]} if SECTION in st.query_params else {}
    # One writing, for each is a step for Back.
    st.query_params.from_dict(looks.parameters(looks.Look(label, part="structure")) | section)


def _turn(key: str) -> None:
    section = st.session_state.get(key)
    if section in SECTIONS[1:]:
        st.query_params[SECTION] = section
    else:
        st.query_params.pop(SECTION, None)


def _columns(built: structure.Structure) -> None:
    if not built.columns:
        messages.empty("This table has no columns; it can have rows all the same.")
        return
    key = next((one for one in built.constraints if one.kind == "primary key"), None)
    st.caption(f"{units.count(len(built.columns), 'column')}" + (f" · {messages.plain(key.definition)}" if key else ""))
    _grid(
        ("column", "type", "null", "default", "collation", "storage", "comment"),
        [
            (
                column.name,
                column.type,
                "" if column.nullable else "not null",
                structure_words.default(column),
                column.collation,
                column.storage,
                column.comment,
            )
            for column in built.columns
        ],
        key="tables_structure_columns",
    )


def _constraints(built: structure.Structure) -> None:
    if not built.constraints:
        messages.empty("No constraint holds its rows to anything, but for columns that may not be null.")
        return
    _grid(
        ("constraint", "kind", "definition", "remark", "comment"),
        [
            (one.name, one.kind, one.definition, "" if one.validated else "older rows were never checked", one.comment)
            for one in built.constraints
        ],
        key="tables_structure_constraints",
    )


def _indexes(built: structure.Structure) -> None:
    if not built.indexes:
        messages.empty("There is no index: whoever looks for a row here reads all of them.")
        return
    for index in built.indexes:
        if not index.valid:
            words = f"{index.name} is invalid: no query uses it, but every change pays for it. Rebuild or drop it."
            st.warning(messages.plain(words), icon=":material/warning:")
    _grid(
        ("index", "on", "kind", "size", "scans", "remark", "last used", "rows read", "comment"),
        [
            (
                index.name,
                structure_words.covers(index),
                structure_words.kind(index),
                units.size(index.bytes),
                index.scans,
                structure_words.remark(index, built.about.counted_since),
                structure_words.moment(index.last_used),
                index.rows_read,
                index.comment,
            )
            for index in built.indexes
        ],
        key="tables_structure_indexes",
    )
    total = units.size(sum(index.bytes for index in built.indexes))
    since = structure_words.moment(built.about.counted_since)
    st.caption(f"{total} in all. Use is counted since {since}." if since else f"{total} in all.")


def _references(built: structure.Structure) -> None:
    if not built.refers_to and not built.referred_by:
        messages.empty("No foreign key leads from here to another table, and none here, as far as may be read.")
        return
    far = st.toggle("Two steps", key=FAR, help="What those tables refer to, too, and what refers to them")
    try:
        graph = resource.get_graph(built.relation, 2 if far else 1)
    except errors.UndertoneError as error:
        messages.error(error)
    else:
        colours = DARK if st.context.theme.type == "dark" else LIGHT
        st.graphviz_chart(diagram.dot(graph, colours), alt=f"Which tables refer to which: {', '.join(graph.labels)}")
        if graph.more:
            st.caption(f"Only {diagram.MOST} tables are drawn; there are more.")
    left, right = st.columns(2, gap="medium")
    with left:
        _links("Refers to", built.refers_to, lambda one: one.target, "to")
    with right:
        _links("Referred to by", built.referred_by, lambda one: one.relation, "by")


def _links(
    title: str,
    references: Sequence[structure_parts.Reference],
    end: Callable[[structure_parts.Reference], catalog.Relation],
    key: str,
) -> None:
    st.subheader(title, anchor=False)
    if not references:
        st.caption("Nothing, as far as may be read.")
    for number, one in enumerate(references[:MOST_LINKS]):
        _link(end(one), f"tables_structure_{key}_{number}", structure_words.reference(one))
    if len(references) > MOST_LINKS:
        st.caption(f"and {len(references) - MOST_LINKS:,} more")


def _link(relation: catalog.Relation, key: str, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            messages.plain(relation.label),
            key=key,
            type="tertiary",
            icon=":material/table:",
            on_click=go,
            args=(relation.label,),
        )
        st.caption(messages.plain(words))


def _ddl(built: structure.Structure) -> None:
    st.caption("What makes it anew, without rows, owner and rights, and without options of a foreign table.")
    st.code(ddl.statement(built), language="sql")


def _more(built: structure.Structure) -> None:
    for name, value in _facts(built):
        st.markdown(f"**{name}** {messages.plain(value)}")
    for title, related in (("Part of", built.above), ("Parts", built.below)):
        if related:
            st.subheader(title if built.about.bounds or built.about.partition_key else "Inheritance", anchor=False)
        for number, one in enumerate(related[:MOST_LINKS]):
            _link(one.relation, f"tables_structure_{title}_{number}", one.bounds or one.relation.kind)
        if len(related) > MOST_LINKS:
            st.caption(f"and {len(related) - MOST_LINKS:,} more: see the tree of tables")
    listed: tuple[tuple[str, list[tuple[str, str, str]]], ...] = (
        ("Triggers", [(one.name, one.fires, one.definition) for one in built.triggers]),
        ("Policies of row security", [structure_words.policy(one) for one in built.policies]),
        ("Rules", [(one.name, "", one.definition) for one in built.rules]),
        ("Extended statistics", [(one.name, "", one.definition) for one in built.statistics]),
    )
    for title, rows in listed:
        if rows:
            st.subheader(title, anchor=False)
            _grid(("name", "when", "definition"), rows, key=f"tables_structure_{title}")


def _grid(names: Sequence[str], rows: Sequence[Sequence[object]], *, key: str) -> None:
    """Rows, without the columns in which there is nothing to say."""
    said = [number for number, values in enumerate(zip(*rows, strict=True)) if number == 0 or any(values)]
    shown = [[row[number] for number in said] for row in rows]
    grids.show([names[number] for number in said], shown, key=key, missing="")


def _facts(built: structure.Structure) -> Iterator[tuple[str, str]]:
    about = built.about
    yield "Kind", ("unlogged " if about.unlogged else "") + about.kind
    yield "Owner", about.owner
    yield "This account may", ", ".join(about.privileges) or "select some of its columns"
    if about.partition_key:
        yield "Partitioned by", about.partition_key
    if about.bounds:
        yield "Rows of this partition", about.bounds
    if about.row_security:
        yield "Row security", "on, for its owner, too" if about.forced_security else "on"
    if about.server:
        yield "Foreign server", about.server
    if about.options:
        yield "Options", ", ".join(about.options)
    if not about.populated:
        yield "State", "holds nothing yet: it has to be refreshed"
