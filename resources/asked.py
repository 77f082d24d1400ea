"""Statements of a session that run in the background, so that the page stays alive and they can be stopped.

A session has one at a time: starting another cancels the one before. A rerun, or a look at another page, stops none;
Cancel does, and so does the end of the session, which Streamlit tells as the tab is closed or reloaded.
"""

from __future__ import annotations

import datetime
import functools
import threading
import weakref
from collections.abc import Callable, Hashable

import streamlit as st

from resources import background, database, sessions, shelf
from undertone import asking, console, plans


class Running(background.Work):
    """A statement on its way, or at its end: then `error`, `result` or `plan` is set, or its answer was `let_go`.

    `how`: "rows", "plan" (EXPLAIN) or "analyze" (EXPLAIN ANALYZE).
    """

    def __init__(self, question: asking.Question, how: str) -> None:
        super().__init__()
        self.question = question
        self.how = how
        self.at = datetime.datetime.now(datetime.UTC)
        self.cached = False  # the answer was there already
        self._kept: weakref.ref[shelf.Kept] | None = None

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

    def forget(self) -> None:
        """Stop it, and let go of a large answer, which nobody else shall share."""
        self.cancel()
        if (kept := self._kept() if self._kept else None) and kept.bytes > shelf.BUDGET // 8:
            shelf.get_shelf().drop(kept)

    def take(self, kept: shelf.Kept) -> None:
        """Have an answer that was there already."""
        self._kept = weakref.ref(kept)
        self.cached = True
        self._end(0.0)

    def ask(self, ask: Callable[[threading.Event], console.Result | plans.Plan], key: Hashable) -> None:
        """Ask, and put the answer where others find it. Raises what asking raises."""
        answer = ask(self._cancel)
        size = shelf.weigh(answer.rows) if isinstance(answer, console.Result) else 4 * len(answer.json)
        self._kept = weakref.ref(shelf.get_shelf().put(key, answer, size))


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
    running = Running(question, how)
    place = opened.consoles[question.target].place if question.target in opened.consoles else None
    # Who asks makes no difference: everybody reads with the same account.
    key = (how, question.statement, question.parameters, question.target, place, limits)
    seconds = opened.settings.query_cache_seconds
    if how == "rows" and not fresh and seconds and (kept := shelf.get_shelf().find(key, seconds)):
        running.take(kept)
    else:

        def ask(cancel: threading.Event) -> console.Result | plans.Plan:
            if how == "rows":
                return asking.run(opened, question, limits, cancel=cancel)
            return asking.explain(opened, question, limits, analyze=how == "analyze", cancel=cancel)

        do = functools.partial(running.ask, ask, key)
        threading.Thread(target=running.run, args=(do, "the statement"), name="statement", daemon=True).start()
    session.running = running
    return running


def keep(running: Running) -> None:
    """Look after a statement again: a session that has lost its connection and found it has forgotten its own."""
    get_session().running = running
