"""Whole answers as files, written in the background; a session has one at a time, and takes it along when it ends.

The files lie in a directory of this process. It goes as the process ends, or, should that be killed, as the next one
starts.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import fcntl
import logging
import os
import pathlib
import secrets
import shutil
import tempfile
import threading
from typing import BinaryIO

import streamlit as st

from resources import background, database, sessions
from undertone import asking, console, export, settings

PREFIX = "undertone-downloads-"
BYTES = 2_000_000_000  # of values in one file
SPARE = 500_000_000  # of the disk, which is not for downloads alone
EVERY = 1 << 40  # rows and bytes that nobody has: a file of all rows of a table ends with them
LONG = 1_000_000  # bytes of a statement of ours, which may name 1,600 columns
log = logging.getLogger(__name__)


class Download(background.Work):
    """An answer on its way into a file: when `done`, `error` says what went wrong, or `path` has the file."""

    def __init__(
        self, question: asking.Question, format: str, path: pathlib.Path, *, name: str = "answer", every: bool = False
    ) -> None:
        super().__init__()
        self.question = question
        self.format = format
        self.path = path
        self.name = name  # of the file that is saved, without its suffix
        self.every = every  # row, whatever their number
        self.rows = 0
        self.truncated: str | None = None

    @property
    def size(self) -> int:
        """Bytes of the finished file."""
        with contextlib.suppress(OSError):
            return self.path.stat().st_size
        return 0

    def remove(self) -> None:
        """Cancel it, or delete its file."""
        self.cancel()
        if self.done:
            self.path.unlink(missing_ok=True)

    def piece(self, start: int, size: int) -> bytes:
        """Some bytes of the file. Raises ExportError if it is gone."""
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(size)
        except OSError:
            raise export.ExportError("The file is not there any more; prepare it again.") from None

    def _go_on(self, rows: int) -> None:
        self.rows = rows
        if self._cancel.is_set():
            raise console.StatementCancelled("The download was cancelled.")
        if shutil.disk_usage(self.path.parent).free < SPARE:
            raise export.ExportError("The disk of the server is almost full; ask for fewer rows or columns.")

    def write(self) -> None:
        """Write the file. Raises what asking and writing raise."""
        opened = database.get_services()
        limits = limits_of(opened.settings, every=self.every)
        with asking.stream(opened, self.question, limits, cancel=self._cancel) as answer:
            neutralise = opened.settings.neutralise_formulas
            self.rows = export.write(answer, self.format, self.path, neutralise=neutralise, go_on=self._go_on)
        self.truncated = answer.truncated

    def _end(self, took: float) -> None:
        super()._end(took)
        # Afterwards: whoever removes one that has ended deletes its file.
        if self.cancelled:
            self.path.unlink(missing_ok=True)


def limits_of(chosen: settings.Settings, *, every: bool = False) -> console.Limits:
    """What a download may take: as any statement, but for rows, seconds and bytes in all; of a table `every` row."""
    limits = dataclasses.replace(console.limits(chosen), seconds=chosen.export_seconds)
    if every:
        return dataclasses.replace(limits, rows=EVERY, bytes=EVERY, length=LONG)
    return dataclasses.replace(limits, rows=chosen.export_rows, bytes=BYTES)


class Session:
    """The download of a session."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.download: Download | None = None

    def leave(self) -> None:
        """The tab was closed, or its connection broke: if it is not back in a moment, its file goes."""
        if self.download is not None:
            sessions.unless_back(self.name, self.download.remove)


@st.cache_resource(scope="session", show_spinner=False, on_release=Session.leave)
def get_session() -> Session:
    """This session's download; released by Streamlit when its browser has gone."""
    return Session(sessions.name())


@st.cache_resource(show_spinner=False)
def get_folder() -> pathlib.Path:
    """The directory of this process; what processes have left that were killed is removed."""
    _tidy()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
    held = _lock(folder)  # until this process ends, however it does

    def remove() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            held.close()

    atexit.register(remove)
    return folder


def _tidy() -> None:
    for folder in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            if (lock := _lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()


def _lock(folder: pathlib.Path) -> BinaryIO | None:
    """A lock that ends with its holder; None where somebody has it."""
    file = (folder / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def start(question: asking.Question, format: str, *, name: str = "answer", every: bool = False) -> Download:
    """Begin to write an answer into a file; what this session had before goes. Raises DatabaseError, ServerError.

    `name` is what the file will be called, without its suffix. `every`: all rows, for a statement that we have made.
    """
    database.get_services()
    session = get_session()
    if session.download is not None:
        session.download.remove()
    path = get_folder() / f"{secrets.token_hex(16)}{export.FORMATS[format].suffix}"
    question = dataclasses.replace(question, how=asking.DOWNLOAD)
    download = Download(question, format, path, name=name, every=every)
    session.download = download
    threading.Thread(target=download.run, args=(download.write, "the statement"), name="download", daemon=True).start()
    return download


def keep(download: Download) -> None:
    """Look after a download again: a session that has lost its connection and found it has forgotten its own."""
    get_session().download = download
