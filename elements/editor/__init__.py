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
from elements.editor.exchange import Event, Names, Problem, Written
from undertone import statements

__all__ = ["Event", "Names", "Problem", "Written", "editor"]

LABEL = "SQL statement"
HINT = "Write SQL here, for example: SELECT * FROM …"
LINE, BRIEF = 26, 70  # pixels of a line in the text area; characters of a statement in the select box
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
    heights: tuple[int, int] = (120, 360),
    replace: int = 0,
    at: tuple[int, int] | None = None,
    insert: tuple[int, str] | None = None,
    plain: bool = False,
) -> Written:
    """An editor; what stands in it now.

    `text` is what it begins with; it is put in anew whenever `replace` is another number, and what is selected is then
    `at`, without which the cursor is at its end. `insert`, a number and a text, is put in at the cursor, once for each
    number. `history` are earlier statements, the newest first. `heights`, in pixels: it grows with the text from the
    first to the second. `plain`: a text area, key `{key}_text`; it has no cursor that
    could be known, so where there are several statements a select box, key `{key}_statement`, stands for it.
    """
    text = exchange.whole(text)[: exchange.MOST]
    start, end = (min(max(place, 0), len(text)) for place in at or (len(text), len(text)))
    if plain or _mount is None:
        return _plain(text, key, problem, heights, replace, insert)
    mount, order = _mount
    name = exchange.name(key)
    with st.container(gap=None):
        data = {"key": name, "label": LABEL, "hint": HINT, "heights": heights, "most": exchange.MOST}
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
            "at": [start, end],
            "heard": event.number if event else 0,
            "insert": [f"{since['token']} {insert[0]}", exchange.whole(insert[1])[: exchange.MOST]] if insert else None,
            "problem": exchange.marked(problem, event.number if event else 0),
            "history": exchange.earlier(history),
        }
        order(key=f"{key}_orders", data={"key": name, "orders": orders})
    if now is None or not known:
        return Written(text, start, end, event)
    return Written(now.text, now.start, now.end, event)


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
    text: str,
    key: str,
    problem: Problem | None,
    heights: tuple[int, int],
    replace: int,
    insert: tuple[int, str] | None,
) -> Written:
    """The same with what Streamlit has: no completion, no cursor, and no event."""
    area, memory = f"{key}_text", f"{key}_plain"
    kept: dict[str, Any] = st.session_state.setdefault(memory, {"replace": None, "insert": None})
    if kept["replace"] != replace or area not in st.session_state:
        st.session_state[area] = text
        kept["replace"] = replace
    if insert and kept["insert"] != insert[0]:
        before = st.session_state[area]
        gap = " " if before and not before[-1].isspace() and before[-1] not in "(." else ""
        st.session_state[area] = f"{before}{gap}{insert[1]}"
        kept["insert"] = insert[0]
    lines = str(st.session_state[area]).count("\n") + 1
    height = min(max(lines * LINE, heights[0]), heights[1])
    written = exchange.whole(st.text_area(LABEL, key=area, height=height, placeholder=HINT, max_chars=exchange.MOST))
    if problem:
        line = written.count("\n", 0, problem.position) + 1
        column = problem.position - (written.rfind("\n", 0, problem.position) + 1) + 1
        st.caption(f"Line {line}, column {column}")
    parts = statements.split(written)
    if len(parts) < 2:
        return Written(written, len(written), len(written))
    choice = st.selectbox(
        "Statement",
        range(len(parts)),
        format_func=lambda index: _brief(index, written[parts[index].start : parts[index].end]),
        key=f"{key}_statement",
        help="The one that is run",
    )
    return Written(written, parts[choice].end, parts[choice].end)


def _brief(index: int, statement: str) -> str:
    """A statement's number and first words."""
    line = " ".join(statement[: 2 * BRIEF].split())
    return f"{index + 1}. {line if len(line) <= BRIEF else line[: BRIEF - 1] + '…'}"
