"""What the command line promises of scoring: runs, watches, and scores as tables and files."""

from __future__ import annotations

import csv
import io
import json
import logging
import pathlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pyarrow.parquet
import pytest
import sqlalchemy

from tests.unit.command_line import PATIENCE, Answer, Run, as_owner, at_work
from undertone import cli_sql, embedded, following, library, planning, settings, watches, worker

PUBLISHER = "hunter2"


@pytest.mark.parametrize(
    "arguments",
    [
        ("score",),
        ("score", "reviews"),
        ("score", "--text", "body"),
        ("score", "reviews", "--text", "body", "--template", "{body}"),
        ("score", "reviews", "--query", "Table sizes", "--text", "body"),
        ("score", "reviews", "--template", "{title"),
        ("score", "reviews", "--template", "no column"),
        ("score", "reviews", "--text", "body", "--every", "0"),
        ("score", "reviews", "--text", "body", "--every", "9", "--cron", "0 2 * * *"),
        ("score", "reviews", "--text", "body", "--cron", "0 2 * *"),
        ("score", "reviews", "--text", "body", "--cron", "0 2 * * * *"),
        ("score", "reviews", "--text", "body", "--plan", "--every", "9"),
        ("score", "reviews", "--text", "body", "--plan", "--no-wait"),
        ("score", "reviews", "--text", "body", "--new-by", "written_at"),
        ("score", "reviews", "--text", "body", "--where", " "),
        ("score", "reviews", "--text", "body", "--where", "rating = '\udcff'"),
        ("score", "reviews", "--text", "body", "--queue", ""),
        ("score", "", "--text", "body"),
        ("runs", "frobnicate", "1"),
        ("runs", "pause"),
        ("runs", "1", "2"),
        ("runs", "pause", "resume", "1"),
        ("runs", "undo"),
        ("runs", "²"),
        ("watches", "undo", "1"),
        ("watches", "remove"),
        ("watches", "remove", "1", "2"),
        ("current",),
        ("current", "reviews", "default", "again"),
        ("export",),
        ("export", "reviews", "--output", "file.xyz"),
        ("export", "reviews", "--format", "xlsx"),
        ("export", "reviews", "--model", "\udcff"),
        ("score", "reviews", "--text", "body", "--model", "\udcff"),
        ("publish", "reviews"),
        ("worker", "--threads", "0"),
        ("worker", "--queue", ""),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments, PUBLISH_URL="")
    assert said.code == 2
    assert said.raw == b""
    assert "Usage: " in said.err


@pytest.fixture
def scored(run: Run, tmp_path: pathlib.Path) -> Answer:
    """A run over the 300 texts of a file, which is done once for all tests; what `score` or `runs` says of it."""
    for one in run("runs", "--json").json:
        if one["scores"] == "scores.some_texts":
            return run("runs", str(one["run"]), "--json")
    texts = [("I love it, thank you so much!", "good"), ("Terrible, I want my money back.", "bad"), ("", "none")]
    file = tmp_path / "Some Texts.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("nr", "body", "expected"))
        writer.writerows((n, *texts[n % 3]) for n in range(300))
    loaded = run("load", str(file), "--key", "nr", "--json")
    assert (loaded.code, loaded.json["table"], loaded.json["rows"]) == (0, "some_texts", 300)
    assert "already a table" in run("load", str(file)).line
    return run("score", "some_texts", "--text", "body", "--context", "expected", "--json", UNDERTONE_CHUNK_ROWS="70")


def test_a_file_becomes_a_table_and_its_texts_get_scores(run: Run, scored: Answer) -> None:
    done = scored
    assert done.code == 0, done.err
    number = done.json["run"]
    expected = {
        "run": number,
        "state": "finished",
        "table": "public.some_texts",
        "query": None,
        "text": "body",
        "template": False,
        "condition": "",
        "key": ["nr"],
        "context": ["expected"],
        "scores": "scores.some_texts",
        "view": "scores.some_texts_current",
        "model_name": "default",
        "current_model": "default",
        "queue": "scoring",
        "who": cli_sql.account(),
        "watch": None,
        "rows": 300,
        "rows_total": 300,
        "scored": 200,
        "unchanged": 0,
        "empty": 100,
        "failed": 0,
        "vanished": 0,
        "chunks": 5,
        "chunks_done": 5,
        "chunks_failed": 0,
        "error": None,
        "undone_at": None,
        "actions": ["undo"],
        "labels": {"NEGATIVE": 100, "POSITIVE": 100},
        "failed_rows": [],
        "chunk_errors": [],
        "kept_up": None,
    }
    assert {name: done.json[name] for name in expected} == expected

    counts = run(
        "query",
        "SELECT expected, label, count(*) AS n FROM scores.some_texts JOIN some_texts USING (nr, expected)"
        " GROUP BY 1, 2 ORDER BY 1",
        *("--format", "json"),
    )
    assert counts.json == [
        {"expected": "bad", "label": "NEGATIVE", "n": 100},
        {"expected": "good", "label": "POSITIVE", "n": 100},
        {"expected": "none", "label": None, "n": 100},
    ]
    assert run("runs", str(number), "--json").json == done.json
    assert [one["run"] for one in run("runs", "--json").json][:1] == [number]
    listed = run("runs").out.splitlines()
    assert listed[0].split()[:2] == ["run", "source"]
    assert listed[2].split()[0] == str(number)
    shown = run("runs", str(number)).out.splitlines()
    assert shown[0].startswith(f"Run {number} over some_texts · body: finished, 300 of 300 rows")
    reused = done.json["reused"]
    known = f" ({reused:,} texts known before)" if reused else ""
    assert shown[1:] == [
        f"scored 200{known} · unchanged 0 · empty 100 · failed 0 · truncated 0 · vanished 0",
        "in scores.some_texts_current: NEGATIVE 100, POSITIVE 100",
    ]


def test_the_scores_leave_as_files_and_as_a_table_elsewhere(
    run: Run, scored: Answer, tmp_path: pathlib.Path, place: Callable[[str], sqlalchemy.URL]
) -> None:
    rows = [json.loads(line) for line in run("export", "some_texts", "--format", "jsonl").out.splitlines()]
    assert [row["nr"] for row in rows] == list(range(300))
    assert {(row["expected"], row["label"]) for row in rows} == {
        ("bad", "NEGATIVE"),
        ("good", "POSITIVE"),
        ("none", None),
    }
    said = run("export", "scores.some_texts_current")
    assert (said.code, said.err) == (0, "")
    read = list(csv.DictReader(io.StringIO(said.raw.decode("utf-8-sig"))))
    assert [row["nr"] for row in read] == [str(n) for n in range(300)]
    assert "vanished_at" not in read[0]
    for suffix in ("csv", "jsonl", "parquet"):
        file = tmp_path / f"scores.{suffix}"
        assert run("export", "some_texts", "--output", str(file)).out == f"300 rows in {file}\n"
    assert (tmp_path / "scores.csv").read_bytes() == said.raw
    table = pyarrow.parquet.read_table(tmp_path / "scores.parquet")
    assert (table.num_rows, str(table.schema.field("nr").type)) == (300, "int64")
    everything = run("export", "some_texts", "--all", "--model", "default", "--format", "jsonl").out.splitlines()
    assert json.loads(everything[0])["vanished_at"] is None
    assert "has no scores of other; it has: default" in run("export", "some_texts", "--model", "other").line
    assert "There are no scores called nowhere" in run("export", "nowhere").line
    assert "cannot be written" in run("export", "some_texts", "--output", str(tmp_path / "no" / "where.csv")).line

    address = place(embedded.OWNER).set(drivername="postgresql", password=PUBLISHER).render_as_string(False)
    done = run("publish", "some_texts", "--schema", "mart", "--create-schema", "--json", PUBLISH_URL=address)
    assert (done.code, done.err) == (0, "")
    assert (done.json["rows"], done.json["table"], done.json["replaced"]) == (300, "some_texts", False)
    again = run("publish", "some_texts", "--schema", "mart", PUBLISH_URL=address)
    assert again.out.startswith("300 rows in mart.some_texts at 127.0.0.1:")
    assert again.out.endswith(", in place of the last ones\n")
    assert "no schema" in run("publish", "some_texts", "--schema", "other", PUBLISH_URL=address).line
    for answer in (done, again):
        assert PUBLISHER not in answer.out + answer.err
        assert embedded.OWNER not in answer.out + answer.err


def test_the_address_to_publish_to_is_this_commands_own(
    run: Run, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(f'PUBLISH_URL = "postgresql://a:{PUBLISHER}@localhost/x"\n')
    (tmp_path / ".env").write_text(f"PUBLISH_URL=postgresql://a:{PUBLISHER}@localhost/x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    publish = ("publish", "some_texts", "--schema", "mart")
    assert run(*publish).line.startswith("Set PUBLISH_URL, for this command alone")
    for address in (
        f"postgresql://somebody:{PUBLISHER}@127.0.0.1:1/nowhere",
        f"postgresql://somebody:{PUBLISHER}@no.such.host.invalid/nowhere",
        f"postgresql://somebody:{PUBLISHER}@127.0.0.1:port/nowhere",
        f"mysql://somebody:{PUBLISHER}@127.0.0.1/nowhere",
        f"somebody:{PUBLISHER}",
        f"postgresql://127.0.0.1:1/nowhere?user=somebody&password={PUBLISHER}&{PUBLISHER}=somebody",
    ):
        line = run(*publish, PUBLISH_URL=address).line
        assert PUBLISHER not in line
        assert "somebody" not in line


def test_which_model_is_current(run: Run, scored: Answer, home: pathlib.Path) -> None:
    as_owner(
        home,
        "INSERT INTO scores.some_texts (nr, label, model, model_id, run_id, scored_at)"
        " VALUES (1, 'OTHER', 'Other''s', 'o@1', 1, now())",
    )
    told = run("current", "some_texts", "--json")
    assert (told.code, told.err) == (0, "")
    assert (told.json["scores"], told.json["view"]) == ("scores.some_texts", "scores.some_texts_current")
    assert [(one["model"], one["rows"], one["current"]) for one in told.json["models"]] == [
        ("Other's", 1, False),
        ("default", 300, True),
    ]
    assert "has no scores of third; it has: Other's, default" in run("current", "some_texts", "third").line
    as_owner(home, "DROP VIEW scores.some_texts_current")
    assert len(run("export", "some_texts").out.splitlines()) == 301, "nobody's view is needed"
    shown = run("current", "some_texts", "Other's").out.splitlines()
    assert shown[2].split()[-1] == "current"
    assert as_owner(home, "SELECT label FROM scores.some_texts_current") == [("OTHER",)]
    assert [
        json.loads(line)["label"] for line in run("export", "some_texts", "--format", "jsonl").out.splitlines()
    ] == ["OTHER"]
    assert run("current", "some_texts", "default").code == 0


def test_scores_whose_table_somebody_has_dropped(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE TABLE shortlived AS SELECT 'good' AS body, n FROM generate_series(1, 10) AS n")
    begun = run("score", "shortlived", "--text", "body", "--key", "n", "--no-wait", "--json").json
    as_owner(home, "DROP TABLE scores.shortlived CASCADE")
    for command in (("export", "shortlived"), ("current", "shortlived"), ("current", "shortlived", "default")):
        assert "The table scores.shortlived is gone" in run(*command).line
    assert run("runs", str(begun["run"]), "--json").json["labels"] == {}
    assert begun["run"] in [one["run"] for one in run("runs", "--json").json]
    assert run("runs").code == 0
    assert run("runs", "cancel", str(begun["run"])).code == 0


def test_names_that_nobody_expects(run: Run, home: pathlib.Path) -> None:
    name = 'bad "評論"\n100%_{x}'
    quoted = name.replace('"', '""')
    as_owner(home, f'CREATE TABLE "{quoted}" ("a ""b"" %s" text, "{{n}}" int PRIMARY KEY)')
    begun = run("score", name, "--text", 'a "b" %s', "--no-wait", "--json")
    assert begun.code == 0, begun.err
    assert begun.json["table"] == f"public.{name}"
    number = str(begun.json["run"])
    assert run("runs", number).out.startswith(f'Run {number} over bad "評論" 100%_{{x}} · a "b" %s: planned')
    for called in (name, begun.json["scores"], begun.json["view"], f"scores.{name}"):
        exported = run("export", called)
        assert (exported.code, exported.raw.decode("utf-8-sig").count("\r\n")) == (0, 1), "no scores yet: a header"
        assert run("current", called, "--json").json["models"] == []
    assert run("runs", "cancel", number).code == 0


def test_rows_that_fail_are_shown_with_key_and_reason_and_a_run_is_undone(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE TABLE divided (n int PRIMARY KEY, title text, body text)")
    as_owner(home, "INSERT INTO divided SELECT n, 'I love it', 'thank you' FROM generate_series(1, 10) AS n")
    with cli_sql.opened() as opened, opened.store.lend() as connection:
        statement = "SELECT n, title || 1 / (n - 4) * 0 AS title, body FROM divided -- all of it"
        library.save(
            connection, library.Saved(None, "Divided 100%", "", (), statement, {}, None, "data", 1, "ann", None)
        )
    asked = ("score", "--query", "divided 100%", "--template", "{title}: {body}", "--key", "n", "--context", "body")
    done = run(*asked, "--where", "n <= 8", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert (told["state"], told["table"], told["query"]) == ("finished", None, "Divided 100%")
    assert (told["text"], told["template"], told["condition"]) == ("{title}: {body}", True, "n <= 8")
    assert (told["rows"], told["scored"], told["failed"]) == (8, 7, 1)
    assert [(row["key"], row["reason"]) for row in told["failed_rows"]] == [(["4"], "division by zero")]
    assert told["actions"] == ["retry", "undo"]
    number = str(told["run"])
    shown = run("runs", number).out.splitlines()
    assert "where n <= 8" in shown
    assert "row n 4: division by zero" in shown
    undone = run("runs", "undo", number, "--json").json
    assert (undone["undone_at"] is not None, undone["labels"], undone["actions"]) == (True, {}, [])
    assert "was undone" in run("runs", "retry", number).line
    assert " undone " in run("runs").out
    assert "undone at" in run("runs", number).out


def test_a_plan_starts_nothing(run: Run, home: pathlib.Path) -> None:
    before = as_owner(home, "SELECT count(*) FROM undertone.runs UNION ALL SELECT count(*) FROM undertone.sources")
    planned = run("score", "support_tickets", "--text", "body", "--where", "id <= 20", "--plan", "--json")
    assert (planned.code, planned.err) == (0, "")
    told = planned.json
    assert (told["rows"], told["todo"], told["unchanged"], told["exact"]) == (20, 20, 0, True)
    assert told["key"] == ["id"]
    assert told["characters"] > 0
    assert told["seconds"] > 0
    shown = run("score", "support_tickets", "--text", "body", "--where", "id <= 20", "--plan").out
    assert shown.startswith("support_tickets · body: 20 rows\n")
    assert "key: id" in shown
    after = as_owner(home, "SELECT count(*) FROM undertone.runs UNION ALL SELECT count(*) FROM undertone.sources")
    assert after == before


def test_sources_are_kept_up(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE TABLE kept_up (n int PRIMARY KEY, body text)")
    begun = run("score", "kept_up", "--text", "body", "--every", "90", "--new-by", "n", "--no-wait", "--json")
    assert begun.code == 0, begun.err
    watch = begun.json["kept_up"]
    expected = {"table": "public.kept_up", "text": "body", "every_minutes": 90, "cron": None, "active": True}
    expected |= {"new_by": "n", "pace": "every 90 minutes", "who": cli_sql.account(), "error": None}
    assert {name: watch[name] for name in expected} == expected
    assert run("runs", "cancel", str(begun.json["run"])).code == 0
    number = str(watch["watch"])
    again = run("score", "kept_up", "--text", "body", "--cron", "0 2 * * *", "--no-wait")
    assert f"kept up cron 0 2 * * * (UTC) by watch {number}, next at " in again.out
    listed = run("watches", "--json").json
    assert [(one["watch"], one["cron"], one["new_by"]) for one in listed] == [(watch["watch"], "0 2 * * *", None)]
    assert run("watches").out.splitlines()[0].split()[:4] == ["watch", "source", "model", "how"]
    paused = run("watches", "pause", number, "--json").json
    assert [(one["active"], one["next_at"]) for one in paused] == [(False, None)]
    assert "  paused" in run("watches").out.splitlines()[2]
    assert run("watches", number, "resume", "--json").json[0]["active"]
    assert run("watches", "remove", number, "--json").json == []
    for words in ((number,), ("pause", number), ("remove", "0"), ("remove", "9" * 30)):
        assert run("watches", *words).line
    with pytest.raises(watches.WatchError):
        watches.check_pace(watches.Pace(None, None))


def test_what_cannot_be_scored_is_one_line(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE OR REPLACE VIEW no_key AS SELECT 'good' AS body, 1 AS n")
    assert 'no table or view "nowhere"' in run("score", "nowhere", "--text", "body").line
    assert "reviews has no column 'nowhere'" in run("score", "reviews", "--text", "nowhere").line
    assert "reviews has no column 'nowhere'" in run("score", "reviews", "--template", "{title} {nowhere}").line
    assert "holds no text" in run("score", "no_key", "--text", "n").line
    assert "no_key has no primary key" in run("score", "no_key", "--text", "body").line
    assert "no saved query" in run("score", "--query", "nowhere", "--text", "body").line
    for condition in ("rating = ", "1; DROP TABLE reviews", "true) OR (true", "pg_sleep(9) IS NULL", "nowhere = 1"):
        assert run("score", "reviews", "--text", "body", "--where", condition).line
        assert run("score", "reviews", "--text", "body", "--where", condition, "--plan").line


def test_runs_are_paused_resumed_and_cancelled(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE TABLE some_runs AS SELECT 'good' AS body, n FROM generate_series(1, 10) AS n")
    begun = run("score", "some_runs", "--text", "body", "--key", "n", "--no-wait", "--json", "--queue", "a b")
    assert (begun.code, begun.json["state"], begun.json["labels"]) == (0, "planned", {})
    assert begun.json["queue"] == "a b"
    number = str(begun.json["run"])
    assert "has not ended" in run("score", "some_runs", "--text", "body", "--key", "n").line
    for action, state in (("pause", "paused"), ("resume", "planned"), ("pause", "paused"), ("cancel", "cancelled")):
        changed = run("runs", action, number, "--json")
        assert (changed.code, changed.json["state"]) == (0, state)
    assert run("runs", "cancel", number).line == f"Run {number} is cancelled: it cannot cancel. It can undo."
    assert run("runs", number, "retry").line == f"Run {number} is cancelled: it cannot retry. It can undo."
    assert run("runs", number).out.startswith(f"Run {number} over some_runs · body: cancelled, 0 of ? rows")
    for unknown in ("999", "0", "9" * 30):
        assert run("runs", unknown).line
        assert run("runs", "pause", unknown).line
    assert run("score", "some_runs", "--text", "body", "--key", "n", "--no-wait").code == 0
    few = run("runs", "--limit", "1", "--json")
    assert (len(few.json), few.err) == (1, "only the newest 1 run; --limit shows more\n")
    assert run("runs", "cancel", str(few.json[0]["run"])).code == 0
    assert run("worker", "--check").line == "no worker is at work; start one with: python -m undertone worker"
    check = run("worker", "--check", "--queue", "a b").line
    assert check == "no worker is at work; start one with: python -m undertone worker --queue 'a b'"


def test_a_worker_has_threads_and_queues_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[Any, ...]] = []

    def work(chosen: settings.Settings, *, local: bool, queues: tuple[str, ...]) -> None:
        called.append((chosen.threads, local, queues))

    monkeypatch.setattr(worker, "work", work)
    before = logging.getLogger().level, logging.getLogger("procrastinate").level
    try:
        for options in ((), ("--threads", "3"), ("--queue", "a", "--queue", "b c", "--queue", "a")):
            assert run("worker", *options).code == 0
    finally:
        logging.getLogger().setLevel(before[0])
        logging.getLogger("procrastinate").setLevel(before[1])
    assert called == [(1, False, (planning.QUEUE,)), (3, False, (planning.QUEUE,)), (1, False, ("a", "b c"))]


def test_a_command_that_is_ended_ends_what_it_has_started(
    run: Run, home: pathlib.Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    as_owner(home, "CREATE TABLE many (n int PRIMARY KEY, body text)")
    as_owner(
        home, "INSERT INTO many SELECT n, repeat('neither good nor bad ', 60) || n FROM generate_series(1, 4000) AS n"
    )
    child = start("score", "many", "--text", "body")
    deadline = time.monotonic() + PATIENCE
    doing = "SELECT 1 FROM undertone.procrastinate_jobs WHERE status = 'doing' AND task_name = 'score_chunk'"
    while not as_owner(home, doing):
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.1)
    assert run("worker", "--check").out == "1 at work\n"
    assert run("worker", "--check", "--queue", "other").line
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode in (1, 130), "130 is Typer's own for an interruption"
    assert b"Traceback" not in err
    assert err.count(b"\n") <= 2
    assert at_work(home) == []
    (found,) = [one for one in run("runs", "--json").json if one["table"] == "public.many"]
    assert found["state"] == "running", "it can be gone on with"
    assert run("runs", "cancel", str(found["run"])).code == 0


def test_who_follows_a_run_that_nobody_does_is_told(
    run: Run, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PATIENCE_SECONDS", 0.0)
    assert run("runs").code == 0, "the store has its tables"
    as_owner(home, "CREATE TABLE waiting (n int PRIMARY KEY, body text)")

    def cancel() -> None:
        while not as_owner(home, "UPDATE undertone.runs SET state = 'cancelled' WHERE queue = 'c d' RETURNING id"):
            time.sleep(0.1)

    thread = threading.Timer(3, cancel)
    thread.start()
    said = run("score", "waiting", "--text", "body", "--queue", "c d")
    thread.join()
    assert said.code == 1
    assert said.err.splitlines() == [
        "no worker is there for the run; start one with: python -m undertone worker --queue 'c d'",
        f"run {said.out.split()[1]} cancelled: see runs",
    ]
    assert "cancelled, 0 of ? rows" in said.out
