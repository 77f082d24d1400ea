"""What all sessions share: made once per process, safe to use from many threads at once."""

import streamlit as st
from streamlit.runtime import pages_manager, scriptrunner

if pages_manager.PagesManager.uses_pages_directory is not False:
    # Because of the folder's name Streamlit would run a page by itself, without Home.py and so without its frame and
    # guard, where a process's first visitor comes by that page's own address: it only learns of st.navigation when that
    # is called.
    pages_manager.PagesManager.uses_pages_directory = False
    if scriptrunner.get_script_run_ctx(suppress_warning=True) is not None:
        st.rerun()  # through Home.py, to the same page
