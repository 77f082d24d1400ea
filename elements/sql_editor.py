"""The editor of SQL, with the names, the history and the error that it shows."""

from __future__ import annotations

import streamlit as st

from elements import editor, history, messages, sql_draft
from resources import results
from undertone import console, errors, names_for_editor, statements

KEY = "sql"


def names(target: str) -> names_for_editor.CatalogNames:
    """What the editor proposes and the schema shows; nothing, and a line that says why, where it cannot be read."""
    try:
        return results.get_names(target)
    except errors.UndertoneError as error:
        messages.error(error)
        return names_for_editor.EMPTY


def warnings(target: str) -> list[str]:
    """What somebody must know before they ask; nothing where that cannot be found out, which `names` says, too."""
    try:
        return results.get_warnings(target)
    except errors.UndertoneError:
        return []


def show(found: names_for_editor.CatalogNames) -> statements.Chosen | None:
    """The editor; what a person wants run by its keys just now, or None. What its cursor means is in the draft."""
    draft = sql_draft.get()
    if draft.past is None:
        draft.past = history.past()
    written = editor.editor(
        draft.start,
        key=KEY,
        names=editor.Names(found.schemas, found.functions, found.search_path),
        problem=_problem(draft),
        history=draft.past,
        heights=sql_draft.EDITOR_HEIGHTS,
        replace=draft.replaced,
        at=draft.start_at,
        insert=draft.inserted,
        plain=is_plain(),
    )
    draft.text, draft.at = written.text, (written.start, written.end)
    draft.chosen = sql_draft.choose(written.text, written.start, written.end)
    event = written.event
    if event is None or event.number == draft.seen:
        return None
    draft.seen = event.number
    return sql_draft.choose(event.text, event.start, event.end)


def which(chosen: statements.Chosen | None) -> str:
    """What Run would run, where there is a choice."""
    if chosen is None or (chosen.number and chosen.count < 2):
        return ""
    return f"Statement {chosen.number} of {chosen.count}" if chosen.number else "The selection"


def is_plain() -> bool:
    """Whether a plain text area is wanted: `?editor=plain`, for the rest of the session."""
    if st.query_params.get("editor") == "plain":
        st.session_state["sql_without_editor"] = True
    return bool(st.session_state.get("sql_without_editor", False))


def _problem(draft: sql_draft.Draft) -> editor.Problem | None:
    """The last error, at its place, as long as the text is the one that was asked."""
    error = draft.running.error if draft.running is not None else None
    if not isinstance(error, console.StatementFailed) or error.position is None or draft.preview:
        return None
    if draft.text != draft.whole:
        return None
    return editor.Problem(draft.offset + error.position - 1, str(error), draft.asked)
