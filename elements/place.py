"""Where somebody is on Tables: read from the page's address, and written to it. Nothing else holds it.

So a link opens the same on another machine, and Back goes back. A widget that shows a part of it has that part in its
key: when the address changes, it is made anew, with what the address says.
"""

from __future__ import annotations

import hashlib
import urllib.parse

import streamlit as st

from elements import messages
from undertone import errors, looks, sharing

TROUBLE = "tables_trouble"


def now() -> looks.Look:
    """What the address says this moment: for callbacks and fragments, which run while their page's look is older."""
    return _read()[0]


def current() -> looks.Look:
    """What the address says; what cannot be read of it is left out and said."""
    look, troubles = _read()
    for trouble in troubles:
        st.warning(messages.plain(trouble), icon=":material/link_off:")
    if trouble := st.session_state.pop(TROUBLE, None):
        st.error(messages.plain(trouble), icon=":material/error:")
    return look


def go(look: looks.Look) -> None:
    """Write another look into the address: in a callback, or before `st.rerun()`. What is too long for it is said."""
    try:
        st.query_params.from_dict(looks.parameters(look))
    except errors.UndertoneError as error:
        st.session_state[TROUBLE] = str(error)


def key(name: str, *parts: object) -> str:
    """The key of a widget that shows these parts of a look: another part is another widget."""
    digest = hashlib.blake2b(repr(parts).encode(errors="backslashreplace"), digest_size=8).hexdigest()
    return f"tables_{name}_{digest}"


def address(look: looks.Look) -> str:
    """The address of a look, as it can be sent to others. Raises LookError if it is too long."""
    here = urllib.parse.urlsplit(st.context.url or "")
    query = urllib.parse.urlencode(looks.parameters(look), quote_via=urllib.parse.quote)
    return here._replace(query=query, fragment="").geturl()


def statement_parameters(statement: str) -> dict[str, str]:
    """The parameters of an address of SQL that has this statement in its editor. Raises SharingError if too long."""
    return {sharing.NAME: sharing.pack(sharing.Shared(statement))}


def _read() -> tuple[looks.Look, list[str]]:
    return looks.read({name: st.query_params[name] for name in st.query_params})
