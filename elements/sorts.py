"""By which columns the rows are sorted: what a click on a heading changes, and all of them behind a button."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import streamlit as st

from elements import messages, place
from undertone import looks, relations

ADD = "tables_sort_add"
MOST = 8  # columns that rows are sorted by


def clicked(sorts: Sequence[looks.Sort], column: str, *, more: bool) -> tuple[looks.Sort, ...]:
    """The order after a click on a column's heading: up, down, not at all; `more`: beside the others."""
    before = next((sort for sort in sorts if sort.column == column), None)
    others = tuple(sort for sort in sorts if sort.column != column)
    if before is None:
        return ((*others, looks.Sort(column)) if more else (looks.Sort(column),))[-MOST:]
    if before.descending:
        return others if more else ()
    turned = looks.Sort(column, descending=True)
    return tuple(turned if sort == before else sort for sort in sorts) if more else (turned,)


def popover(look: looks.Look, fields: Sequence[relations.Field]) -> None:
    """The button, and behind it the order."""
    label = f"Sort · {len(look.sorts)}" if look.sorts else "Sort"
    panel = st.popover(label, icon=":material/swap_vert:", key="tables_sort", on_change="rerun")
    if not panel.open:
        return
    with panel:
        if not look.sorts:
            st.caption("In the order of the key. A click on a heading sorts by it; with Shift, beside the others.")
        for number, sort in enumerate(look.sorts):
            _line(number, sort)
        taken = {sort.column for sort in look.sorts}
        free = [field.column.name for field in fields if field.column.name not in taken]
        if free and len(look.sorts) < MOST:
            st.selectbox(
                "Then by" if look.sorts else "Sort by",
                free,
                index=None,
                key=f"{ADD}_{len(look.sorts)}",
                on_change=_add,
                args=(f"{ADD}_{len(look.sorts)}",),
                placeholder="Choose a column",
            )
        if look.sorts:
            st.caption("Rows without a value come last; the key decides between equal ones.")
            st.button("Clear", icon=":material/close:", key="tables_sort_clear", on_click=_set, args=((),))


def _line(number: int, sort: looks.Sort) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{number + 1}. **{messages.plain(sort.column)}**", width="stretch")
        down = "arrow_downward" if sort.descending else "arrow_upward"
        for name, icon, change, useless in (
            ("turn", down, "turn", False),
            ("up", "vertical_align_top", "first", number == 0),
            ("remove", "close", "remove", False),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                key=f"tables_sort_{name}_{number}",
                type="tertiary",
                help={
                    "turn": "Largest first; turn" if sort.descending else "Smallest first; turn",
                    "up": "Sort by this before the others",
                    "remove": "Do not sort by this",
                }[name],
                on_click=_change,
                args=(sort.column, change),
                disabled=useless,
            )


def _add(key: str) -> None:
    if (column := st.session_state[key]) is not None:
        _set((*place.now().sorts, looks.Sort(column)))


def _change(column: str, how: str) -> None:
    sorts = place.now().sorts
    (own,) = [sort for sort in sorts if sort.column == column] or [looks.Sort(column)]
    others = tuple(sort for sort in sorts if sort.column != column)
    if how == "turn":
        turned = dataclasses.replace(own, descending=not own.descending)
        _set(tuple(turned if sort == own else sort for sort in sorts))
    else:
        _set((own, *others) if how == "first" else others)


def _set(sorts: tuple[looks.Sort, ...]) -> None:
    place.go(place.now().among(sorts=sorts))
