"""One row, at an address of its own: all of its values, what it refers to, what refers to it, its scores."""

import streamlit as st

from elements import messages, row_copies, row_links, row_scores, row_values
from resources import browsing, rows
from undertone import errors, looks

label = st.query_params.get("table")
try:
    key = looks.read_key(st.query_params)
    relation = browsing.get_relation(label or "")
    row = rows.get_row(relation, key)
    targets = rows.get_targets(relation, key)
except errors.UndertoneError as error:
    st.title("Row", anchor=False)
    messages.error(error)
    row_links.back(label or None)
    st.stop()

st.title(messages.plain(row_links.title(row)), anchor=False)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    row_links.back(relation.label)
    row_links.beside(relation, rows.get_beside(relation, key))
    row_links.as_sql(relation, key)

left, right = st.columns([5, 3], gap="large")
with left:
    if (link := row_values.show(row, targets, key="row_values")) is not None:
        st.switch_page(f"pages/{link.page}.py", query_params=link.parameters)
    row_copies.as_json(row)
    row_copies.files(row)
with right:
    try:
        row_scores.show(row, rows.get_scored(relation, key))
        row_links.pointing(rows.get_pointing(relation, key))
    except errors.UndertoneError as error:
        messages.error(error)
