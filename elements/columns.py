"""Which columns of a relation are shown, in which order, and which of them stay where they are while others move."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import streamlit as st

from elements import messages, place
from undertone import errors, looks, relations, units

AT_FIRST = 60  # columns that are shown unasked: more of them halt a browser, and nobody reads them
ROOM = " " * 1_000
SHOWN, PINNED = "tables_columns_shown", "tables_columns_pinned"


def chosen(look: looks.Look, fields: Sequence[relations.Field]) -> tuple[str, ...]:
    """The names of the columns to show, in their order, those that are pinned first; what is not there is left out."""
    names = [field.column.name for field in fields]
    shown = names[:AT_FIRST] if look.columns is None else look.columns
    found = [name for name in dict.fromkeys([*look.pinned, *shown]) if name in names]
    return tuple(found or names[:AT_FIRST])


def popover(look: looks.Look, fields: Sequence[relations.Field]) -> None:
    """The button, and behind it what is shown and pinned."""
    shown = chosen(look, fields)
    changed = look.columns is not None or look.pinned
    label = f"Columns · {len(shown):,} of {len(fields):,}" if changed or len(shown) < len(fields) else "Columns"
    panel = st.popover(label, icon=":material/view_column:", key="tables_columns", on_change="rerun")
    if not panel.open:
        return
    with panel:
        names = [field.column.name for field in fields]
        _preset(SHOWN, list(shown))
        _preset(PINNED, [name for name in look.pinned if name in names])
        st.multiselect(
            "Shown, in this order",
            names,
            key=SHOWN,
            on_change=_show,
            args=(names,),
            help="Take one out and put it in again to have it last.",
            placeholder="Choose columns",
        )
        st.multiselect(
            "Pinned at the left",
            [name for name in names if name in shown],
            key=PINNED,
            on_change=_pin,
            placeholder="Choose columns",
        )
        with st.container(horizontal=True):
            st.button("As in the table", key="tables_columns_reset", on_click=_reset, disabled=not changed)
            if len(fields) <= looks.MOST_COLUMNS and len(shown) < len(fields) and _fits(look, names):
                st.button(f"All {len(names):,}", key="tables_columns_all", on_click=_set, args=(tuple(names),))


def others(look: looks.Look, fields: Sequence[relations.Field]) -> None:
    """Of a wide relation: which of its columns are shown, and the way to the next ones."""
    names = [field.column.name for field in fields if field.column.name not in look.pinned]
    free = [name for name in chosen(look, fields) if name not in look.pinned]
    if len(names) <= AT_FIRST or not free:
        return
    start, count = names.index(free[0]), len(free)
    if free != names[start : start + count]:
        return  # somebody has chosen them
    before = _window(look, names, max(0, start - AT_FIRST))
    after = _window(look, names, start + count)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Columns {start + 1:,} to {start + count:,} of {len(names):,}.", width="content")
        st.button(
            "Columns before",
            icon=":material/chevron_left:",
            key="tables_columns_before",
            type="tertiary",
            on_click=_set,
            args=(before,),
            disabled=start == 0,
        )
        st.button(
            f"The next {units.count(len(after), 'column')}" if after else "The next columns",
            icon=":material/chevron_right:",
            key="tables_columns_after",
            type="tertiary",
            on_click=_set,
            args=(after,),
            disabled=not after,
        )


def unknown(look: looks.Look, fields: Sequence[relations.Field]) -> str | None:
    """A sentence about columns in a link that are not there, as Markdown; None where all are."""
    names = {field.column.name for field in fields}
    lost = [name for name in dict.fromkeys([*(look.columns or ()), *look.pinned]) if name not in names]
    if not lost:
        return None
    listed = ", ".join(messages.plain(name) for name in lost[:5])
    return f"This link shows columns that are not there any more, or that this account may not read: {listed}."


def _preset(key: str, value: list[str]) -> None:
    """What the address says, in the widget: it stays the same one, open as it is, when the address changes."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _show(names: list[str]) -> None:
    shown = tuple(st.session_state[SHOWN])
    _set(shown or tuple(names[:1]))


def _pin() -> None:
    place.go(dataclasses.replace(place.now(), pinned=tuple(st.session_state[PINNED])))


def _reset() -> None:
    place.go(dataclasses.replace(place.now(), columns=None, pinned=()))


def _set(names: tuple[str, ...]) -> None:
    look = place.now()
    pinned = tuple(name for name in look.pinned if name in names) if look.columns else look.pinned
    place.go(dataclasses.replace(look, columns=names, pinned=pinned))


def _window(look: looks.Look, names: Sequence[str], start: int) -> tuple[str, ...]:
    """So many columns from one on as fit into an address."""
    count = AT_FIRST
    while count > 1 and not _fits(look, names[start : start + count]):
        count //= 2
    return tuple(names[start : start + count])


def _fits(look: looks.Look, names: Sequence[str]) -> bool:
    """Whether there is room for these names in an address, and for a place in the rows besides."""
    try:
        looks.parameters(dataclasses.replace(look.at(looks.Place("after", (ROOM,))), columns=tuple(names)))
    except errors.UndertoneError:
        return False
    return True
