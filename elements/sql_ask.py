"""From the editor to the database: which parameters a text has, and asking it for who looks."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from elements import sql_draft, visitor
from resources import asked
from undertone import asking, console, names_for_editor, parameter_kinds, parameters


def wanted(text: str, limits: console.Limits, names: names_for_editor.CatalogNames) -> tuple[parameters.Parameter, ...]:
    """The parameters of a text; none of one that is too long to be asked."""
    return parameter_kinds.refined(text, parameters.find(text), names) if len(text) <= limits.length else ()


def start(
    statement: str,
    values: Mapping[str, parameters.Value],
    target: str,
    limits: console.Limits,
    *,
    offset: int = 0,
    how: str = "rows",
    fresh: bool = False,
) -> None:
    """Ask a statement that begins at `offset` of the editor's text. What this session asked before is cancelled."""
    draft = sql_draft.get()
    if not statement.strip():
        st.toast("Write a statement first.", icon=":material/edit:")
        return
    needed = {parameter.name for parameter in parameters.find(statement)} if len(statement) <= limits.length else set()
    question = asking.Question(
        statement,
        tuple((name, value) for name, value in values.items() if name in needed),
        target,
        visitor.who(),
    )
    draft.whole, draft.offset, draft.preview, draft.notice = draft.text, offset, False, ""
    _asked(draft, asked.start(question, limits, how=how, fresh=fresh))
    sql_draft.remember(statement)


def preview(statement: str, target: str, limits: console.Limits) -> None:
    """Ask for a few rows of a relation; the editor's text stays."""
    draft = sql_draft.get()
    draft.whole, draft.offset, draft.preview, draft.changed = statement, 0, True, True
    _asked(draft, asked.start(asking.Question(statement, target=target, who=visitor.who()), limits))


def again(limits: console.Limits) -> None:
    """Ask the same once more, whatever is known of it."""
    draft = sql_draft.get()
    if draft.running is not None:
        _asked(draft, asked.start(draft.running.question, limits, how=draft.running.how, fresh=True))


def _asked(draft: sql_draft.Draft, running: asked.Running) -> None:
    draft.running, draft.marked = running, False
    draft.asked += 1
