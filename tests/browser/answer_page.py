"""A page with nothing but the parts of an answer, for test_answer.py."""

import streamlit as st

from elements import answer, chart, download
from undertone import asking, console

WORD = '<img src=x onerror="document.title=1"> **x**'
COLUMNS = (("id", "integer"), ("text", "text"), ("label", "text"), ("day", "date"))
ROWS = [
    (number, [WORD, None, "", "null"][number % 4], ["NEGATIVE", "POSITIVE"][number % 2], f"2024-01-{number + 1:02d}")
    for number in range(20)
]

st.set_page_config(layout="wide")
result = console.Result(tuple(console.Column(*column) for column in COLUMNS), ROWS, None, 0.1)
what = st.query_params.get("what", "rows")
if what == "rows":
    answer.show(result, key="rows")
elif what == "chart":
    chart.edit(result, None, key="chart")
else:
    rows = int(st.query_params["rows"])
    question = asking.Question(f"SELECT n, repeat('x', 1000) AS x, '=1' AS f FROM generate_series(1, {rows}) AS n")
    download.show(question, key="download")
