"""What takes long is asked in the background: it ends, is stopped, or has no slot; the pages' connections stay free."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from resources import database, jobs
from tests.pages import conftest


def count(connection: Any, number: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM generate_series(1, %s)", (number,))
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def session(bare: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> jobs.Session:
    """What Streamlit would keep for a session; the app's databases are opened when the first question comes."""
    session = jobs.Session("")
    monkeypatch.setattr(jobs, "get_session", lambda: session)
    return session


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(job: jobs.Job[Any]) -> jobs.Job[Any]:
    assert job.wait(20)
    return job


def test_an_answer_comes_once_and_is_found_by_its_question() -> None:
    job = ended(jobs.start("one", "question", count, 5))
    assert (job.result, job.error) == (5, None)
    assert jobs.find("one", "question") is job
    assert jobs.find("one", "another question") is None
    assert jobs.find("one", "question") is None


def test_a_cancelled_question_ends_in_the_database_too() -> None:
    backends: list[int] = []

    def long(connection: Any) -> int:
        backends.append(connection.info.backend_pid)
        return count(connection, 10**12)

    def lives(connection: Any) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (backends[0],))
            return bool(cursor.fetchone()[0])

    job = jobs.start("one", "question", long)
    store = database.get_services().store
    until(lambda: backends)
    assert store.ask(lives)
    job.cancel()
    assert isinstance(ended(job).error, jobs.JobCancelled)
    until(lambda: not store.ask(lives))


def test_the_next_question_of_a_name_stops_the_one_before() -> None:
    first = jobs.start("one", "first", count, 10**12)
    second = jobs.start("one", "second", count, 5)
    assert isinstance(ended(first).error, jobs.JobCancelled)
    assert ended(second).result == 5


def test_what_takes_too_long_is_stopped_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_QUERY_SECONDS", "0.3")
    error = ended(jobs.start("one", "question", count, 10**12)).error
    assert isinstance(error, jobs.JobLimited)
    assert "longer than 0.3 s" in str(error)


def test_when_all_slots_are_taken_the_pages_still_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_QUERY_SLOTS", "1")
    holding = jobs.start("one", "question", count, 10**12)
    until(lambda: not database.get_services().console._slots._free)
    assert isinstance(ended(jobs.start("two", "question", count, 5)).error, jobs.JobLimited)
    assert database.get_services().data.ask(count, 5) == 5
    holding.cancel()
    ended(holding)


def test_an_error_that_nobody_foresaw_shows_nothing_of_a_row() -> None:

    def explode(_: object) -> None:
        raise RuntimeError("a secret")

    broken: Callable[..., None] = explode
    error = ended(jobs.start("one", "question", broken)).error
    assert error is not None
    assert "secret" not in str(error)
