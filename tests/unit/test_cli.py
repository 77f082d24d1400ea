"""What the command line promises: exit codes, one clear line for an error, answers that programs can read."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pyarrow.parquet
import pytest

from undertone import cli, cli_sql, database, embedded, library, output, parameters

ROOT = pathlib.Path(__file__).parent.parent.parent
PATIENCE = 120.0
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclasses.dataclass
class Answer:
    """What a command has said, and how it ended."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def line(self) -> str:
        """The one line of an error."""
        assert self.code == 1, self
        assert self.raw == b"", self
        assert self.err.endswith("\n"), self
        assert self.err.count("\n") == 1, self
        assert "Traceback" not in self.err
        return self.err.strip()


Run = Callable[..., Answer]


@pytest.fixture(scope="module")
def home() -> Iterator[pathlib.Path]:
    # Not pytest's tmp_path, which is closed to the account that runs the server.
    path = pathlib.Path(tempfile.mkdtemp(prefix="undertone-home-", dir="/tmp"))
    path.chmod(0o755)
    server = embedded.EmbeddedServer(path)
    server.start()  # kept, so that not every command starts it anew
    yield path
    for process in at_work(path):  # none, unless a test has failed
        process.kill()
    server.release()
    assert not server.running()
    shutil.rmtree(path)


