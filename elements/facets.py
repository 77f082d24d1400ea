"""Facets beside the rows: which values columns have and how many rows have each; a click shows only those rows.

Each is counted for itself and comes when it is there. What is chosen stands in the address, as any other filter; which
columns somebody has added is the session's.
"""

from __future__ import annotations

import dataclasses

import streamlit as st

from elements import bars, messages, place
from resources import browsing
from resources import facets as answers
from undertone import catalog, conditions, errors, facet_clicks, facets, looks, units

CLOSED, ADDED = "tables_facets_closed", "tables_facets_added"


def are_open() -> bool:
    """Whether they are shown beside the rows."""
    return not st.session_state.get(CLOSED, False)


def switch() -> None:
    """A button that opens them, or closes them."""
    opened = are_open()
    st.button(
        "" if opened else "Facets",
        icon=":material/right_panel_close:" if opened else ":material/right_panel_open:",
        key="tables_facets_close" if opened else "tables_facets_open",
        type="tertiary",
        help="Hide the facets" if opened else "Show what columns hold, and filter by it",
        on_click=_turn,
    )


def show(look: looks.Look, relation: catalog.Relation) -> None:
    """The facets that are proposed, those of columns that are filtered by, and those that were added."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Facets**", width="content")
        st.space("stretch")
        switch()
    try:
        proposed = [proposal.column for proposal in answers.get_proposals(relation)]
        fields = browsing.get_about(relation).fields
    except errors.UndertoneError as error:
        messages.error(error)
        return
    names = [field.column.name for field in fields]
    added = st.session_state.get(ADDED, {}).get(relation.label, ())
    filtered = [condition.column for condition in look.where.parts if isinstance(condition, conditions.Condition)]
    chosen = [name for name in dict.fromkeys((*added, *proposed, *filtered)) if name in names]
    if not chosen:
        st.caption("No column here has few values, times or numbers to count. Add one to see its most frequent values.")
    for name in chosen:
        st.fragment(_facet, parallel=True)(look, relation, name)
    others = [name for name in names if name not in chosen]
    if others:
        key = place.key("facet_add", relation.label, tuple(chosen))
        st.selectbox(
            "Add a facet",
            others,
            index=None,
            key=key,
            placeholder="Add a facet",
            label_visibility="collapsed",
            on_change=_add,
            args=(relation.label, key),
        )


def _facet(look: looks.Look, relation: catalog.Relation, column: str) -> None:
    now = place.now()
    if now.at(looks.FIRST) != look.at(looks.FIRST) or place.TROUBLE in st.session_state:
        st.rerun()
    key = place.key("facet", relation.label, column)
    try:
        with st.spinner(messages.plain(f"Counting {column} …")):
            facet = _counted(look, relation, column)
    except errors.UndertoneError as error:
        bars.show(bars.Picture((), column, foot=str(error)), key=key)
        return
    bars.show(
        picture(facet, look.where),
        key=key,
        on_picked=lambda first, last: _pick(facet, first, last),
        on_cleared=lambda: _go(facet_clicks.cleared(place.now().where, column)),
    )


def _counted(look: looks.Look, relation: catalog.Relation, column: str) -> facets.Facet:
    asked, zone = answers.of_rows(dataclasses.replace(look, table=relation.label)), st.context.timezone
    # Values are counted without the filter that they have made themselves: the others are still to be seen.
    apart = dataclasses.replace(asked, where=facet_clicks.apart(asked.where, column))
    facet = answers.get_facet(relation, apart, column, zone)
    return facet if facet.kind == facets.VALUES or apart == asked else answers.get_facet(relation, asked, column, zone)


def picture(facet: facets.Facet, where: conditions.Group) -> bars.Picture:
    """A facet as it is drawn; of a sample there are shares, since nobody knows the numbers."""
    drawn = []
    for number, entry in enumerate(facet.entries):
        share = entry.count / max(facet.rows, 1)
        drawn.append(
            bars.Bar(
                entry.text,
                share,
                percent(share) if facet.sample else f"{entry.count:,}",
                number,
                is_bin=entry.ends is not None,
                is_chosen=facet_clicks.is_chosen(where, facet.column, entry),
                is_clickable=bool(entry.conditions),
            )
        )
    ends = [entry.ends for entry in facet.entries if entry.ends]
    note = ""
    if facet.kind == facets.VALUES and facet.distinct is not None and facet.others:
        least = "at least " if facet.sample else ""
        note = least + units.count(facet.distinct, "value")
    return bars.Picture(
        drawn,
        facet.column,
        note=note,
        foot=_foot(facet),
        unit=f"a {facet.unit} each" if facet.unit and len(ends) > 1 else "",
        low=ends[0][0] if ends else "",
        high=ends[-1][1] if ends else "",
        is_clickable=True,
        is_cleared=facet_clicks.cleared(where, facet.column) == where,
    )


def percent(share: float) -> str:
    """A share, to two digits."""
    if not share:
        return "0 %"
    return "< 0.1 %" if share < 0.001 else f"{share * 100:.1f} %" if share < 0.0995 else f"{share * 100:.0f} %"


def _foot(facet: facets.Facet) -> str:
    said = []
    if not facet.rows:
        said.append("No rows." if facet.sample is None else "None of the rows that were looked at.")
    elif facet.others:
        share = facet.others / facet.rows
        amount = percent(share) if facet.sample else units.count(facet.others, "row")
        said.append(f"Other values: {amount}.")
    if facet.sample is not None:
        said.append(f"From {facet.sample.words}.")
    return " ".join(said)


def _pick(facet: facets.Facet, first: int, last: int) -> None:
    where, one = place.now().where, facet.entries[first]
    if first == last:
        _go(facet_clicks.toggled(where, facet.column, one))
    elif made := facet_clicks.spanned(one, facet.entries[last]):
        _go(facet_clicks.narrowed(where, made))


def _go(where: conditions.Group) -> None:
    place.go(place.now().among(where=where))


def _add(label: str, key: str) -> None:
    if (name := st.session_state[key]) is not None:
        added = st.session_state.get(ADDED, {})
        st.session_state[ADDED] = added | {label: (name, *added.get(label, ()))}


def _turn() -> None:
    st.session_state[CLOSED] = are_open()
