"""Score: choose a column of texts, start a run, see how far it is and what came out."""

import streamlit as st

from elements import messages, progress
from resources import database, results
from undertone import errors

st.title("Score")
try:
    relations = {relation.label: relation for relation in results.get_relations()}
    runs = results.get_runs()
except errors.UndertoneError as error:
    messages.error(error)
    st.stop()
if not relations:
    messages.empty("There is no table to score. Bring a file on Tables first.")
    st.page_link("pages/tables.py", label="Tables", icon=":material/table:")
    st.stop()

# The texts that people would score first come first.
texts = {}
with st.spinner("Looking for texts …"):
    for label, relation in relations.items():
        try:
            texts[label] = results.get_text_columns(relation)
        except errors.UndertoneError:
            texts[label] = []
names = sorted(relations, key=lambda name: not texts[name])
wanted = st.query_params.get("table")

with st.expander("New run", icon=":material/add:", expanded=not runs or wanted is not None):
    label = st.selectbox("Table", names, index=names.index(wanted) if wanted in relations else 0, key="score_table")
    relation = relations[label]
    try:
        columns = [column.name for column in results.get_columns(relation) if column.category in ("text", "json")]
        everything = [column.name for column in results.get_columns(relation)]
        key = results.get_key(relation)
    except errors.UndertoneError as error:
        messages.error(error)
        st.stop()
    if not columns:
        messages.empty("This table has no column of texts. Choose another one.")
        st.stop()
    columns.sort(key=lambda name: texts[label].index(name) if name in texts[label] else len(texts[label]))
    left, right = st.columns(2)
    text_column = left.selectbox("Column with the texts", columns, key=f"score_text_{label}")
    if key:
        right.text_input("Key", ", ".join(key), disabled=True, key=f"score_key_{label}", help="The table's own.")
        chosen_key = []
    else:
        chosen_key = right.multiselect(
            "Key", everything, key=f"score_key_{label}", help="Columns that together tell every row apart."
        )
    proposed = results.get_context(relation, text_column)
    context = st.multiselect(
        "Keep beside each score",
        [name for name in everything if name != text_column and name not in key],
        default=proposed,
        key=f"score_context_{label}_{text_column}",
        help="Columns to chart by later: a time, a few categories, a rating. Proposed from the table.",
    )
    model = st.text_input(
        "Model",
        database.get_settings().model,
        key="score_model",
        help="`default` ships with Undertone. Or the name of a Hugging Face text-classification model, or a folder.",
    )
    if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not key and not chosen_key):
        try:
            run = results.start_run(label, text_column, key=chosen_key, context=context, model_name=model.strip())
        except errors.UndertoneError as error:
            messages.error(error)
        else:
            st.query_params.clear()
            st.query_params["run"] = str(run.id)
            st.rerun()

if not runs:
    messages.empty("Runs will be listed here, with what came out. Start one above.")
    st.stop()

by_number = {run.id: run for run in runs}
wanted = st.query_params.get("run", "")
numbers = list(by_number)
number = st.selectbox(
    "Run",
    numbers,
    index=numbers.index(int(wanted)) if wanted.isdigit() and int(wanted) in by_number else 0,
    format_func=lambda number: (
        f"{number} · {by_number[number].source.title} · {by_number[number].created_at.astimezone():%Y-%m-%d %H:%M}"
    ),
    key=f"score_run_{len(runs)}_{wanted}",
)
st.query_params["run"] = str(number)
progress.follow(number, running=not by_number[number].ended)