@pytest.fixture
def run(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Run]:
    """Run a command in this process, as `python -m undertone` does."""
    monkeypatch.setenv("UNDERTONE_HOME", str(home))
    monkeypatch.setenv("UNDERTONE_THREADS", "1")
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def call(*arguments: str, stdin: bytes = b"", **environment: str) -> Answer:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["undertone", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            with pytest.raises(SystemExit) as ended:
                cli.main()
        sys.stdout.flush()
        said = capfdbinary.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err.decode())

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def start(home: pathlib.Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a command as a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def call(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-m", "undertone", *arguments],
            cwd=ROOT,
            env={**os.environ, "UNDERTONE_HOME": str(home), "UNDERTONE_THREADS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(child)
        return child

    yield call
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()


def as_owner(home: pathlib.Path, statement: str) -> list[tuple[Any, ...]]:
    """Ask or change the embedded database behind the command line's back."""
    server = embedded.EmbeddedServer(home)
    server.start()
    pool = database.Database(server.address(embedded.OWNER), name="store", size=1)
    try:
        with pool.lend() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows
    finally:
        pool.close()
        server.release()


def at_work(home: pathlib.Path) -> list[psutil.Process]:
    """Undertone's processes of this home, but for this one; the server has no such variable."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            program = pathlib.Path(process.exe()).name
            if process.environ().get("UNDERTONE_HOME") == str(home) and program != "postgres":
                found.append(process)
    return [process for process in found if process.pid != os.getpid()]


# --- exit codes and help


def test_exit_codes_of_the_program_itself(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    expected = {("--help",): 0, (): 2, ("frobnicate",): 2, ("tables", "--frobnicate"): 2, ("runs", "999"): 1}
    children = {arguments: start(*arguments) for arguments in expected}
    for arguments, child in children.items():
        out, err = child.communicate(timeout=PATIENCE)
        assert child.returncode == expected[arguments], arguments
        assert b"Traceback" not in err
        if expected[arguments] == 1:
            assert (out, err.decode()) == (b"", "There is no run 999; see all of them with: python -m undertone runs\n")


def test_every_command_has_help(run: Run) -> None:
    shown = run("--help")
    assert shown.code == 0
    for command in ("tables", "query", "saved", "history", "load", "score", "runs", "classify", "worker", "doctor"):
        assert f" {command} " in shown.out
        for option in ("--help", "-h"):
            assert run(command, option).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "SELECT 1", "--limit", "0"),
        ("query", "SELECT 1", "--timeout", "0"),
        ("query", "SELECT 1", "--format", "xml"),
        ("query", "SELECT 1", "--saved", "Table sizes"),
        ("query", "SELECT 1", "--target", "store"),
        ("query", "SELECT 1", "--parameter", "x"),
        ("query", "SELECT 1", "--parameter", "=1"),
        ("query", "SELECT :x", "--parameter", "x:array=1"),
        ("query", "SELECT :x", "--parameter", "y=1"),
        ("query", "SELECT :x", "--null", "y"),
        ("query", "SELECT :x", "--null", "x", "--parameter", "x=1"),
        ("saved", "--restore"),
        ("query", "SELECT 1", "--output", "file.json"),
        ("query", "SELECT 1", "--output", "file.csv", "--format", "table"),
        ("query", "SELECT 1", "--explain", "--format", "csv"),
        ("query", "SELECT 1", "--analyze", "--output", "file.csv"),
        ("history", "--limit", "0"),
        ("saved", "one", "two"),
        ("score",),
        ("score", "reviews"),
        ("load",),
        ("runs", "frobnicate", "1"),
        ("runs", "pause"),
        ("runs", "1", "2"),
        ("runs", "pause", "resume", "1"),
        ("tables", "reviews"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments)
    assert said.code == 2
    assert said.raw == b""
    assert "Usage: " in said.err


# --- asking


def test_tables(run: Run) -> None:
    found = run("tables", "--json")
    assert found.code == 0
    assert found.err == ""
    by_name = {table["label"]: table for table in found.json}
    assert by_name["reviews"]["kind"] == "table"
    assert by_name["reviews"]["rows"] > 100
    shown = run("tables")
    assert shown.code == 0
    assert shown.out.split()[:2] == ["table", "kind"]
    assert all(label in shown.out for label in by_name)


ODD = "SELECT 1 AS n, 'a,\"b\"' AS q, NULL AS nothing, true AS yes, 1.50 AS price, 'é 👍' AS t, ARRAY[1,2] AS a, 2 AS n"


def test_answers_in_every_form(run: Run) -> None:
    header = ["n", "q", "nothing", "yes", "price", "t", "a", "n"]
    row = {"n": 1, "q": 'a,"b"', "nothing": None, "yes": True, "price": "1.50", "t": "é 👍", "a": "{1,2}", "n_2": 2}
    assert run("query", ODD, "--format", "json").json == [row]
    assert run("query", f"{ODD} UNION ALL {ODD}", "--format", "jsonl").out == 2 * (
        json.dumps(row, ensure_ascii=False) + "\n"
    )
    written = list(csv.reader(io.StringIO(run("query", ODD, "--format", "csv").out)))
    assert written == [header, ["1", 'a,"b"', "", "True", "1.50", "é 👍", "{1,2}", "2"]]
    table = pyarrow.parquet.read_table(io.BytesIO(run("query", ODD, "--format", "parquet").raw))
    assert table.to_pylist() == [row]
    assert str(table.schema.field("n").type) == "int32"
    shown = run("query", ODD).out.splitlines()
    assert shown[0].split() == header
    assert 'a,"b"' in shown[2]
    for form in ("table", "csv", "json", "jsonl", "parquet"):
        assert run("query", "SELECT 1 AS n WHERE false", "--format", form).code == 0


def test_a_statement_from_stdin_with_all_its_signs(run: Run) -> None:
    statement = "-- why\nSELECT '100%' AS p, '%s %(x)s' AS q, ':x' AS c, '👍' AS e, 7 % 4 AS m,"
    statement += " '{\"a\":1}'::jsonb ? 'a' AS j;\n"
    row = [{"p": "100%", "q": "%s %(x)s", "c": ":x", "e": "👍", "m": 3, "j": True}]
    for arguments in (("query", "-"), ("query",)):
        assert run(*arguments, "--format", "json", stdin=statement.encode()).json == row
    assert run("query", "--format", "json", "--", statement).json == row
    assert "not valid text" in run("query", stdin=b"SELECT '\xff'").line
    assert "character of value 0" in run("query", stdin=b"SELECT 1 \0").line
    assert run("query", stdin=b"").line


def test_limits(run: Run) -> None:
    cut = run("query", "SELECT n FROM generate_series(1, 1000) AS n", "--limit", "3", "--format", "csv")
    assert (cut.code, cut.out) == (0, "n\n1\n2\n3\n")
    assert cut.err == "only the first 3 rows: the limit of rows was reached\n"
    whole = run("query", "SELECT n FROM generate_series(1, 3) AS n", "--limit", "3", "--format", "csv")
    assert (whole.out, whole.err) == ("n\n1\n2\n3\n", "")
    by_setting = run("query", "TABLE reviews", "--format", "jsonl", UNDERTONE_QUERY_ROWS="2")
    assert by_setting.out.count("\n") == 2
    endless = "SELECT count(*) FROM generate_series(1, 1000000000000)"
    assert "stopped after 0.2 seconds" in run("query", endless, "--timeout", "0.2").line


def test_more_than_the_setting_is_written_as_it_comes(run: Run) -> None:
    many = "SELECT n, 'é' AS t FROM generate_series(1, 5000) AS n"
    expected = [{"n": n, "t": "é"} for n in range(1, 5001)]
    found = run("query", many, "--format", "jsonl", "--limit", "6000", UNDERTONE_QUERY_ROWS="10")
    assert (found.code, found.err) == (0, "")
    assert [json.loads(line) for line in found.out.splitlines()] == expected
    cut = run("query", many, "--format", "csv", "--limit", "4000", UNDERTONE_QUERY_ROWS="10")
    assert cut.out.splitlines() == ["n,t", *(f"{n},é" for n in range(1, 4001))]
    assert cut.err == "only the first 4,000 rows: the limit of rows was reached\n"
    assert entry(run)["outcome"] == "truncated"
    assert "nowhere" in run("query", "SELECT nowhere", "--format", "csv", "--limit", "99999").line


def test_files(run: Run, tmp_path: pathlib.Path) -> None:
    many = "SELECT n, '=1+1' AS t FROM generate_series(1, 3000) AS n"
    for suffix in ("csv", "jsonl", "parquet", "xlsx"):
        file = tmp_path / f"answer.{suffix.upper()}"
        said = run("query", many, "--output", str(file), UNDERTONE_QUERY_ROWS="10")
        assert (said.code, said.raw, said.err) == (0, b"", "")
        content = file.read_bytes()
        assert content[:2] == {"csv": b"\xef\xbb", "jsonl": b'{"', "parquet": b"PA", "xlsx": b"PK"}[suffix]
        other = tmp_path / "answer"
        assert run("query", many, "--output", str(other), "--format", suffix).code == 0
        assert other.exists()
    assert pyarrow.parquet.read_table(tmp_path / "answer.PARQUET").num_rows == 3000
    assert (tmp_path / "answer.CSV").read_text("utf-8-sig").splitlines()[:2] == ["n,t", "1,'=1+1"]
    cut = run("query", many, "--output", str(tmp_path / "cut.jsonl"), UNDERTONE_EXPORT_ROWS="7")
    assert cut.err == "only the first 7 rows: the limit of rows was reached\n"
    assert (tmp_path / "cut.jsonl").read_text().count("\n") == 7
    assert run("query", "SELECT 1 / (5 - n) FROM generate_series(1, 9) AS n", "--output", str(tmp_path / "e.csv")).line
    assert run("query", many, "--output", str(tmp_path / "no" / "where.csv")).line
    assert not list(tmp_path.glob("*e.csv*"))
    assert run("query", "SELECT 1 AS n", "--format", "xlsx").raw[:2] == b"PK"


def entry(run: Run, *arguments: str) -> Any:
    """The newest of the log."""
    return run("history", "--json", "--limit", "1", *arguments).json[0]


def test_parameters(run: Run) -> None:
    def ask(statement: str, *given: str) -> Any:
        arguments = [part for one in given for part in ("--parameter", one)]
        return run("query", statement, "--format", "json", *arguments)

    assert ask("SELECT :n::integer + 1 AS m, :t AS t", "n=41", ":t=a=b").json == [{"m": 42, "t": "a=b"}]
    assert ask("SELECT :n + 1 AS m", "n:integer=41").json == [{"m": 42}]
    assert ask("SELECT :t || ':x' AS t", "t='; DROP TABLE reviews; --").json == [{"t": "'; DROP TABLE reviews; --:x"}]
    assert ask("SELECT :t AS t", "t=").json == [{"t": ""}]
    assert ask("SELECT n FROM generate_series(1, 5) AS n LIMIT :most", "most=1").json == [{"n": 1}]
    assert entry(run)["parameters"] == {"most": None}
    assert ask("SELECT count(*) > 0 AS some FROM reviews WHERE rating >= :least", "least=3").json == [{"some": True}]
    nothing = ("--null", "n", "--null", "d:date")
    assert run(
        "query", "SELECT :n::integer IS NULL AS n, pg_typeof(:d)::text AS d", "--format", "json", *nothing
    ).json == [{"n": True, "d": "date"}]
    assert ":x" in ask("SELECT :x").line
    assert ":n" in ask("SELECT :n::integer", "n=many").line
    assert "many" not in str(entry(run)["message"])


def test_the_scores_are_asked_by_name(run: Run) -> None:
    account = "SELECT current_user::text AS account, has_schema_privilege('scores', 'USAGE') AS may"
    found = [run("query", account, "--format", "json", "--target", target).json[0] for target in ("data", "scores")]
    assert all(one["may"] for one in found)
    assert entry(run)["target"] == "scores"
    assert run("query", "TABLE undertone.audit", "--target", "scores").line


def test_explaining(run: Run) -> None:
    statement = "SELECT count(*) FROM reviews WHERE rating > :least"
    with_value = (statement, "--parameter", "least:integer=3")
    shown = run("query", *with_value, "--explain")
    assert "Aggregate" in shown.out
    assert (shown.code, shown.err) == (0, "")
    assert entry(run)["how"] == "explain"
    measured = run("query", *with_value, "--analyze", "--format", "json")
    assert "Actual Rows" in json.dumps(measured.json)
    assert entry(run)["how"] == "analyze"
    assert entry(run)["statement"] == statement
    assert run("query", "EXPLAIN SELECT 1", "--explain").line
    assert run("query", "DELETE FROM reviews", "--analyze").line


def test_saved_queries(run: Run) -> None:
    listed = run("saved")
    assert listed.code == 0
    assert listed.out.splitlines()[0].split() == ["name", "by", "version", "tags", "description"]
    assert "Newest reviews" in listed.out
    assert [one["name"] for one in run("saved", "--json", "--search", "TABLE siz").json] == ["Table sizes"]
    assert {one["target"] for one in run("saved", "--json", "--tag", "scores").json} == {"data", "scores"}
    shown = run("saved", "newest REVIEWS").out
    assert shown.startswith("Newest reviews\n")
    assert "--parameter days:integer=30\n" in shown
    assert "FROM reviews AS r" in shown
    assert run("saved", "Newest reviews", "--json").json["parameters"]["days"] == {"kind": "integer", "value": "30"}
    all_of_them = run("query", "--saved", "newest reviews", "--parameter", "days=9999", "--format", "json").json
    bad = run(
        *("query", "--saved", "Newest reviews", "--parameter", "days=9999", "--parameter", "stars=1"),
        *("--format", "json"),
    ).json
    assert 0 < len(bad) < len(all_of_them)
    assert {one["rating"] for one in bad} == {1}
    assert run("saved", "no such").line == run("query", "--saved", "no such").line
    assert "There is no saved query called 'no such'" in run("saved", "no such").line


def test_a_removed_query_is_listed_shown_and_brought_back(run: Run) -> None:
    values = {"t": parameters.Value("text", "it's"), "d": parameters.Value("date", None)}
    one = library.Saved(None, "Gone", "", (), "SELECT :t, :d", values, None, "data", 1, "ann", None)
    with cli_sql.opened() as opened, opened.store.lend() as connection:
        kept = library.save(connection, one)
        library.remove(connection, kept.id or 0, who="bob")
    assert "Gone" not in run("saved").out
    assert "No query called 'Table sizes' was removed" in run("saved", "Table sizes", "--restore").line
    assert [(one["name"], one["who"]) for one in run("saved", "--removed", "--json").json] == [("Gone", "bob")]
    assert run("saved", "--removed", "--json", "--search", "other").json == []
    assert "removed in version 2 by bob" in run("saved", "GONE", "--removed").out
    back = run("saved", "gone", "--restore").out
    assert f"version 3 by {cli_sql.account()}" in back
    assert "--parameter 't:text=it'\"'\"'s'" in back
    assert "--null d:date" in back
    assert "Gone" in run("saved").out
    assert run("saved", "--removed", "--json").json == []
    assert run("saved", "Gone", "--restore").line


def test_the_history(run: Run) -> None:
    marker = "SELECT 'a marker: 100%_' AS t"
    assert run("query", marker).code == 0
    assert run("query", f"{marker} FROM nowhere").line
    assert run("query", f"DROP {marker}").line
    found = run("history", "--json", "--search", "A MARKER: 100%_").json
    assert [(one["statement"], one["outcome"]) for one in found] == [
        (f"DROP {marker}", "refused"),
        (f"{marker} FROM nowhere", "failed"),
        (marker, "answered"),
    ]
    assert {(one["who"], one["how"], one["target"]) for one in found} == {
        (pwd.getpwuid(os.geteuid()).pw_name, "command", "data")
    }
    assert run("history", "--json", "--search", "100x").json == []
    shown = run("history", "--limit", "1").out.splitlines()
    assert shown[0].split() == ["at", "who", "how", "asked", "outcome", "seconds", "rows", "statement"]
    assert len(shown) == 3


def test_the_history_is_ones_own_unless_everybodys_is_asked_for(run: Run, home: pathlib.Path) -> None:
    assert run("query", "SELECT 1").code == 0
    as_owner(
        home,
        "INSERT INTO undertone.audit (who, how, target, database, statement, ends_by, host, process,"
        " process_began) VALUES ('somebody else', 'page', 'data', 'x', 'theirs', now(), 'h', 1, 1)",
    )
    assert "theirs" not in run("history", "--json").out
    assert entry(run, "--everybody")["statement"] == "theirs"
    assert entry(run, "--everybody")["outcome"] == "lost"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reviews",
        "SELECT 1; DELETE FROM reviews",
        "WITH gone AS (DELETE FROM reviews RETURNING 1) SELECT * FROM gone",
        "CREATE TABLE t (i int)",
        "EXPLAIN ANALYZE DELETE FROM reviews",
        "SELECT pg_sleep(100)",
        "TABLE undertone.runs",
        "COMMIT",
        "SELECT 1 FROM nowhere",
        "SELEC 1",
    ],
)
def test_what_is_refused_is_one_line_and_changes_nothing(run: Run, statement: str) -> None:
    count = "SELECT count(*) AS n FROM reviews"
    before = run("query", count, "--format", "csv").out
    assert run("query", statement).line
    assert run("query", stdin=statement.encode()).line
    assert run("query", count, "--format", "csv").out == before


def test_nobody_sees_the_password_of_a_broken_address(run: Run) -> None:
    for address in (
        "postgresql://somebody:hunter2@127.0.0.1:1/nowhere",
        "postgresql://somebody:hunter2@no.such.host.invalid/nowhere",
        "postgresql://somebody:hunter2@127.0.0.1:port/nowhere",
        "mysql://somebody:hunter2@127.0.0.1/nowhere",
        "somebody:hunter2",
    ):
        for command in (("tables",), ("query", "SELECT 1"), ("score", "reviews", "--text", "body"), ("runs",)):
            name = "STORE_URL" if command == ("runs",) else "DATABASE_URL"
            said = run(*command, **{name: address})
            assert "hunter2" not in said.line
        said = run("doctor", "--json", STORE_URL=address)
        assert said.code == 1
        assert "hunter2" not in said.err + said.out
        assert "Traceback" not in said.err


def test_doctor_finds_all_in_order(run: Run) -> None:
    found = run("doctor", "--json")
    assert found.code == 0, found.out + found.err
    findings = {finding["what"]: finding for finding in found.json}
    assert all(finding["good"] and finding["found"] for finding in findings.values())
    assert {"settings", "embedded server", "data", "store", "account", "model", "nothing was left behind"} <= set(
        findings
    )


def test_a_reader_who_has_had_enough(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    much = ("query", "SELECT n, repeat('x', 100) FROM generate_series(1, 9000) AS n", "--format", "csv")
    children = [start(*much), start("tables", "--json"), start("query", "SELECT 1")]
    stdout = children[0].stdout
    assert stdout is not None
    assert stdout.readline() == b"n,repeat\n"
    for child in children:
        assert child.stdout is not None
        child.stdout.close()
    for child in children:
        assert child.stderr is not None
        said = child.stderr.read().decode()
        child.wait(PATIENCE)
        assert said == "", child.args


# --- scoring


def test_a_file_becomes_a_table_and_its_texts_get_scores(run: Run, tmp_path: pathlib.Path) -> None:
    texts = [("I love it, thank you so much!", "good"), ("Terrible, I want my money back.", "bad"), ("", "none")]
    file = tmp_path / "Some Texts.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("nr", "body", "expected"))
        writer.writerows((n, *texts[n % 3]) for n in range(300))
    loaded = run("load", str(file), "--key", "nr", "--json")
    assert (loaded.code, loaded.json["table"], loaded.json["rows"]) == (0, "some_texts", 300)
    assert "already a table" in run("load", str(file)).line

    done = run("score", "some_texts", "--text", "body", "--context", "expected", "--json", UNDERTONE_CHUNK_ROWS="70")
    assert done.code == 0, done.err
    number = done.json["run"]
    expected = {
        "run": number,
        "state": "finished",
        "table": "public.some_texts",
        "text": "body",
        "key": ["nr"],
        "context": ["expected"],
        "scores": "scores.some_texts",
        "rows": 300,
        "rows_total": 300,
        "scored": 200,
        "unchanged": 0,
        "empty": 100,
        "chunks": 5,
        "chunks_failed": 0,
        "error": None,
        "labels": {"NEGATIVE": 100, "POSITIVE": 100},
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
    assert shown[1:] == [
        "scored 200 · unchanged 0 · empty 100 · truncated 0",
        "in scores.some_texts: NEGATIVE 100, POSITIVE 100",
    ]


def test_what_cannot_be_scored_is_one_line(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE OR REPLACE VIEW no_key AS SELECT 'good' AS body, 1 AS n")
    assert 'no table or view "nowhere"' in run("score", "nowhere", "--text", "body").line
    assert "reviews has no column 'nowhere'" in run("score", "reviews", "--text", "nowhere").line
    assert "holds no text" in run("score", "no_key", "--text", "n").line
    assert "no_key has no primary key" in run("score", "no_key", "--text", "body").line


def test_runs_are_paused_resumed_and_cancelled(run: Run, home: pathlib.Path) -> None:
    as_owner(home, "CREATE TABLE some_runs AS SELECT 'good' AS body, n FROM generate_series(1, 10) AS n")
    begun = run("score", "some_runs", "--text", "body", "--key", "n", "--no-wait", "--json")
    assert (begun.code, begun.json["state"], begun.json["labels"]) == (0, "planned", {})
    number = str(begun.json["run"])
    assert "has not ended" in run("score", "some_runs", "--text", "body", "--key", "n").line
    for action, state in (("pause", "paused"), ("resume", "planned"), ("pause", "paused"), ("cancel", "cancelled")):
        changed = run("runs", action, number, "--json")
        assert (changed.code, changed.json["state"]) == (0, state)
    assert run("runs", "cancel", number).line == f"Run {number} is cancelled: it cannot cancel. It needs nothing more."
    assert run("runs", number, "retry").line == f"Run {number} is cancelled: it cannot retry. It needs nothing more."
    assert run("runs", number).out.startswith(f"Run {number} over some_runs · body: cancelled, 0 of ? rows")
    for unknown in ("999", "0", "9" * 30):
        assert run("runs", unknown).line
        assert run("runs", "pause", unknown).line
    assert run("worker", "--check").line == "no worker is at work; start one with: python -m undertone worker"


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
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=PATIENCE)
    assert child.returncode in (1, 130), "130 is Typer's own for an interruption"
    assert b"Traceback" not in err
    assert err.count(b"\n") <= 2
    assert at_work(home) == []
    (found,) = [one for one in run("runs", "--json").json if one["table"] == "public.many"]
    assert found["state"] == "running", "it can be gone on with"
    assert run("runs", "cancel", str(found["run"])).code == 0


# --- classifying


def test_texts_are_classified_from_arguments_and_from_stdin(run: Run) -> None:
    texts = ["I love it, thank you!", "", "👍 % :x", "Terrible service, never again."]
    told = run("classify", *texts)
    assert told.code == 0, told.err
    found = [json.loads(line) for line in told.out.splitlines()]
    assert [one["text"] for one in found] == texts
    assert [found[0]["label"], found[3]["label"]] == ["POSITIVE", "NEGATIVE"]
    assert (found[1]["label"], found[1]["reason"], found[1]["confidence"]) == (None, "empty", None)
    assert found[2]["reason"] is None
    names = {"text", "label", "confidence", "probabilities", "truncated", "reason", "share"}
    assert all(set(one) == names for one in found)
    piped = run("classify", stdin=("\r\n".join(texts) + "\r\n").encode())
    assert (piped.code, piped.out) == (0, told.out)
    broken = run("classify", stdin=b"caf\xe9 is great\nno end of line")
    assert [json.loads(line)["text"] for line in broken.out.splitlines()] == ["caf\ufffd is great", "no end of line"]
    assert run("classify", stdin=b"").out == ""
    assert run("classify", "good", "--model", "/nowhere/at/all").line


def test_cells_reach_a_terminal_without_their_orders(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("a", "b"), [("\x1b[31mred\x07", "x" * 100), (None, "line\nbreak"), (1234567890123456789, "007")])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "x" * (output.CELL - 1) + "…" in shown
    assert "line break" in shown
    assert "1234567890123456789" in shown
    assert "007" in shown
