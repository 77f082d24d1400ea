"""What models have said of a row: the label, how sure, whether the text has changed since, which words carried it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from elements import highlights, labels, messages, place, row_cells
from resources import database, results
from resources import rows as answers
from undertone import catalog, errors, row_scores, rows


def show(row: rows.Row, found: list[row_scores.Scored]) -> None:
    """The scores of a row, text by text; where there are none, how to have some."""
    st.subheader("Scores", anchor=False)
    if not found:
        if not results.get_text_columns(row.relation):
            st.caption("This table has no column in which people write, so there is nothing to score.")
            return
        st.caption("No text of this table has been scored yet.")
        _score_link(row, {})
        return
    for one in found:
        source = one.source
        with st.container(border=True):
            st.markdown(f"**{messages.plain(source.text_column)}**")
            if not one.scores:
                st.caption("This row came after the last run: it has no score yet.")
                _score_link(row, {"template" if source.template else "text": source.text_column})
                continue
            try:
                text = answers.get_text(row.relation, row.key, source)
            except catalog.CatalogError as error:
                messages.error(error)
                text = None
            _score(one.scores[0], text, row, source.template, source.text_column)
            for score in one.scores[1:]:
                _other(score, text)
            if text is not None and text.text and text.text.strip():
                _explain(text, one.scores[0], place.key("explain", row.relation.label, row.key, source.id))


def _score(score: row_scores.Score, text: row_scores.Text | None, row: rows.Row, template: bool, column: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _badge(score)
    if len(score.probabilities) > 1:
        labels.bars(score.probabilities, axis="probability", form=".0%")
    if score.reason:
        st.caption(f"There was nothing to read: {messages.plain(score.reason)}.")
    if text is not None and text.changed_since(score):
        st.warning("The text has changed since it was scored.", icon=":material/history:")
        _score_link(row, {"template" if template else "text": column})
    if score.truncated:
        read = "a part" if score.share_read is None else f"the first {min(max(round(100 * score.share_read), 1), 99)} %"
        st.caption(f":material/content_cut: The model read {read} of the text.")
    if score.vanished_at is not None:
        st.caption("A later run found no such row; it has come back since.")
    _facts(score)


def _other(score: row_scores.Score, text: row_scores.Text | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _badge(score)
        if text is not None and text.changed_since(score):
            st.caption("of another text than now", width="content")
    _facts(score)


def _badge(score: row_scores.Score) -> None:
    colour: Any = labels.BADGES.get(score.label or "", "violet")
    st.badge(messages.plain(labels.title(score.label)), color=colour)
    if score.confidence is not None:
        st.caption(f"{score.confidence:.1%} sure", width="content")


def _facts(score: row_scores.Score) -> None:
    engine = f" on {score.engine}, {score.precision}" if score.engine else ""
    st.caption(messages.plain(f"Model {score.model_id or score.model}{engine}, {_time(score)}"))
    st.page_link(
        "pages/score.py",
        label=f"Run {score.run}",
        icon=":material/sentiment_satisfied:",
        query_params={"part": "runs", "run": str(score.run)},
    )


def _explain(text: row_scores.Text, score: row_scores.Score, key: str) -> None:
    asked = f"{key}_asked"
    if not st.session_state.get(asked):
        st.button(
            "Which words carried it",
            icon=":material/format_ink_highlighter:",
            key=key,
            on_click=lambda: st.session_state.update({asked: True}),
        )
        return
    today = database.get_settings().model
    try:
        highlights.words(text.text or "", results.get_explanation(text.text or ""), key=f"{key}_words")
    except errors.UndertoneError as error:
        messages.error(error)
        return
    if score.model != today:
        st.caption(messages.plain(f"As {today} reads it, the model of this app; the label above is another one's."))
    if text.length > len(text.text or ""):
        st.caption(f"Of the first {len(text.text or ''):,} of {text.length:,} characters.")


def _score_link(row: rows.Row, more: dict[str, str]) -> None:
    st.page_link(
        "pages/score.py",
        label="Score it",
        icon=":material/play_arrow:",
        query_params={"part": "new", "table": row.relation.label, **more},
    )


def _time(score: row_scores.Score) -> str:
    return f"{score.at.astimezone(row_cells.zone(st.context.timezone)):%Y-%m-%d %H:%M}"
