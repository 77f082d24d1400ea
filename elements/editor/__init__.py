"""The editor of the SQL page: CodeMirror 6 as a component of Streamlit, or a text area where that cannot be had.

Its program is in src/, and built into build/editor.js by `npm ci && npm run build`; the build is kept, so that nobody
needs npm to run Undertone.

Streamlit sends a component's program with its data whenever those have changed, and as a mere reference where they are
as before. So there are two: the program and the names, which stay the same, and the orders, which are small.
"""

from __future__ import annotations

import pathlib
import secrets
from collections.abc import Sequence
from typing import Any

import streamlit as st

from elements.editor import exchange
from elements.editor.exchange import Event, Names, Problem

__all__ = ["Event", "Names", "Problem", "editor"]

LABEL = "SQL statement"
HINT = "Write SQL here, for example: SELECT * FROM …"
PROGRAM = pathlib.Path(__file__).parent / "build" / "editor.js"

ORDERS = """
const slots = (globalThis[Symbol.for("undertone.editors")] ??= new Map())
export default function ({ data }) {
  if (!slots.has(data.key)) slots.set(data.key, {})
  const slot = slots.get(data.key)
  slot.orders = data.orders
  slot.obey?.(data.orders)
  return () => { slots.get(data.key).orders = null }
}
"""


def _mounts() -> tuple[Any, Any] | None:
    try:
        program = PROGRAM.read_text(encoding="utf-8")
    except OSError:
        return None
    return (
        st.components.v2.component("undertone_editor", js=program),
        st.components.v2.component("undertone_editor_orders", js=ORDERS),
    )


_mount = _mounts()


def editor(
    text: str,
    *,
    key: str,
    names: Names,
    problem: Problem | None = None,
    history: Sequence[str] = (),
    height: int = 220,
    replace: int = 0,
    insert: tuple[int, str] | None = None,
    plain: bool = False,
) -> tuple[str, Event | None]:
    """An editor; the text that stands in it now, and the last event, None if there was none.

    `text` is what it begins with; it is put in anew whenever `replace` is another number. `insert`, a number and a
    text, is put in at the cursor, once for each number. `history` are earlier statements, the newest first. `height`
    is in pixels. `plain`: a text area, key `{key}_text`, and a button, key `{key}_run`.
    """
    text = exchange.whole(text)[: exchange.MOST]
    if plain or _mount is None:
        return _plain(text, key, problem, height, replace, insert)
    mount, order = _mount
    name = exchange.name(key)
    with st.container(gap=None):
        data = {"key": name, "label": LABEL, "hint": HINT, "height": height, "most": exchange.MOST}
        said = mount(
            key=f"{key}_editor", data=data | {"names": exchange.offered(names)}, on_now_change=lambda: None
        ).get("now")
        now = exchange.heard(said)
        since = _begun(now, key, replace)
        replace += since["replace"]
        known = now is not None and now.replace == replace
        event = now.event if now and now.event and now.event.number > since["event"] else None
        orders = {
            "text": "" if known else text,
            "known": known,
            "replace": replace,
            "insert": [f"{since['token']} {insert[0]}", exchange.whole(insert[1])[: exchange.MOST]] if insert else None,
            "problem": exchange.marked(problem, event.number if event else 0),
            "history": exchange.earlier(history),
        }
        order(key=f"{key}_orders", data={"key": name, "orders": orders})
    return (now.text if now is not None and known else text), event


def _begun(now: exchange.Now | None, key: str, replace: int) -> dict[str, Any]:
    """What was so as this session met the editor first, which is before a person could do anything in it.

    But for a browser whose session was lost, as the app was started anew: it sends all that it knows to the next one.
    A statement must not run again for that, nor a text be lost because a new session counts its replacements from 0.
    """
    found: dict[str, Any] = st.session_state.setdefault(
        f"{key}_begun",
        {
            "event": now.event.number if now and now.event else 0,
            "replace": now.replace - replace if now else 0,
            "token": secrets.token_hex(4),  # its insertions are others than those of the session before
        },
    )
    return found


def _plain(
    text: str, key: str, problem: Problem | None, height: int, replace: int, insert: tuple[int, str] | None
) -> tuple[str, Event | None]:
    """The same with what Streamlit has: no completion, and the whole text is the statement."""
    area, memory = f"{key}_text", f"{key}_plain"
    kept: dict[str, Any] = st.session_state.setdefault(memory, {"replace": None, "insert": None, "event": None})
    if kept["replace"] != replace or area not in st.session_state:
        st.session_state[area] = text
        kept["replace"] = replace
    if insert and kept["insert"] != insert[0]:
        before = st.session_state[area]
        gap = " " if before and not before[-1].isspace() and before[-1] not in "(." else ""
        st.session_state[area] = f"{before}{gap}{insert[1]}"
        kept["insert"] = insert[0]
    written = exchange.whole(st.text_area(LABEL, key=area, height=height, placeholder=HINT, max_chars=exchange.MOST))
    if problem:
        line = written.count("\n", 0, problem.position) + 1
        column = problem.position - (written.rfind("\n", 0, problem.position) + 1) + 1
        st.caption(f"Line {line}, column {column}")
    if st.button("Run", key=f"{key}_run", type="primary", icon=":material/play_arrow:") and written.strip():
        start = len(written) - len(written.lstrip())
        number = kept["event"].number + 1 if kept["event"] else 1
        kept["event"] = Event(number, "run", written.strip(), start)
    return written, kept["event"]
