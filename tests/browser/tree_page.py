"""A page with nothing but the tree and a table's structure, for test_tree.py."""

import streamlit as st

from elements import place, structure, tree
from resources import browsing


def tables() -> None:
    look = place.current()
    if look.table is None:
        tree.show(look, wide=True)
        return
    left, right = st.columns([1, 3])
    with left:
        tree.show(look, wide=False)
    with right:
        st.text(f"Here is {look.table}")
        if look.part == "structure":
            structure.show(look, browsing.get_relation(look.table))


st.set_page_config(layout="wide")
st.navigation([st.Page(tables, title="Tables", default=True)]).run()
