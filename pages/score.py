"""Score: runs with how far they are and what came out, a new run that is planned before it starts, and the sources."""

import streamlit as st

from elements import messages, progress, score_form, score_place, score_plan, score_runs, score_sources
from undertone import errors

try:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.title("Score", width="content")
        part = score_place.part()
    if part == "new":
        if (wish := score_form.show()) is not None:
            score_plan.show(wish)
    elif part == "sources":
        score_sources.show()
    elif (number := score_runs.show()) is not None:
        progress.follow(number)
except errors.UndertoneError as error:
    messages.error(error)
    st.button("Try again", icon=":material/refresh:")
