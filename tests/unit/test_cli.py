"""What the command line promises: exit codes, one clear line for an error, answers that programs can read."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import pwd
import subprocess
from collections.abc import Callable
from typing import Any

import pyarrow.parquet
import pytest

from tests.unit.command_line import PATIENCE, Run, as_owner
from undertone import cli, cli_sql, library, output, parameters

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
    commands = [command.name or getattr(command.callback, "__name__", "") for command in cli.app.registered_commands]
    assert {"tables", "query", "score", "watches", "current", "export", "publish", "worker"} <= set(commands)
    for command in commands:
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
        ("load",),
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
