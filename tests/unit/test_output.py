"""What the command line's output promises: people get aligned tables, programs get every value as it was."""

from __future__ import annotations

import csv
import datetime
import io
import json
import subprocess
import sys
from collections.abc import Sequence

import pyarrow.parquet
import pytest

from undertone import console, output, units

# What a statement can answer: None, bool, int, float and text.
COLUMNS = (
    ("nothing", "text"),
    ("truth", "boolean"),
    ("count", "bigint"),
    ("share", "double precision"),
    ("price", "numeric"),
    ("words", "text"),
)
ROWS: list[tuple[object, ...]] = [
    (None, True, 2**62, 0.1, "12.3400", 'two\nlines, a "quote", a comma; ä€😀'),
    (None, False, -1, 1e-300, "-0.00000000000000000001", ""),
    (None, None, None, None, None, None),
]


def answer(columns: Sequence[tuple[str, str]] = COLUMNS, rows: Sequence[tuple[object, ...]] = ROWS) -> console.Result:
    return console.Result(tuple(console.Column(*column) for column in columns), list(rows), None, 0.1)


# For people


def test_a_table_is_aligned_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    result = answer([("name", "text"), ("rows", "bigint")], [("kettle", 5), ("007", 12345), (None, None)])
    output.result(result, "table")
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["name      rows", "------  ------", "kettle       5", "007      12345", ""]


def test_a_text_that_looks_like_a_number_stays_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("code", "x"), [("007", "1e5"), ("1.50", "0x1F")])
    printed = capsys.readouterr().out
    for text in ("007", "1.50", "1e5", "0x1F"):
        assert text in printed.split()


def test_a_terminal_is_given_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(
        ("a\x1b[2J",), [("red \x1b[31m\x07 bell",), ("back\x08space",), ("\u202eright to left",), ("a\r\nb\tc",)]
    )
    printed = capsys.readouterr().out
    assert not [letter for letter in printed if not letter.isprintable() and letter != "\n"]
    assert "red �[31m� bell" in printed
    assert "a b c" in printed


def test_a_long_value_is_cut_and_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("text",), [("x" * 60,), ("y" * 61,)])
    *_, whole, cut = capsys.readouterr().out.splitlines()
    assert whole == "x" * 60
    assert cut == "y" * 59 + "…"


def test_a_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("one", "two"), [], right=(1,))
    header, rule = capsys.readouterr().out.splitlines()
    assert header.split() == ["one", "two"]
    assert set(rule) == {"-", " "}


# For programs


