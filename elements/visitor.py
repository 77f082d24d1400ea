"""Who looks at a page, as far as that is known."""

from __future__ import annotations

import hashlib
import secrets

import streamlit as st

from resources import database

LONGEST = 200
COOKIE = "_streamlit_xsrf"


def who() -> str:
    """A name for the history and the log: of who has signed in, else the one that a proxy gives, else a browser's.

    Without a sign-in it tells browsers apart, not people, and proves nothing.
    """
    if name := _signed_in() or _from_header():
        return name[:LONGEST]
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = f"visitor {_of_browser() or secrets.token_hex(5)}"
    return str(st.session_state["visitor"])


def _signed_in() -> str:
    user = st.user.to_dict()
    if not user.get("is_logged_in"):
        return ""
    return next((str(user[claim]) for claim in ("email", "preferred_username", "name", "sub") if user.get(claim)), "")


def _from_header() -> str:
    header = database.get_settings().user_header
    return (st.context.headers.get(header) or "").strip() if header else ""


def _of_browser() -> str:
    """From the random token that Streamlit gives every browser, against forged requests; none is known at times.

    It comes as `2|mask|token|time`, under another mask each time, and is kept to itself.
    """
    try:
        _, mask, masked, _ = (st.context.cookies.get(COOKIE) or "").strip('"').split("|")
        key, token = bytes.fromhex(mask), bytes.fromhex(masked)
        plain = bytes(byte ^ key[index % len(key)] for index, byte in enumerate(token))
    except (ValueError, ZeroDivisionError):
        return ""
    return hashlib.sha256(b"visitor" + plain).hexdigest()[:10] if plain else ""
