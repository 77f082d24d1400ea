"""What `rows` promises: the rows that Tables shows, for scripts: filtered, sorted, page by page or all of them."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import shlex
import urllib.parse
import zipfile

import pyarrow.parquet
import pytest

from tests.unit import command_line
from undertone import conditions, looks

Run = command_line.Run
OPEN = ("--where", "status in open waiting", "--where", "opened_at ge 2026-01-01", "--sort", "-opened_at")


@pytest.fixture(scope="module")
def odd(home: pathlib.Path) -> str:
    """A table whose name and columns are none that a program would choose."""
    command_line.as_owner(
        home,
        'CREATE TABLE "O d.d ""50%" (id int PRIMARY KEY, "a, b" text, "-x" int, doc jsonb);'
        """INSERT INTO "O d.d ""50%" VALUES (1, '=1+1', 3, '{"k": "v w"}'), (2, '', 2, NULL), (3, NULL, 1, '[]')""",
    )
    return 'O d.d "50%'


def test_a_page_leads_to_the_next_and_back(run: Run) -> None:
    first = run("rows", "support_tickets", *OPEN, "--limit", "3", "--columns", "id,status", "--format", "json")
    assert first.code == 0
    assert [sorted(row) for row in first.json] == [["id", "status"]] * 3
    (line,) = first.err.splitlines()
    assert line.startswith("rows after: --after ")
    further = shlex.split(line.split(": ", 1)[1])
    second = run(
        "rows", "support_tickets", *OPEN, "--limit", "3", "--columns", "id,status", "--format", "json", *further
    )
    assert len({row["id"] for row in first.json + second.json}) == 6
    back = shlex.split(second.err.splitlines()[0].split(": ", 1)[1])
    assert back[0] == "--before"
    again = run("rows", "support_tickets", *OPEN, "--limit", "3", "--columns", "id,status", "--format", "json", *back)
    assert again.json == first.json
    last = run("rows", "support_tickets", *OPEN, "--limit", "3", "--end", "--format", "jsonl")
    assert last.err.startswith("rows before: --before ")
    assert "rows after" not in last.err
    assert len(last.out.splitlines()) == 3


def test_all_rows_are_those_of_the_pages(run: Run, tmp_path: pathlib.Path) -> None:
    count = int(run("rows", "support_tickets", *OPEN, "--count").out)
    assert count > 3
    every = run("rows", "support_tickets", *OPEN, "--all", "--format", "jsonl")
    rows = [json.loads(line) for line in every.out.splitlines()]
    assert len(rows) == count
    assert {row["status"] for row in rows} == {"open", "waiting"}
    times = [row["opened_at"] for row in rows]
    assert times == sorted(times, reverse=True)
    paged = run("rows", "support_tickets", *OPEN, "--limit", str(count), "--format", "json").json
    assert [row["id"] for row in paged] == [row["id"] for row in rows]
    asked = run("query", run("rows", "support_tickets", *OPEN, "--sql").out, "--format", "json")
    assert [row["id"] for row in asked.json] == [row["id"] for row in rows]
    (logged, *_) = run("history", "--json", "--limit", "1").json
    assert logged["statement"].startswith("SELECT *\nFROM support_tickets\nWHERE status IN ('open', 'waiting')")

    some = run("rows", "support_tickets", *OPEN, "--all", "--limit", "2", "--columns", "id")
    assert [row[0] for row in csv.reader(io.StringIO(some.out))] == ["id", *(str(row["id"]) for row in rows[:2])]
    for name in ("a.csv", "a.parquet", "a.xlsx"):
        assert run("rows", "support_tickets", *OPEN, "--output", str(tmp_path / name)).code == 0
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").num_rows == count
    assert zipfile.is_zipfile(tmp_path / "a.xlsx")
    assert len((tmp_path / "a.csv").read_text().splitlines()) > count


def test_conditions_are_read_as_a_shell_reads(run: Run, odd: str) -> None:
    for given, expected in (
        (("id = 2",), [2]),
        (("id != 2",), [1, 3]),
        (('"a, b" = =1+1',), [1]),
        (('"a, b" eq ""',), [2]),
        (("'a, b' null",), [3]),
        (("-x >= 2",), [1, 2]),
        (("doc path '$.k == \"v w\"'",), [1]),
        (("doc haskey k", "id in 3 4"), []),
        (('[["id","eq","1"],["or",["id","eq","3"],["id","eq","1"]]]',), [1]),
    ):
        where = [part for text in given for part in ("--where", text)]
        found = run("rows", odd, *where, "--format", "json")
        assert [row["id"] for row in found.json] == expected, given
    either = run("rows", odd, "--where", "doc haskey k", "--where", "id in 3 4", "--any", "--format", "json").json
    assert [row["id"] for row in either] == [1, 3]
    sorted_ = run("rows", odd, "--sort", "+-x", "--columns", '"a, b",id', "--format", "json").json
    assert sorted_[0] == {"a, b": None, "id": 3}
    assert [row["id"] for row in run("rows", odd, "--search", "=1", "--format", "json").json] == [1]
    assert run("rows", odd, "--where", "id < 0").out.split()[0] == "id"


def test_a_link_opens_the_same_rows(run: Run, odd: str) -> None:
    said = run(
        "rows", "support_tickets", *OPEN, "--search", "a b", "--columns", "id", "--zone", "Europe/Berlin", "--link"
    )
    page, parameters = said.out.strip().split("?")
    assert page == "tables"
    look, troubles = looks.read(dict(urllib.parse.parse_qsl(parameters)))
    assert troubles == []
    assert (look.table, look.search, look.sorts, look.columns) == (
        "support_tickets",
        "a b",
        (looks.Sort("opened_at", True),),
        ("id",),
    )
    assert conditions.words(look.where) == (
        "status is one of open, waiting and opened_at is at least 2026-01-01 00:00:00+01:00"
    )
    assert "O%20d.d" in run("rows", odd, "--link").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--where", "status"), "COLUMN OPERATOR"),
        (("--where", "status is open"), "no operator"),
        (("--where", "status eq"), "takes one value"),
        (("--where", "status eq 'open"), "cannot be read"),
        (("--where", "[1]"), "no link"),
        (("--after", "17"), "--after takes a place"),
        (("--after", '["1"]', "--end"), "there can be one"),
        (("--all", "--format", "table"), "all rows are written as"),
        (("--output", "rows.txt"), "--output needs"),
        (("--columns", " "), "columns is empty"),
        (("--limit", "0"), "limit"),
    ],
)
def test_wrong_usage_says_what_is_right(run: Run, arguments: tuple[str, ...], says: str) -> None:
    said = run("rows", "support_tickets", *arguments)
    assert said.code == 2
    assert said.raw == b""
    assert says in " ".join(said.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere",), "no table or view"),
        (("support_tickets", "--where", "opened_at ge soonish"), '"opened_at": "soonish" is no value of timestamp'),
        (("support_tickets", "--where", "topic last 2 days"), "does not go with that"),
        (("support_tickets", "--where", "nothing null"), "no column"),
        (("support_tickets", "--sort", "nothing", "--link"), "no column"),
        (("support_tickets", "--columns", "nothing", "--all"), "no column"),
        (("support_tickets", "--where", "opened_at ge 2026-01-01", "--zone", "Mars/Here"), "no time zone"),
        (("support_tickets", "--after", '["x"]'), "no such place"),
        (("support_tickets", "--search", "x" * 501), "At most 16 words"),
        (("support_tickets", "--where", f"topic eq {'x' * 7000}", "--link"), "too long for a link"),
        (("support_tickets", "--where", "topic regex (((x{9}){9}){9}){9}$", "--count", "--timeout", "0.001"), "second"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(run: Run, arguments: tuple[str, ...], says: str) -> None:
    assert says in run("rows", *arguments).line
