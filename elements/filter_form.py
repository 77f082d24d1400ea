"""A condition to be added: a column, an operator that fits it, and inputs for as many values as that takes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import streamlit as st

from elements import messages, place, row_cells
from resources import filters
from undertone import catalog, conditions, errors, relations

OPEN, COLUMN, TROUBLE = "tables_filter", "tables_filter_column", "tables_filter_trouble"
VALUE = "tables_filter_value"
TIME = "hh:mm or hh:mm:ss"
HINTS = {
    "pattern": "A regular expression, such as ^a.*z$; letters of any case",
    "path": 'A JSON path, such as $.price > 10 or $.tags[*] ? (@ == "new")',
    "text": "Letters of any case",
}


def popover(relation: catalog.Relation, fields: Sequence[relations.Field]) -> None:
    """The button, and behind it the form."""
    panel = st.popover("Filter", icon=":material/filter_alt:", key=OPEN, on_change="rerun")
    if not panel.open:
        return
    by_name = {field.column.name: field for field in fields}
    with panel:
        if st.session_state.get(COLUMN) not in by_name:
            st.session_state[COLUMN] = next(iter(by_name))
        field = by_name[st.selectbox("Column", list(by_name), key=COLUMN, on_change=_forget)]
        fitting = conditions.operators(field)
        operator = st.selectbox(
            f"Condition on {messages.plain(field.column.type)}",
            fitting,
            format_func=lambda name: conditions.OPERATORS[name].words,
            key=_key("operator", relation, field),
            label_visibility="collapsed",
            on_change=_forget,
        )
        try:
            choices = filters.get_proposals(relation, field)
        except errors.UndertoneError:
            choices = ()  # they are only proposals
        with st.form(_key("form", relation, field, operator), border=False):
            keys = _inputs(relation, field, operator, choices)
            st.form_submit_button(
                "Add",
                type="primary",
                icon=":material/add:",
                on_click=_add,
                args=(relation, field, operator, keys),
            )
        if trouble := st.session_state.get(TROUBLE):
            st.error(messages.plain(trouble), icon=":material/error:")


def _forget() -> None:
    st.session_state[TROUBLE] = None


def _key(*parts: object) -> str:
    return place.key(VALUE, *parts)


def _inputs(
    relation: catalog.Relation, field: relations.Field, operator: str, choices: Sequence[str]
) -> list[tuple[str, ...]]:
    """The inputs; the keys of the widgets for each value, of a list those for all of them, and in which way they go."""
    known = conditions.OPERATORS[operator]
    kind = known.values
    if kind == "":
        return []
    if kind == "span":
        return [_span(relation, field)]
    if known.most > 2:
        key = _key("many", relation, field)
        st.multiselect(
            "Values",
            choices if kind == "typed" else (),
            key=key,
            accept_new_options=True,
            placeholder="Choose, or type one and press Enter",
        )
        return [("many", key)]
    labels = ["From", "To"] if known.most == 2 else ["Value"]
    return [_input(relation, field, operator, label, choices) for label in labels]


def _span(relation: catalog.Relation, field: relations.Field) -> tuple[str, ...]:
    units = conditions.DAY_UNITS if field.base == "date" else conditions.UNITS
    keys = _key("number", relation, field), _key("unit", relation, field)
    left, right = st.columns(2)
    left.number_input("Number", 1, 10_000, 7, key=keys[0], label_visibility="collapsed")
    right.selectbox("Unit", units, index=units.index("days"), key=keys[1], label_visibility="collapsed")
    return ("span", *keys)


def _input(
    relation: catalog.Relation, field: relations.Field, operator: str, label: str, choices: Sequence[str]
) -> tuple[str, ...]:
    kind = conditions.OPERATORS[operator].values
    key = _key("value", relation, field, kind, label)
    if kind == "typed" and field.column.category == "time":
        return _moment(field, key, label)
    if kind == "typed" and choices:
        closed = field.enum or field.base == "boolean"
        st.selectbox(
            label,
            choices,
            index=None,
            key=key,
            accept_new_options=not closed,
            placeholder="Choose" if closed else "Choose, or type one and press Enter",
        )
    else:
        st.text_input(label, key=key, placeholder=HINTS.get(kind, ""))
    return ("text", key)


def _moment(field: relations.Field, key: str, label: str) -> tuple[str, ...]:
    """A day, and if one wants a time on it; a day alone is all of it."""
    keys = f"{key}_day", f"{key}_time"
    left, right = (st.container(), None) if field.base == "date" else st.columns(2)
    left.date_input(label, None, datetime.date.min, datetime.date.max, keys[0], format="YYYY-MM-DD")
    if right is None:
        return ("moment", keys[0])
    zone = f" in {_zone()}" if field.base == "timestamp with time zone" else ""
    right.text_input(f"at{zone}", key=keys[1], placeholder=TIME, help="Left empty, it is the whole day.")
    return ("moment", *keys)


def _zone() -> str:
    return row_cells.zone(st.context.timezone).key


def _values(inputs: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What has been put in. Raises ConditionError where something has to be put in."""
    found: list[str] = []
    for form, *keys in inputs:
        given = [st.session_state.get(key) for key in keys]
        if form == "many":
            found += map(str, given[0] or ())
        elif form == "moment" and given[0] is None:
            raise conditions.ConditionError("Choose a day.")
        elif form == "moment":
            found.append(" ".join(str(part).strip() for part in given if part))
        elif form == "text" and given[0] is None:
            raise conditions.ConditionError("Choose a value.")
        else:
            found += ["" if part is None else str(part) for part in given]
    if inputs and not found:
        raise conditions.ConditionError("Choose at least one value.")
    return tuple(found)


def _add(relation: catalog.Relation, field: relations.Field, operator: str, inputs: Sequence[tuple[str, ...]]) -> None:
    """Add the condition if the server takes it; what is wrong with it is said, and what was put in stays."""
    try:
        condition = conditions.Condition(field.column.name, operator, _values(inputs))
        group = filters.settled(relation, condition, _zone())
    except errors.UndertoneError as error:
        st.session_state[TROUBLE] = str(error)
        return
    _forget()
    look = place.now()
    parts = tuple(part for part in group.parts if part not in look.where.parts)
    place.go(look.among(where=conditions.Group((*look.where.parts, *parts), look.where.any)))
    st.session_state[OPEN] = False
