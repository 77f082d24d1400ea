"""From the editor to the database: which parameters a text has, and asking it for who looks."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from elements import sql_draft, visitor
from resources import asked
from undertone import asking, console, names_for_editor, parameter_kinds, parameters, statements


def wanted(
    chosen: statements.Chosen | None, limits: console.Limits, names: names_for_editor.CatalogNames
) -> tuple[parameters.Parameter, ...]:
    """The parameters of what is chosen; none of one that is too long to be asked."""
    if chosen is None or len(chosen.statement) > limits.length:
        return ()
    return parameter_kinds.refined(chosen.statement, parameters.find(chosen.statement), names)


def start(
    chosen: statements.Chosen | None,
    values: Mapping[str, parameters.Value],
    target: str,
    limits: console.Limits,
    *,
    how: str = "rows",
) -> None:
    """Ask what is chosen in the editor's text. What this session asked before is cancelled."""
    draft = sql_draft.get()
    if chosen is None:
        st.toast("Write a statement first.", icon=":material/edit:")
        return
    statement = chosen.statement
    needed = {parameter.name for parameter in parameters.find(statement)} if len(statement) <= limits.length else set()
    question = asking.Question(
        statement,
        tuple((name, value) for name, value in values.items() if name in needed),
        target,
        visitor.who(),
    )
    draft.whole, draft.offset, draft.preview, draft.notice = chosen.whole, chosen.start, False, ""
    _asked(draft, asked.start(question, limits, how=how))
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
