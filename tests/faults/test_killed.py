"""Whoever is killed in the middle of a run, the run ends by itself with every row scored exactly once."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests import running

ROWS = 3000
CHUNK_ROWS = 200
WORDS = ("good", "bad", "fine", "slow", "kind", "broken", "late", "lovely", "awful", "the", "kettle", "parcel", "never")


@pytest.fixture(scope="module")
def app() -> Iterator[running.App]:
    with running.home() as home:
        home.environment["UNDERTONE_CHUNK_ROWS"] = str(CHUNK_ROWS)
        yield from loaded_app(home)


def loaded_app(home: running.Home) -> Iterator[running.App]:
    """The app, with three tables of texts."""
    with running.app(home) as app:
        chance = random.Random(7)
        path = home.path / "texts.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "text"])
            # Long enough that the run lasts: the killing must come in its middle.
            rows.writerows([n, " ".join(chance.choices(WORDS, k=160))] for n in range(1, ROWS + 1))
        for name in ("worker_killed", "app_killed", "server_killed"):
            loaded = home.command("load", str(path), "--table", name, "--key", "id")
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
    state = running.wait_until(lambda: (now := look(home, run))["rows"] and now, "the first rows are scored")
    assert state["state"] == "running", "it ended before it could be disturbed"


def check_the_end(home: running.Home, run: int, table: str) -> None:
    state = running.wait_until(
        lambda: (now := look(home, run))["state"] not in ("planned", "running") and now, "it ended"
    )
    assert (state["state"], state["rows"], state["scored"], state["chunks_failed"]) == ("finished", ROWS, ROWS, 0)
    statement = f"SELECT count(*), count(DISTINCT id), count(label), min(id), max(id) FROM scores.{table}"
    answer = home.command("query", statement, "--format", "csv")
    assert answer.stdout.splitlines()[1] == f"{ROWS},{ROWS},{ROWS},1,{ROWS}"


def kill(processes: list[psutil.Process]) -> None:
    assert processes, "there is nobody to kill"
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


def test_the_worker_is_killed(app: running.App) -> None:
    home = app.home
    run = start(home, "worker_killed")
    until_under_way(home, run)
    kill(home.processes("undertone", "worker"))
    check_the_end(home, run, "worker_killed")


def test_the_server_is_killed(app: running.App) -> None:
    home = app.home
    run = start(home, "server_killed")
    until_under_way(home, run)
    kill(home.processes("bin/postgres", "-D"))
    check_the_end(home, run, "server_killed")
    # The run before is as it was: no committed row is lost.
    answer = home.command("query", "SELECT count(*), count(DISTINCT id) FROM scores.worker_killed", "--format", "csv")
    assert answer.stdout.splitlines()[1] == f"{ROWS},{ROWS}"


def test_the_app_is_killed_and_nothing_stays_behind(app: running.App) -> None:
    """The last of the module: it ends the app."""
    home = app.home
    run = start(home, "app_killed")
    until_under_way(home, run)
    kill([psutil.Process(app.process.pid)])
    app.process.wait()
    # The worker has lost its app: it ends the run, then itself; the server goes with the last that used it.
    check_the_end(home, run, "app_killed")
    running.wait_until(lambda: not home.processes("undertone", "worker"), "the worker has ended itself")
    running.wait_until(lambda: not home.processes("bin/postgres", "-D"), "the server has been stopped")
    # The next start finds everything.
    with running.app(home) as again:
        running.wait_until(lambda: home.processes("undertone", "worker"), "a worker is at work again")
        assert look(home, run)["rows"] == ROWS
        assert again.stop() == 0
    assert not home.processes("undertone", "worker"), "Ctrl-C and SIGTERM end what was started"
    assert not home.processes("bin/postgres", "-D")
