"""Undertone: the frame of every page (configuration, navigation), and the home page."""

import streamlit as st

from elements import finished, messages, overview
from resources import database, heap, results, runs, worker
from undertone import errors, listing


def home() -> None:
    """What is in this database, what has been scored, what to do next."""
    st.title("Home")
    try:
        with st.spinner("Looking through the database …"):
            relations = results.get_relations()
            active, _ = runs.get_lines(state=listing.UNDER_WAY)
            sources = runs.get_sources()
    except errors.UndertoneError as error:
        messages.error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    overview.numbers(relations, sources)
    if not relations:
        messages.empty("There is no table that this account may read. Tables shows how to bring a file.")
        return
    overview.next_step(relations, active, sources)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Tables")
        overview.tables(relations)
    with right:
        st.subheader("Scored")
        overview.scored(sources)
        st.subheader("Health")
        overview.health(database.get_services(), worker.get_worker())


st.set_page_config(page_title="Undertone", page_icon="resources/icon.svg", layout="wide")
st.logo("resources/logo.svg", size="large", icon_image="resources/icon.svg")
page = st.navigation(
    {
        "": [st.Page(home, title="Home", icon=":material/home:", default=True)],
        "Look": [
            st.Page("pages/tables.py", title="Tables", icon=":material/table:"),
            st.Page("pages/row.py", title="Row", icon=":material/table_rows:", visibility="hidden"),
            st.Page("pages/sql.py", title="SQL", icon=":material/terminal:"),
        ],
        "Score": [
            st.Page("pages/score.py", title="Score", icon=":material/sentiment_satisfied:"),
            st.Page("pages/try_it.py", title="Try it", icon=":material/edit_note:"),
        ],
        "Service": [st.Page("pages/status.py", title="Status", icon=":material/monitor_heart:")],
    }
)
try:
    # Before any page: the databases are open and somebody scores.
    worker.get_worker()
except errors.UndertoneError as error:
    st.title("Undertone cannot start")
    messages.error(error)
    st.caption("Nothing was changed. Mend it, then try again.")
    st.button("Try again", icon=":material/refresh:")
    st.stop()
finished.watch()
try:
    page.run()
finally:
    heap.settle()
