"""Messages that may hold text from a database, a file or a person: shown as it is, never as Markdown or HTML."""

from __future__ import annotations

import re

import streamlit as st

from undertone import console, errors

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# Addresses become links after the backslashes are gone; an invisible word joiner inside them keeps them text.
_LINKS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
# Signs that stand alone, such as the operator >=, become one character: the same helps.
_SIGNS = re.compile(r"(?:(?<=^[<>~-])|(?<=\s[<>~-]))(?=(?:->|[-=>])(?:\s|$))")
JOINER = "\u2060"


def plain(text: object) -> str:
    """`text` as Markdown that renders as exactly these characters.

    CommonMark takes a backslash before any ASCII punctuation for that character itself, which undoes links, pictures,
    HTML, mathematics and Streamlit's own colours and icons alike.
    """
    return _PUNCTUATION.sub(r"\\\1", _SIGNS.sub(JOINER, _LINKS.sub(JOINER, " ".join(str(text).split()))))


def error(problem: errors.UndertoneError) -> None:
    """An error that a person can act on."""
    st.error(plain(problem), icon=":material/error:")


def empty(what: str, *, icon: str = ":material/inbox:") -> None:
    """What an empty page will hold, and the next step. `what` is our own Markdown."""
    st.info(what, icon=icon)


def failed(statement: str, problem: console.StatementFailed) -> None:
    """The server's own words about a statement, with the place it means."""
    st.error(plain(problem), icon=":material/error:")
    lines = []
    if problem.position:
        before = statement[: problem.position - 1]
        number = before.count("\n") + 1
        line = statement.splitlines()[number - 1] if statement.splitlines() else ""
        column = len(before) - before.rfind("\n") - 1
        lines += [f"line {number}:", line, " " * column + "^"]
    lines += [f"{name}: {text}" for name, text in (("detail", problem.detail), ("hint", problem.hint)) if text]
    if lines:
        st.code("\n".join(lines), language=None)
