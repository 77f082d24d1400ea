"""What came out of a source: its labels, the rows that the model is surest of, and the models beside each other."""

from __future__ import annotations

import streamlit as st

from elements import grids, labels, messages
from resources import database, results, runs
from undertone import errors, scores, scoring, units

MOST = 20


def show(run: scoring.Run) -> None:
    """The current scores of a run's source."""
    source = run.source
    state = (run.id, run.state, run.rows, run.undone_at is None)
    if len(results.get_models(source, state)) > 1 or source.current_model != run.model:
        models(source, state)
    summary = results.get_summary(source, state)
    known = {label: float(count) for label, count in summary.labels.items() if label is not None}
    if not known:
        messages.empty("The scores will be summed up here as soon as there are some.")
        return
    st.subheader("What came out", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        labels.bars(known, axis="rows", form=",d")
    with right:
        tables(source)
    ends = [label for label in ("NEGATIVE", "POSITIVE") if label in known] or list(known)[:2]
    for column, label in zip(st.columns(len(ends), gap="large"), ends, strict=True):
        with column:
            _most(source, label, state)


def models(source: scores.Source, state: object) -> None:
    """Which models have scored it, and which one is the current one. `state` as of `results.get_summary`."""
    found = results.get_models(source, state)
    st.subheader("Models", anchor=False)
    st.caption("Their scores stand beside each other. Charts, the view and what is shown here use the current one's.")
    for number, line in enumerate(found):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(line.model, width="content")
            if line.model == source.current_model:
                st.badge("current", icon=":material/check:", color="green")
            st.caption(
                f"{units.count(line.rows, 'row')}, the last {line.last_at.astimezone():%Y-%m-%d %H:%M}",
                width="content",
            )
            if line.model != source.current_model and st.button(
                "Make current", icon=":material/swap_horiz:", key=f"score_current_{source.id}_{number}"
            ):
                runs.make_current(source, line.model)
                st.rerun()
    if source.current_model not in [line.model for line in found]:
        st.caption(messages.plain(f"The current one is {source.current_model}, which has no scores of it."))


def tables(source: scores.Source) -> None:
    """Where the scores are, for SQL and for the command line."""
    if database.get_services().one_database:
        st.caption("The current scores are a view, and all models' are a table; SQL can ask them and join the rows:")
        st.code(statement(source), language="sql", wrap_lines=True)
        st.page_link(
            "pages/sql.py",
            label="Open in SQL",
            icon=":material/terminal:",
            query_params={"statement": statement(source)},
        )
    else:
        st.caption("The current scores are a view, and all models' are a table, in the store beside the data:")
        st.code(f"{source.current}\n{source.scores}", language=None, wrap_lines=True)


def statement(source: scores.Source) -> str:
    """A first question about the scores."""
    return f"SELECT label, count(*), avg(confidence)\nFROM {source.current}\nGROUP BY label\nORDER BY label"


def _most(source: scores.Source, label: str, state: object) -> None:
    st.subheader(f"Most {label.lower()}" if label in labels.COLOURS else messages.plain(label), anchor=False)
    if source.database != database.get_services().place:
        st.caption(messages.plain(f"The texts are in another database, {source.database}."))
        return
    try:
        found = results.get_extremes(source, label, MOST, state)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    rows = [
        (key, round(confidence, 3), text if text is not None else "(the row is gone)")
        for key, confidence, text in found
    ]
    names = (", ".join(kept.name for kept in source.key), "confidence", source.text_column)
    grids.show(names, rows, key=f"score_most_{label}_{source.id}")
