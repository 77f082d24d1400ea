"""The app is killed in the middle of a run: its worker ends the run, nothing stays behind, and the next app finds it.

Kills at many moments, and that the scores are the right ones then: `test_runs.py`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests import running
from tests.unit import texts_made

ROWS = 1_000
CHUNK_ROWS = 50
PAUSE = 1.0  # between looks, each of which is a process: the worker has to go on meanwhile


@pytest.fixture
def app(engine: None) -> Iterator[running.App]:
    """The app on the embedded server, and a table of texts."""
    with running.home() as home:
        home.environment |= {"UNDERTONE_CHUNK_ROWS": str(CHUNK_ROWS), "UNDERTONE_THREADS": "1"}
        with running.app(home) as app:
            path = home.path / "texts.csv"
            with path.open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["id", "text"])
                # Long enough that the run lasts: the killing must come in its middle.
                rows.writerows([n, f"{text} " * 2] for n, text in enumerate(texts_made.texts(ROWS), 1))
            loaded = home.command("load", str(path), "--table", "texts", "--key", "id")
            assert loaded.returncode == 0, loaded.stderr
            yield app


def start(home: running.Home, table: str) -> int:
    done = home.command("score", table, "--text", "text", "--no-wait", "--json")
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["run"])


def look(home: running.Home, run: int) -> dict[str, Any]:
    done = home.command("runs", str(run), "--json")
    assert done.returncode == 0, done.stderr
    state: dict[str, Any] = json.loads(done.stdout)
    return state


def until_under_way(home: running.Home, run: int) -> None:
    first = "the first rows are scored"
    state = running.wait_until(lambda: (now := look(home, run))["rows"] and now, first, every=PAUSE)
    assert state["state"] == "running", "it ended before it could be disturbed"


def check_the_end(home: running.Home, run: int, table: str) -> None:
    state = running.wait_until(
        lambda: (now := look(home, run))["state"] not in ("planned", "running") and now, "it ended", every=PAUSE
    )
    assert (state["state"], state["rows"], state["chunks_failed"]) == ("finished", ROWS, 0)
    assert state["scored"] + state["empty"] == ROWS
    statement = f"SELECT count(*), count(DISTINCT id), count(label), min(id), max(id) FROM scores.{table}"
    answer = home.command("query", statement, "--format", "csv")
    assert answer.stdout.splitlines()[1] == f"{ROWS},{ROWS},{state['scored']},1,{ROWS}"


def test_the_app_is_killed_and_nothing_stays_behind(app: running.App) -> None:
    home = app.home
    run = start(home, "texts")
    until_under_way(home, run)
    psutil.Process(app.process.pid).kill()
    app.process.wait()
    # The worker has lost its app: it ends the run, then itself; the server goes with the last that used it.
    check_the_end(home, run, "texts")
    running.wait_until(lambda: not home.processes("undertone", "worker"), "the worker has ended itself")
    running.wait_until(lambda: not home.processes("bin/postgres", "-D"), "the server has been stopped")
    # The next start finds everything.
    with running.app(home) as again:
        running.wait_until(lambda: home.processes("undertone", "worker"), "a worker is at work again")
        assert look(home, run)["rows"] == ROWS
        assert again.stop() == 0
    assert not home.processes("undertone", "worker"), "Ctrl-C and SIGTERM end what was started"
    assert not home.processes("bin/postgres", "-D")
