"""What is said of the parts of a table, in words."""

from __future__ import annotations

import datetime

import streamlit as st

from elements import row_cells
from undertone import structure_parts


def default(column: structure_parts.Column) -> str | None:
    """What a column holds where nobody says it."""
    if column.identity:
        return f"generated {column.identity} as identity"
    if column.generated:
        return f"generated, {column.generated}: {column.default or 'not told'}"
    return column.default


def covers(index: structure_parts.Index) -> str:
    """What an index is on, as its definition says it: what follows the method."""
    return index.definition.split(f" USING {index.method} ", 1)[-1]


def kind(index: structure_parts.Index) -> str:
    """The method, and what it holds the rows to."""
    words = [index.method]
    if index.unique:
        words.append("unique")
    if index.condition is not None:
        words.append("partial")
    return ", ".join(words)


def remark(index: structure_parts.Index, since: datetime.datetime | None) -> str:
    """What somebody should know of it."""
    if not index.valid:
        return "invalid: rebuild or drop it"
    if index.scans == 0:
        counted = f" since {moment(since)}" if since else ""
        return f"never used{counted}" + (", but it keeps rows apart" if index.unique else "")
    return ""


def reference(one: structure_parts.Reference) -> str:
    """Which columns refer to which, and what follows from a change there."""
    pairs = ", ".join(f"{here} → {there}" for here, there in zip(one.columns, one.target_columns, strict=True))
    actions = [
        f"on {event} {action.lower()}"
        for event, action in (("delete", one.on_delete), ("update", one.on_update))
        if action != "NO ACTION"
    ]
    if not one.validated:
        actions.append("older rows were never checked")
    return "; ".join([pairs, *actions])


def policy(one: structure_parts.Policy) -> tuple[str, str, str]:
    """Its name, when it holds, and what it says."""
    when = f"{one.command} by {', '.join(one.roles) or 'everybody'}" + ("" if one.permissive else ", restrictive")
    says = [f"using {one.condition}"] if one.condition is not None else []
    says += [f"with check {one.check}"] if one.check is not None else []
    return one.name, when, " ".join(says)


def moment(at: datetime.datetime | None) -> str:
    """A moment in the reader's zone."""
    if at is None:
        return ""
    return f"{at.astimezone(row_cells.zone(st.context.timezone)):%Y-%m-%d %H:%M}"
