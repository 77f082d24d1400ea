"""SQL: ask one read-only question, see the answer or the server's own words, take the answer along."""

import streamlit as st

from elements import grids, messages
from resources import database, results
from undertone import console, errors, export, units

EXAMPLE = "SELECT rating, count(*) FROM reviews GROUP BY rating ORDER BY rating"

st.title("SQL")
chosen = database.get_settings()
limits = console.Limits(seconds=chosen.query_seconds, rows=chosen.query_rows, bytes=chosen.query_bytes)
st.caption(
    f"One statement that only reads, at most {units.duration(limits.seconds)}, {limits.rows:,} rows"
    f" and {units.size(limits.bytes)}. It cannot change anything."
)

with st.form("sql_form", border=False):
    statement = st.text_area(
        "Statement",
        value=st.query_params.get("statement", ""),
        placeholder=EXAMPLE,
        height=180,
        key="sql_statement",
        help="Ctrl-Enter runs it.",
    )
    run = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")

if run:
    st.session_state["sql_asked"] = statement
    results.get_answer.clear(statement, limits)
asked = st.session_state.get("sql_asked", "")
if not asked.strip():
    messages.empty("The answer will be shown here. Try the example in the box, or write your own.")
    st.stop()

try:
    answer = results.get_answer(asked, limits)
except console.StatementFailed as error:
    messages.failed(asked, error)
    st.stop()
except errors.UndertoneError as error:
    messages.error(error)
    st.stop()

if answer.truncated:
    st.warning(f"Only the first {len(answer.rows):,} rows: the limit of {answer.truncated} was reached.")
names = [column.name for column in answer.columns]
grids.show(names, answer.rows, key="sql_rows")
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(f"{units.count(len(answer.rows), 'row')} in {units.duration(answer.seconds)}")
    st.download_button(
        "Download as CSV",
        data=lambda: export.csv_bytes(names, answer.rows),
        file_name="answer.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="sql_download",
    )
