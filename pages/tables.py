"""Tables: pick a relation, page through its rows in any order, bring a file."""

import streamlit as st

from elements import bring, grids, messages
from resources import database, results
from undertone import errors, units

st.title("Tables")
try:
    relations = {relation.label: relation for relation in results.get_relations()}
except errors.UndertoneError as error:
    messages.error(error)
    st.stop()

left, right = st.columns([5, 1], vertical_alignment="bottom")
with right:
    bring.button()
if not relations:
    messages.empty("There is no table that this account may read. Bring a file to have one.")
    st.stop()

wanted = st.query_params.get("table")
if wanted is not None and wanted not in relations:
    st.warning(f"There is no table {messages.plain(wanted)} any more, or this account may not read it.")
names = list(relations)
label = left.selectbox("Table", names, index=names.index(wanted) if wanted in relations else 0, key="tables_table")
st.query_params["table"] = label
relation = relations[label]

try:
    columns = results.get_columns(relation)
    key = results.get_key(relation)
except errors.UndertoneError as error:
    messages.error(error)
    st.stop()
if relation.comment:
    st.text(relation.comment)

left, right = st.columns([3, 2], vertical_alignment="bottom")
order = ["", *(column.name for column in columns)]
sort = left.selectbox(
    "Sort by",
    order,
    format_func=lambda name: name or "the key",
    key=f"tables_sort_{label}",
    help="Ties are broken by the key.",
)
descending = right.toggle("Largest first", key=f"tables_descending_{label}")

# Where in the table: what get_page takes besides the order, and the number of the first row where that is known.
# Another order begins at the beginning.
place = f"tables_place_{label}_{sort}_{descending}"
where, number = st.session_state.setdefault(place, ({}, 1))
size = database.get_settings().page_rows
try:
    page = results.get_page(relation, size=size, sort=sort or None, descending=descending, **where)
except errors.UndertoneError as error:
    messages.error(error)
    st.button("Try again", icon=":material/refresh:", on_click=results.get_page.clear)
    st.stop()

if not page.rows:
    messages.empty("This table has no rows." if page.first else "There are no more rows.")
grids.show([column.name for column in page.columns], page.rows, key="tables_rows", plain=key)


def go(first_row: int | None, **to: object) -> None:
    """Go to another page of the same table in the same order."""
    st.session_state[place] = (to, first_row)


count = len(page.rows)
number = 1 if page.first else number
before = None if number is None else max(1, number - size)
after = None if number is None else number + count


with st.container(horizontal=True, vertical_alignment="center"):
    for name, icon, row, to, useless in (
        ("First", "first_page", 1, {}, page.first),
        ("Previous", "chevron_left", before, {"before": page.start}, page.first),
        ("Next", "chevron_right", after, {"after": page.end}, page.last),
        ("Last", "last_page", None, {"at_end": True}, page.last),
    ):
        st.button(name, icon=f":material/{icon}:", on_click=go, args=(row,), kwargs=to, disabled=useless)
    shown = units.count(count, "row") if number is None or not count else f"Rows {number:,} to {number + count - 1:,}"
    total = "" if relation.rows is None else f" of about {relation.rows:,}"
    st.caption(f"{shown}{total}")

with st.expander("Columns", icon=":material/view_column:"):
    shown = [
        (column.name, column.type, "key" if column.name in key else "", column.nullable, column.default, column.comment)
        for column in columns
    ]
    grids.show(("column", "type", "key", "may be null", "default", "comment"), shown, key="tables_columns")