def test_csv_round_trips(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    output.result(answer(), "csv")
    header, *rows = csv.reader(io.StringIO(capsysbinary.readouterr().out.decode(), newline=""))
    assert header == [name for name, _ in COLUMNS]
    assert rows == [["" if value is None else str(value) for value in row] for row in ROWS]


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_round_trips(form: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    output.result(answer(), form)
    printed = capsysbinary.readouterr().out.decode()
    found = json.loads(printed) if form == "json" else [json.loads(line) for line in printed.splitlines()]
    assert [tuple(row.values()) for row in found] == ROWS
    assert [tuple(map(type, row.values())) for row in found] == [tuple(map(type, row)) for row in ROWS]
    assert "😀" in printed  # readable as it is


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_is_strict_where_a_number_is_none(form: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    values = ("nan", "inf", "-inf")
    names = ["NaN", "Infinity", "-Infinity"]
    output.result(
        answer([(name, "double precision") for name in names], [tuple(float(value) for value in values)]), form
    )

    def refuse(constant: str) -> object:
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(capsysbinary.readouterr().out, parse_constant=refuse)
    assert (found[0] if form == "json" else found) == {name: name for name in names}


def test_parquet_round_trips(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    output.result(answer(), "parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(capsysbinary.readouterr().out))
    assert table.column_names == [name for name, _ in COLUMNS]
    assert [tuple(row.values()) for row in table.to_pylist()] == ROWS
    assert [str(field.type) for field in table.schema] == ["string", "bool", "int64", "double", "string", "string"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("smallint", -(2**15)), ("integer", 2**31 - 1), ("real", 0.5), ("oid", 4_294_967_295), ("oid", None)],
)
def test_parquet_holds_every_number(kind: str, value: object, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    output.result(answer([("it", kind)], [(value,)]), "parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(capsysbinary.readouterr().out))
    assert table.column("it").to_pylist() == [value]


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "table"])
def test_an_answer_without_rows_is_one(form: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    output.result(answer(rows=[]), form)
    printed = capsysbinary.readouterr().out
    if form == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(printed)).shape == (0, len(COLUMNS))
    elif form == "json":
        assert json.loads(printed) == []
    else:
        assert len(printed.splitlines()) == {"csv": 1, "jsonl": 0, "table": 2}[form]


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
def test_equal_names_are_told_apart(form: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    names = ["a", "a", "a_2", "", "?column?", "", "a"]
    output.result(answer([(name, "integer") for name in names], [tuple(range(7))]), form)
    printed = capsysbinary.readouterr().out
    if form == "parquet":
        row = pyarrow.parquet.read_table(io.BytesIO(printed)).to_pylist()[0]
    else:
        row = json.loads(printed)[0] if form == "json" else json.loads(printed)
    assert sorted(row.values()) == list(range(7))
    assert row["a"] == 0
    assert row["a_2"] in (1, 2)
    assert row["?column?"] == 4


@pytest.mark.parametrize("text", ["\ud83d alone", "\ud83d\ude00", "plain ä"])
def test_a_lone_surrogate_does_not_break_a_line_of_json(text: str) -> None:
    line = output.line({"text": text})
    assert json.loads(line.encode()) == {"text": text} or json.loads(line.encode())["text"] == "😀"
    assert "\n" not in line


def test_a_moment_is_shown_in_this_machines_zone() -> None:
    moment = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC)
    assert output.time(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M")
    assert output.time(None) == ""


# Streams


def test_lines_of_stdin_lose_their_ends_and_nothing_else() -> None:
    code = "from undertone import output; print(list(output.stdin_lines()))"
    given = b" one \r\ntwo\n\n\xff bad\n\xe2\x80\xa8in a line\nlast"
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True)
    assert done.stdout.decode().strip() == str([" one ", "two", "", "\ufffd bad", "\u2028in a line", "last"])


def test_batches_are_whole_and_in_order() -> None:
    assert list(output.batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(output.batches([], 3)) == []


def test_progress_is_silent_away_from_a_terminal_where_the_work_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    progress = output.Progress("rows")
    for done in range(1000):
        progress.show(done, 1000)
    progress.end()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


# Units


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, ""),
        (0, "0 B"),
        (1, "1 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (8192, "8.2 kB"),
        (12_345, "12 kB"),
        (999_400, "999 kB"),
        (64_000_000, "64 MB"),
        (1_500_000_000, "1.5 GB"),
        (2_500_000_000_000, "2,500 GB"),
    ],
)
def test_a_size_in_human_units(count: int | None, shown: str) -> None:
    assert units.size(count) == shown


@pytest.mark.parametrize("count", [9_960, 9_960_000, 999_600, 999_999_999, 9_990_000_000, 999_999])
def test_a_size_never_shows_what_the_next_unit_is_for(count: int) -> None:
    number, _ = units.size(count).split()
    assert float(number) < 1000
    assert not (number.endswith(".0") and float(number) >= 10)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (30, "30 s"),
        (60, "1 min 0 s"),
        (125.4, "2 min 5 s"),
        (3600, "1 h 0 min"),
        (7265, "2 h 1 min"),
        (100_000, "27 h 46 min"),
    ],
)
def test_a_duration_in_human_units(seconds: float | None, shown: str) -> None:
    assert units.duration(seconds) == shown


@pytest.mark.parametrize("seconds", [9.96, 59.6, 119.7, 3599.7, 3659.9, 7199.9])
def test_a_duration_never_shows_what_the_next_unit_is_for(seconds: float) -> None:
    shown = units.duration(seconds)
    assert "60" not in shown
    assert shown != "10.0 s"


@pytest.mark.parametrize(("number", "shown"), [(0, "0 rows"), (1, "1 row"), (2000, "2,000 rows")])
def test_one_is_not_many(number: int, shown: str) -> None:
    assert units.count(number, "row") == shown
