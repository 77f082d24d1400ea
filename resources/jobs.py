"""What takes long on a page of Tables: asked in the background, at most so many at once, and cancelled at a click.

They wait for the slots of people's statements (`UNDERTONE_QUERY_SLOTS`) and not for the connections of the pages:
however long they take, nobody's page waits for them. A session has one of a name at a time, and takes it along when it
ends.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import streamlit as st

from resources import background, database, sessions
from undertone import database as pools
from undertone import errors, watch

P = ParamSpec("P")
T = TypeVar("T")
WAIT_SECONDS = 0.5  # for a slot


class JobCancelled(errors.UndertoneError):
    """Somebody stopped it."""


class JobLimited(errors.UndertoneError):
    """It took longer than it may, or there was no slot for it."""


class Job(background.Work, Generic[T]):
    """A question on its way: when `done`, `error` says what went wrong, or `result` has the answer."""

    def __init__(self, identity: Hashable, seconds: float) -> None:
        super().__init__()
        self.identity = identity  # of the question: a page that asks the same one again finds this
        self.seconds = seconds  # that it may take
        self.result: T | None = None

    def answer(self, ask: Callable[[pools.Connection], T]) -> None:
        """Ask, and keep the answer. Raises JobCancelled, JobLimited, and what else asking raises."""
        pool = database.get_services().consoles["data"]
        watched: watch.Watch | None = None
        try:
            with (
                pool.lend_counted(WAIT_SECONDS) as connection,
                watch.Watch(connection, self.seconds, self._cancel) as watched,
            ):
                with connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = %s", (int(self.seconds * 1000),))
                self.result = ask(connection)
        except pools.PoolFull:
            raise JobLimited(
                f"All slots are busy with other statements, {pool.size} at once. Try again when one of them has ended,"
                " or raise UNDERTONE_QUERY_SLOTS."
            ) from None
        except errors.UndertoneError as error:
            if self.cancelled:
                raise JobCancelled("It was cancelled.") from error
            if self.elapsed >= self.seconds or (watched is not None and watched.reason):
                raise JobLimited(
                    f"It took longer than {self.seconds:g} s and was stopped. Narrow it down by a filter on a column"
                    " that has an index, or raise UNDERTONE_QUERY_SECONDS."
                ) from error
            raise


class Session:
    """What a session has under way, by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.jobs: dict[str, Job[Any]] = {}

    def leave(self) -> None:
        """The tab was closed, or its connection broke: if it is not back in a moment, nothing shall go on for it."""

        def cancel() -> None:
            for job in self.jobs.values():
                job.cancel()

        sessions.unless_back(self.name, cancel)


@st.cache_resource(scope="session", show_spinner=False, on_release=Session.leave)
def get_session() -> Session:
    """This session's; released by Streamlit when its browser has gone."""
    return Session(sessions.name())


def find(name: str, identity: Hashable) -> Job[Any] | None:
    """The job of this name, if it is about this question; one about another question is cancelled and forgotten."""
    jobs = get_session().jobs
    job = jobs.get(name)
    if job is not None and job.identity != identity:
        job.cancel()
        del jobs[name]
        return None
    return job


def start(
    name: str,
    identity: Hashable,
    question: Callable[Concatenate[pools.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Job[T]:
    """Ask `question(connection, …)` in the background. What this session asked under `name` before is cancelled.

    It may take UNDERTONE_QUERY_SECONDS. Raises DatabaseError, ServerError, SettingsError where nothing can be asked.
    """
    opened = database.get_services()
    if (before := get_session().jobs.pop(name, None)) is not None:
        before.cancel()
    job: Job[T] = Job(identity, opened.settings.query_seconds)
    get_session().jobs[name] = job

    do = functools.partial(job.answer, lambda connection: question(connection, *args, **kwargs))
    threading.Thread(target=job.run, args=(do, "the question"), name=f"job-{name}", daemon=True).start()
    return job


def forget(name: str) -> None:
    """Cancel the job of this name, if there is one, and let go of its answer."""
    if (job := get_session().jobs.pop(name, None)) is not None:
        job.cancel()
