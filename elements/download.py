"""The whole answer as a file: written on the server first, then carried to the browser piece by piece.

Streamlit's own download button would hold all of the file in memory, and a copy of it for every browser that is slow.
Here a piece at a time travels through the session, at the browser's asking; it puts them together and saves them.
"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from elements import messages
from resources import database, downloads
from undertone import asking, console, errors, export, units

PIECE = 4_000_000  # bytes
LOOK_SECONDS = 0.5

HTML = '<button type="button"></button><span class="words" role="status" aria-live="polite"></span>'
CSS = """
:host { display: block; }
button {
  font: inherit; font-size: 0.95rem; color: var(--st-background-color); background: var(--st-primary-color);
  border: 1px solid var(--st-primary-color); border-radius: var(--st-button-radius, 0.5rem);
  padding: 0.3rem 0.9rem; min-height: 2.5rem; cursor: pointer;
}
button:focus-visible { outline: 3px solid color-mix(in srgb, var(--st-primary-color) 45%, transparent); }
button:disabled { opacity: 0.6; cursor: progress; }
.words { margin-left: 0.9rem; color: var(--st-text-color); font-size: 0.875rem; }
"""
# The state lives on the element: the function runs anew whenever a piece comes.
JS = """
const decoder = new TextDecoder()
export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button"), words = parentElement.querySelector(".words")
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data)
  const head = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  const about = JSON.parse(decoder.decode(bytes.subarray(4, 4 + head)))
  const kept = parentElement.kept?.id === about.id ? parentElement.kept : (parentElement.kept = { id: about.id })
  const ask = (start) => setTriggerValue("wanted", { id: about.id, start })
  const idle = () => { button.disabled = false; button.textContent = about.label }
  const save = (blob) => {
    const link = document.createElement("a")
    link.href = URL.createObjectURL(blob)
    link.download = about.name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    words.textContent = about.saved
  }
  if (!kept.parts) { idle(); words.textContent = about.words }
  button.onclick = () => {
    kept.parts = []
    kept.size = 0
    button.disabled = true
    ask(0)
  }
  if (about.error) { kept.parts = null; idle(); words.textContent = about.error }
  if (!kept.parts || about.start !== kept.size) return
  // A copy, so that the message it came in can go.
  const part = new Blob([bytes.slice(4 + head)])
  kept.parts.push(part)
  kept.size += part.size
  if (kept.size < about.size && part.size) {
    words.textContent = `${Math.floor(100 * kept.size / about.size)} %`
    ask(kept.size)
    return
  }
  const blob = new Blob(kept.parts, { type: about.mime })
  kept.parts = null
  idle()
  save(blob)
}
"""
_mount = st.components.v2.component("undertone_download", html=HTML, css=CSS, js=JS)


def show(question: asking.Question, *, key: str, name: str = "answer", every: bool = False) -> None:
    """Choose a format, prepare the file, save it under a name. `every`: all rows of a table, and not of an answer."""
    chosen = database.get_settings()
    seconds = units.duration(chosen.export_seconds)
    if every:
        st.caption(f"Read anew and written to a file, whatever their number, for at most {seconds}.")
    else:
        st.caption(
            f"All of the answer, asked again and written to a file: at most {chosen.export_rows:,} rows and {seconds}."
        )
    st.fragment(_form)(question, key, name, every)


def choose_format(key: str) -> str:
    """Which kind of file: a name of `export.FORMATS`."""
    chosen = st.segmented_control(
        "Format",
        list(export.FORMATS),
        default="csv",
        required=True,
        format_func=lambda name: export.FORMATS[name].label,
        key=key,
    )
    return chosen or "csv"


def _form(question: asking.Question, key: str, name: str, every: bool) -> None:
    download: downloads.Download | None = st.session_state.get(f"{key}_file")
    if download is not None and not _same(download.question, question):
        download.remove()
        download = st.session_state[f"{key}_file"] = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        format = choose_format(f"{key}_format")
        running = download is not None and not download.done
        if st.button("Prepare", icon=":material/file_export:", key=f"{key}_prepare", disabled=running):
            try:
                st.session_state[f"{key}_file"] = downloads.start(question, format, name=name, every=every)
            except errors.UndertoneError as error:
                messages.error(error)
                return
            st.rerun(scope="fragment")
    if format == "xlsx":
        st.caption("Excel takes several times as long to write as the others, and shows no more than 15 digits.")
    if download is None:
        return
    downloads.keep(download)
    if running:
        st.fragment(_progress, run_every=LOOK_SECONDS)(download, key)
    else:
        _finished(download, key)


def _same(one: asking.Question, other: asking.Question) -> bool:
    return (one.statement, one.parameters, one.target) == (other.statement, other.parameters, other.target)


def _progress(download: downloads.Download, key: str) -> None:
    if download.done:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{units.count(download.rows, 'row')} in {units.duration(download.elapsed)} …")
        if st.button("Cancel", icon=":material/close:", key=f"{key}_cancel"):
            download.cancel()
            download.wait(5)
            st.rerun()


def _finished(download: downloads.Download, key: str) -> None:
    error = download.error
    if isinstance(error, console.StatementCancelled):
        st.info(messages.plain(error), icon=":material/stop_circle:")
    elif isinstance(error, console.StatementFailed):
        messages.failed(download.question.statement, error)
    elif error is not None:
        messages.error(error)
    if error is not None:
        return
    if download.truncated:
        what = "UNDERTONE_EXPORT_ROWS allows no more" if download.truncated == "rows" else "it grew too large"
        st.warning(f"The file has only the first {units.count(download.rows, 'row')}: {what}.")
    st.fragment(_save)(download, f"{key}_save")


def _save(download: downloads.Download, key: str) -> None:
    """The button that saves; this runs again for each piece that the browser asks for."""
    state = st.session_state.get(key)
    wanted = dict(state).get("wanted") if state else None
    _mount(data=described(download, wanted), key=key, on_wanted_change=lambda: None)


def described(download: downloads.Download, wanted: Any) -> bytes:
    """What the browser gets: the length of a description, the description as JSON, and a piece, if it `wanted` one."""
    format, size = export.FORMATS[download.format], download.size
    words = f"{units.count(download.rows, 'row')}, {units.size(size)}, in {units.duration(download.elapsed)}"
    about: dict[str, Any] = {
        "id": download.path.stem,
        "name": f"{download.name}{format.suffix}",
        "mime": format.mime,
        "size": size,
        "label": f"Save {format.label} file",
        "words": words,
        "saved": f"Saved: {words}",
        "start": -1,
    }
    piece = b""
    if isinstance(wanted, dict) and wanted.get("id") == about["id"] and type(wanted.get("start")) is int:
        about["start"] = max(0, wanted["start"])
        try:
            piece = download.piece(about["start"], PIECE)
        except errors.UndertoneError as error:
            about["error"] = str(error)
    head = json.dumps(about).encode()
    return len(head).to_bytes(4, "big") + head + piece
