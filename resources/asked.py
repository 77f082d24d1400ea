"""Statements of a session that run in the background, so that the page stays alive and they can be stopped.

A session has one at a time: starting another cancels the one before. A rerun, or a look at another page, stops none;
Cancel does, and so does the end of the session, which Streamlit tells as the tab is closed or reloaded.
"""

from __future__ import annotations

import datetime
import logging
import threading
import time
import weakref
from collections.abc import Callable, Hashable

import streamlit as st

from resources import database, sessions, shelf
from undertone import asking, console, errors, plans

log = logging.getLogger(__name__)


class Running:
    """A statement on its way, or at its end: then `error`, `result` or `plan` is set, or its answer was `let_go`.

    `how`: "rows", "plan" (EXPLAIN) or "analyze" (EXPLAIN ANALYZE).
    """

    def __init__(self, question: asking.Question, how: str, began: float) -> None:
        self.question = question
        self.how = how
        self.error: errors.UndertoneError | None = None
        self.at = datetime.datetime.now(datetime.UTC)
        self.seconds: float | None = None  # when done
        self.cached = False  # the answer was there already
        self._began = began
        self._kept: weakref.ref[shelf.Kept] | None = None
        self._cancelled = threading.Event()
        self._done = threading.Event()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it stopped."""
        return self._cancelled.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds that it has taken."""
        return time.monotonic() - self._began if self.seconds is None else self.seconds

    @property
    def age(self) -> float | None:
        """Seconds since the answer came; None where there is none."""
        kept = self._kept() if self._kept else None
        return None if kept is None else kept.age

    @property
    def answer(self) -> console.Result | plans.Plan | None:
        """What came; None until it is there, after an error, and when others needed its memory."""
        kept = self._kept() if self._kept else None
        if kept is None:
            return None
        shelf.get_shelf().touch(kept)
        answer: console.Result | plans.Plan = kept.answer
        return answer

    def cancel(self) -> None:
        """Stop it, here and in the database."""
        self._cancelled.set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; whether it came."""
        return self._done.wait(seconds)

    def forget(self) -> None:
        """Stop it, and let go of a large answer, which nobody else shall share."""
        self.cancel()
        if (kept := self._kept() if self._kept else None) and kept.bytes > shelf.BUDGET // 8:
            shelf.get_shelf().drop(kept)

    def _take(self, kept: shelf.Kept, *, cached: bool) -> None:
        self._kept = weakref.ref(kept)
        self.cached = cached
        self.seconds = 0.0 if cached else self.elapsed
        self._done.set()

    def _run(self, ask: Callable[[threading.Event], console.Result | plans.Plan], key: Hashable) -> None:
        kept = None
        try:
            answer = ask(self._cancelled)
            size = shelf.weigh(answer.rows) if isinstance(answer, console.Result) else 4 * len(answer.json)
            kept = shelf.get_shelf().put(key, answer, size)
            del answer
        except errors.UndertoneError as error:
            self.error = error
        except Exception:
            log.exception("A statement ended in an error that nobody foresaw")
            self.error = errors.UndertoneError("Something went wrong here, not in the statement; the app's log has it.")
        if kept is not None:
            self._take(kept, cached=False)
        self.seconds = self.elapsed
        self._done.set()


class Session:
    """What a session has under way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running: Running | None = None

    def leave(self) -> None:
        """The tab was closed, or its connection broke: if it is not back in a moment, nothing shall go on for it."""
        if self.running is not None and not self.running.done:
            sessions.unless_back(self.name, self.running.cancel)


@st.cache_resource(scope="session", show_spinner=False, on_release=Session.leave)
def get_session() -> Session:
    """This session; released by Streamlit when its browser has gone."""
    return Session(sessions.name())


def start(question: asking.Question, limits: console.Limits, *, how: str = "rows", fresh: bool = False) -> Running:
    """Ask in the background, unless somebody had the same answer a moment ago and `fresh` is not wanted.

    What this session asked before is cancelled. Raises DatabaseError, ServerError, SettingsError where nothing can be
    asked.
    """
    opened = database.get_services()
    session = get_session()
    if session.running is not None:
        session.running.forget()
    running = Running(question, how, time.monotonic())
    place = opened.consoles[question.target].place if question.target in opened.consoles else None
    # Who asks makes no difference: everybody reads with the same account.
    key = (how, question.statement, question.parameters, question.target, place, limits)
    seconds = opened.settings.query_cache_seconds
    if how == "rows" and not fresh and seconds and (kept := shelf.get_shelf().find(key, seconds)):
        running._take(kept, cached=True)
    else:

        def ask(cancel: threading.Event) -> console.Result | plans.Plan:
            if how == "rows":
                return asking.run(opened, question, limits, cancel=cancel)
            return asking.explain(opened, question, limits, analyze=how == "analyze", cancel=cancel)

        threading.Thread(target=running._run, args=(ask, key), name="statement", daemon=True).start()
    session.running = running
    return running


def keep(running: Running) -> None:
    """Look after a statement again: a session that has lost its connection and found it has forgotten its own."""
    get_session().running = running
