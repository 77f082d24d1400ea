"""Tables: find a table, look at its rows, its columns and how it is built. All that is shown stands in the address."""

import streamlit as st

from elements import bring, facets, filters, messages, place, profile, rows, structure, tables_head, tree
from resources import browsing
from undertone import errors

WITH_FACETS = [3.2, 1]

look = place.current()
try:
    relation = None if look.table is None else browsing.get_relation(look.table)
    about = None if relation is None else browsing.get_about(relation)
    trouble = None
except errors.UndertoneError as error:
    relation, about, trouble = None, None, error

if relation is None or about is None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Tables")
        st.space("stretch")
        bring.button()
    if trouble is not None:
        messages.error(trouble)
    tree.show(look, wide=True)
    st.stop()

with st.sidebar:
    tree.show(look, wide=False)
tables_head.show(look, relation)
if look.part == "profile":
    profile.show(look, relation)
elif look.part == "structure":
    structure.show(look, relation)
else:
    filters.show(look, relation, about.fields)
    left, right = st.columns(WITH_FACETS, gap="medium") if facets.are_open() else (st.container(), None)
    with left:
        rows.show(look, relation, about.fields, about.key)
    if right is not None:
        with right:
            facets.show(look, relation)
