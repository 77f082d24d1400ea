"""Files of answers: nothing in a value is lost, nothing runs, and a file is there whole or not at all."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
import math
import pathlib
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

import pyarrow
import pyarrow.parquet
import pytest

from undertone import console, database, export, export_excel, export_parquet, names

NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ["=1+1", "-2+3+cmd|' /C calc'!A0", " =1", "\uff1d1"]
# A type, a value of it, and what JSON lines make of that.
VALUES: list[tuple[str, Any, Any]] = [
    ("integer", -1, -1),
    ("bigint", 2**62, 2**62),
    ("double precision", 1.5, 1.5),
    ("double precision", 1e20, 1e20),
    ("double precision", math.nan, "NaN"),
    ("double precision", -math.inf, "-Infinity"),
    ("numeric", "12.50", 12.5),
    ("numeric", "-0.001", -0.001),
    ("numeric", "NaN", "NaN"),
    ("numeric", "1" * 1000, int("1" * 1000)),
    ("boolean", True, True),
    ("boolean", False, False),
    ("text", "", ""),
    ("text", "ä€😀\r\n\t\x00\"',;", "ä€😀\r\n\t\x00\"',;"),
    ("text", "\ud83d alone", "\ud83d alone"),
    ("text", "NaN", "NaN"),
    ("date", "infinity", "infinity"),
    ("timestamp with time zone", "0044-03-15 00:00:00+00:53:28 BC", "0044-03-15 00:00:00+00:53:28 BC"),
    ("time without time zone", "24:00:00", "24:00:00"),
    ("jsonb", '{"a": [1, null, "x"]}', {"a": [1, None, "x"]}),
    ("json", '{"a":\r\n 1}', {"a": 1}),
    ("jsonb", "null", None),
    ("integer[]", "{1,NULL}", "{1,NULL}"),
    ("bytea", "\\x00ff", "\\x00ff"),
]


def rows_of(types: Sequence[str], *batches: list[tuple[Any, ...]], called: Sequence[str] = ()) -> export.Batches:
    titles = called or [f"c{index}" for index in range(len(types))]
    return export.Batches([console.Column(*pair) for pair in zip(titles, types, strict=True)], batches)


def written(folder: pathlib.Path, answer: export.Rows, format: str, **more: Any) -> bytes:
    path = folder / f"answer.{format}"
    export.write(answer, format, path, **more)
    return path.read_bytes()


def csv_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def json_rows(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.decode().split("\n")[:-1]]


def table(content: bytes) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(content))


def sheets(content: bytes) -> list[dict[str, tuple[str, str]]]:
    """Each sheet's cells: by address, kind and text."""
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert all(ElementTree.fromstring(archive.read(name)) is not None for name in archive.namelist())
        for name in sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")):
            cells = ElementTree.fromstring(archive.read(name)).iter(f"{NAMESPACE}c")
            found.append({cell.get("r", ""): (cell.get("t", "n"), "".join(cell.itertext())) for cell in cells})
    return found


@pytest.mark.parametrize(("type", "value", "expected"), VALUES)
def test_a_value_is_in_every_file_what_postgresql_means(
    tmp_path: pathlib.Path, type: str, value: Any, expected: Any
) -> None:
    # Beside others, so that it goes every way that a column's values may go together.
    for batch in ([(value, 1)], [(None, 1), (value, 2)]):
        answer = rows_of([type, "integer"], batch)
        text = str(value).lower() if isinstance(value, bool) else str(expected) if expected == "NaN" else None
        content = written(tmp_path, answer, "csv")
        if isinstance(value, str):
            assert csv_rows(content)[-1][0] == value.encode(errors="replace").decode()
        elif isinstance(value, bool):
            assert csv_rows(content)[-1][0] == text
        else:
            read = float(csv_rows(content)[-1][0]) if isinstance(value, float) else int(csv_rows(content)[-1][0])
            assert read == value or (math.isnan(value) and math.isnan(read))
        assert json_rows(written(tmp_path, answer, "jsonl"))[-1]["c0"] == expected
        stored = table(written(tmp_path, answer, "parquet")).column("c0").to_pylist()[-1]
        if isinstance(value, float) and math.isnan(value):
            assert math.isnan(stored)
        elif isinstance(stored, decimal.Decimal):
            assert stored == decimal.Decimal(value)
        else:
            assert stored == (value.encode(errors="replace").decode() if isinstance(value, str) else value)
        assert sheets(written(tmp_path, answer, "xlsx"))[0][f"A{len(batch) + 1}"] is not None


def test_null_is_apart_from_empty(tmp_path: pathlib.Path) -> None:
    answer = rows_of(["text", "text"], [(None, ""), ("", None)])
    assert written(tmp_path, answer, "csv") == b'\xef\xbb\xbfc0,c1\r\n,""\r\n"",\r\n'
    assert json_rows(written(tmp_path, answer, "jsonl")) == [{"c0": None, "c1": ""}, {"c0": "", "c1": None}]
    assert table(written(tmp_path, answer, "parquet")).column("c0").to_pylist() == [None, ""]
    cells = sheets(written(tmp_path, answer, "xlsx"))[0]
    assert cells["B2"] == ("inlineStr", "")
    assert "A2" not in cells


@pytest.mark.parametrize("text", FORMULAS)
def test_nothing_runs_in_a_spreadsheet(tmp_path: pathlib.Path, text: str) -> None:
    answer = rows_of(["text"], [(text,)], called=[text])
    assert csv_rows(written(tmp_path, answer, "csv")) == [["'" + text], ["'" + text]]
    content = written(tmp_path, answer, "xlsx")
    assert sheets(content)[0] == {"A1": ("inlineStr", text), "A2": ("inlineStr", text)}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
        assert archive.read("xl/styles.xml").count(b'quotePrefix="1"') == 2
    for format in ("jsonl", "parquet"):
        assert b"'" + text.encode() not in written(tmp_path, answer, format)


def test_formulas_stay_where_a_setting_says_so(tmp_path: pathlib.Path) -> None:
    answer = rows_of(["text"], [("=1",)])
    assert csv_rows(written(tmp_path, answer, "csv", neutralise=False))[1] == ["=1"]


@pytest.mark.parametrize(("type", "text"), [("interval", "-1 days"), ("numeric", "-12.50"), ("money", "-$5.00")])
def test_what_the_server_itself_writes_is_no_formula(tmp_path: pathlib.Path, type: str, text: str) -> None:
    assert csv_rows(written(tmp_path, rows_of([type], [(text,)]), "csv"))[1] == [text]


def test_columns_of_one_name_are_told_apart_where_they_must_be(tmp_path: pathlib.Path) -> None:
    answer = rows_of(["integer"] * 4, [(1, 2, 3, 4)], called=["a", "a", "", 'x"%s'])
    assert csv_rows(written(tmp_path, answer, "csv"))[0] == ["a", "a", "", 'x"%s']
    assert json_rows(written(tmp_path, answer, "jsonl")) == [{"a": 1, "a_2": 2, "column": 3, 'x"%s': 4}]
    assert table(written(tmp_path, answer, "parquet")).column_names == ["a", "a_2", "column", 'x"%s']


def test_names_are_told_apart_from_those_that_look_like_it() -> None:
    assert names.unique(["a", "a", "a (2)", "", ""]) == ["a", "a (2)", "a (2) (2)", "column", "column (2)"]
    assert len(set(names.unique(["a"] * 1_600 + [f"a ({n})" for n in range(1_600)]))) == 3_200


@pytest.mark.parametrize("format", export.FORMATS)
def test_an_answer_without_rows_has_its_columns(tmp_path: pathlib.Path, format: str) -> None:
    content = written(tmp_path, rows_of(["integer", "date"]), format)
    if format == "csv":
        assert csv_rows(content) == [["c0", "c1"]]
    elif format == "jsonl":
        assert content == b""
    elif format == "parquet":
        assert table(content).schema.types == [pyarrow.int32(), pyarrow.date32()]
    else:
        assert sheets(content)[0].keys() == {"A1", "B1"}


def test_an_answer_without_columns_has_its_rows(tmp_path: pathlib.Path) -> None:
    answer = rows_of([], [(), ()])
    assert written(tmp_path, answer, "csv") == b"\xef\xbb\xbf\r\n\r\n\r\n"
    assert json_rows(written(tmp_path, answer, "jsonl")) == [{}, {}]
    assert sheets(written(tmp_path, answer, "xlsx")) == [{}]
    with pytest.raises(export.ExportError, match="without columns"):
        written(tmp_path, answer, "parquet")


@pytest.mark.parametrize("format", export.FORMATS)
def test_the_widest_answer_is_written(tmp_path: pathlib.Path, format: str) -> None:
    answer = rows_of(["text"] * 1_600, [("x",) * 1_600] * 3)
    assert export.write(answer, format, tmp_path / "wide") == 3


# Parquet


@pytest.mark.parametrize(
    ("type", "values", "expected"),
    [
        ("date", ["0001-01-01", None, "9999-12-31"], pyarrow.date32()),
        ("date", ["2024-01-01", "infinity"], pyarrow.string()),
        ("date", ["2024-01-01", "0044-03-15 BC"], pyarrow.string()),
        ("date", ["10000-01-01"], pyarrow.string()),
        ("timestamp without time zone", ["2024-01-01 00:00:00.5", "2024-01-01 00:00:00"], pyarrow.timestamp("us")),
        ("timestamp without time zone", ["-infinity"], pyarrow.string()),
        ("timestamp with time zone", ["2024-01-01 00:00:00+05:30"], pyarrow.timestamp("us", "UTC")),
        ("timestamp with time zone", ["1890-01-01 00:00:00+00:53:28"], pyarrow.string()),
        ("numeric", ["-12.50", "1000", None, "0.125"], pyarrow.decimal128(7, 3)),
        ("numeric", ["1.5", "NaN"], pyarrow.string()),
        ("numeric", ["9" * 39], pyarrow.string()),
        ("numeric", ["9" * 38], pyarrow.decimal128(38, 0)),
        ("numeric", [None], pyarrow.decimal128(1, 0)),
        ("text", ["1"], pyarrow.string()),
    ],
)
def test_a_column_has_its_type_where_every_value_fits(
    tmp_path: pathlib.Path, type: str, values: list[str | None], expected: pyarrow.DataType
) -> None:
    # The last value alone may be the one that does not fit, in a row group of its own.
    answer = rows_of([type], *([(value,)] for value in values))
    found = table(written(tmp_path, answer, "parquet"))
    assert found.schema.types == [expected]
    assert len(found) == len(values)
    if expected == pyarrow.string():
        assert found.column(0).to_pylist() == values


def test_moments_are_the_same_moments(tmp_path: pathlib.Path) -> None:
    answer = rows_of(["timestamp with time zone"], [("2024-01-01 00:00:00.25+05:30",)])
    (moment,) = table(written(tmp_path, answer, "parquet")).column(0).to_pylist()
    assert moment == datetime.datetime(2023, 12, 31, 18, 30, 0, 250_000, datetime.UTC)


def test_a_type_that_a_later_row_group_breaks_is_text_in_all_of_them(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_parquet, "GROUP_CELLS", 2)
    values = ["2024-01-01", "2024-01-02", "2024-01-03", "infinity"]
    content = written(tmp_path, rows_of(["date"], *([(value,)] for value in values)), "parquet")
    assert pyarrow.parquet.ParquetFile(io.BytesIO(content)).num_row_groups == 2
    assert table(content).column(0).to_pylist() == values


# Excel


def test_excel_has_numbers_and_dates_where_it_loses_nothing(tmp_path: pathlib.Path) -> None:
    types = ["bigint", "bigint", "numeric", "numeric", "date", "date", "timestamp without time zone", "boolean"]
    row = (5, 10**15, "12.50", "0.1234567890123456", "2024-01-01", "1899-01-01", "2024-01-01 12:00:00", True)
    cells = sheets(written(tmp_path, rows_of(types, [row]), "xlsx"))[0]
    assert [cells[f"{column}2"] for column in "ABCDEFGH"] == [
        ("n", "5"),
        ("inlineStr", "1000000000000000"),
        ("n", "12.5"),
        ("inlineStr", "0.1234567890123456"),
        ("n", "45292"),
        ("inlineStr", "1899-01-01"),
        ("n", "45292.5"),
        ("b", "1"),
    ]


@pytest.mark.parametrize("text", ["<r><t>x</t></r>", "<r></r>", "a & b < c", "_x0041_", "]]>"])
def test_a_text_is_no_markup(tmp_path: pathlib.Path, text: str) -> None:
    cells = sheets(written(tmp_path, rows_of(["text"], [(text,)]), "xlsx"))[0]
    assert cells["A2"][1].replace("_x005F_", "_") == text


@pytest.mark.parametrize("text", ["x" * 32_768, "😀" * 16_384, "x" * 10_000_000])
def test_a_text_too_long_for_a_cell_is_cut_and_says_so(tmp_path: pathlib.Path, text: str) -> None:
    (_, found) = sheets(written(tmp_path, rows_of(["text"], [(text,)]), "xlsx"))[0]["A2"]
    assert found.endswith(f"… (cut: {len(text):,} characters)")
    assert 32_760 <= len(found.encode("utf-16-le")) // 2 <= 32_767
    assert text.startswith(found.split("…")[0])


def test_a_text_that_just_fits_is_not_cut(tmp_path: pathlib.Path) -> None:
    text = "x" * 32_767
    assert sheets(written(tmp_path, rows_of(["text"], [(text,)]), "xlsx"))[0]["A2"][1] == text


def test_rows_beyond_a_sheet_go_on_the_next(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_excel, "SHEET_ROWS", 3)
    answer = rows_of(["integer"], [(1,), (2,)], [(3,), (4,)], [(5,)], called=["n"])
    found = sheets(written(tmp_path, answer, "xlsx"))
    assert [[cell[1] for cell in sheet.values()] for sheet in found] == [["n", "1", "2"], ["n", "3", "4"], ["n", "5"]]


# Whole or not at all


class Stopped(Exception):
    pass


@pytest.mark.parametrize("format", export.FORMATS)
def test_nothing_is_left_of_what_was_stopped(tmp_path: pathlib.Path, format: str) -> None:
    def go_on(rows: int) -> None:
        if rows >= 2:
            raise Stopped

    (tmp_path / "answer").write_bytes(b"before")
    with pytest.raises(Stopped):
        export.write(rows_of(["date"], *[[("2024-01-01",)]] * 5), format, tmp_path / "answer", go_on=go_on)
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]
    assert (tmp_path / "answer").read_bytes() == b"before"


@pytest.mark.parametrize("format", export.FORMATS)
def test_nothing_is_left_where_the_answer_breaks_off(tmp_path: pathlib.Path, format: str) -> None:
    class Broken(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield [("2024-01-01",)]
            raise console.StatementLimited("enough")

    with pytest.raises(console.StatementLimited):
        export.write(export.Batches([console.Column("d", "date")], Broken()), format, tmp_path / "answer")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_takes_no_file_is_said(tmp_path: pathlib.Path) -> None:
    with pytest.raises(export.ExportError, match=r"answer\.csv cannot be written: No such file"):
        export.write(rows_of(["integer"]), "csv", tmp_path / "nowhere" / "answer.csv")


def test_an_unknown_format_is_said(tmp_path: pathlib.Path) -> None:
    with pytest.raises(export.ExportError, match="take one of csv, jsonl, parquet, xlsx"):
        export.write(rows_of(["integer"]), "../x", tmp_path / "answer")


@pytest.mark.parametrize("format", export.FORMATS)
def test_progress_is_told(tmp_path: pathlib.Path, format: str) -> None:
    told: list[int] = []
    answer = rows_of(["integer"], [(1,), (2,)], [(3,)])
    assert export.write(answer, format, tmp_path / "answer", go_on=told.append) == 3
    assert told == [2, 3]


@pytest.mark.parametrize("format", export.FORMATS)
def test_memory_stays_flat(tmp_path: pathlib.Path, format: str) -> None:
    class Many:
        columns = (console.Column("n", "integer"), console.Column("t", "text"), console.Column("d", "numeric"))

        def __init__(self, batches: int) -> None:
            self.batches = batches

        def __iter__(self) -> Iterator[list[tuple[object, ...]]]:
            for batch in range(self.batches):
                yield [(batch, "some text of a row " * 10, "1.5")] * 500

    peaks = []
    for batches in (10, 100):
        tracemalloc.start()
        arrow = pyarrow.total_allocated_bytes()
        assert export.write(Many(batches), format, tmp_path / "answer") == 500 * batches
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert pyarrow.total_allocated_bytes() - arrow < 10_000_000
    assert peaks[1] < peaks[0] + 2_000_000


# From a real server


def test_an_answer_streams_from_the_lane(
    data_pool: database.Database, execute: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    statement = """
    SELECT n::integer AS n, n::numeric / 8 AS num, n / 4.0::float8 AS f, n % 2 = 0 AS b, 'text ' || n AS t,
           date '2024-01-01' + n::integer AS d, jsonb_build_object('n', n) AS j, NULL AS nothing
    FROM generate_series(1, 5000) AS n
    """
    for format in export.FORMATS:
        with console.stream(data_pool, statement) as answer:
            assert export.write(answer, format, tmp_path / format) == 5_000
    assert csv_rows((tmp_path / "csv").read_bytes())[2] == [
        "2", "0.25000000000000000000", "0.5", "true", "text 2", "2024-01-03", '{"n": 2}', "",
    ]  # fmt: skip
    assert json_rows((tmp_path / "jsonl").read_bytes())[1] == {
        "n": 2, "num": 0.25, "f": 0.5, "b": True, "t": "text 2", "d": "2024-01-03", "j": {"n": 2}, "nothing": None,
    }  # fmt: skip
    found = table((tmp_path / "parquet").read_bytes())
    assert found.column("d").to_pylist()[1] == datetime.date(2024, 1, 3)
    assert len(found) == 5_000


WRITTEN = "0,-0,0.1,1e14,1e15,-1e15,1.5e15,1234567890123456,9007199254740993,1e16,1e17,1e22,1e23,0.0001,0.00001,5e-324"
NUMBERS = f"""
SELECT NULL AS first, NULL::float8 AS f, NULL::float4 AS r, NULL::integer AS i
UNION ALL SELECT 1, v::float8, CASE WHEN v::float8 > 1e-40 THEN v::float8::float4 ELSE 1234567 END, -7
FROM unnest('{{{WRITTEN}}}'::text[]) AS v
UNION ALL SELECT 2, v::float8, v::float4, 2147483647 FROM unnest('{{NaN,Infinity,-Infinity}}'::text[]) AS v
UNION ALL SELECT 3, hashint8(g)::float8 * power(2::float8, g % 120 - 60), hashint8(g)::float4, hashint8(g)
FROM generate_series(1, 5000) AS g
"""
HOSTILE = r"""
SELECT * FROM (VALUES
    (1, 'a', NULL, 'plain', true), (2, NULL, '', E'two\nlines', false), (3, '=1+1', E'\t=2', 'a,"b"', NULL),
    (4, E'\r\n', '''', '-5', true), (5, '@x', '+1 a', '', true), (6, '', 'üß€👍', '＝1', false),
    (NULL, ' =1', '-2+3', E'\\', NULL)
) AS v (a, a, "b""c", "=x", t), (VALUES ('\x00ff'::bytea, '{1,NULL}'::integer[], 'infinity'::date, '-1 day'::interval,
    '{"a,b","=x"}'::text[], ROW(1, 'a,b'), -5::numeric, (-1234)::money)) AS w
"""
AS_CSV = r'''
a,a,"b""c",'=x,t,column1,column2,column3,column4,column5,column6,column7,column8
1,a,,plain,true,…
2,,"","two
lines",false,…
3,'=1+1,'<TAB>=2,"a,""b""",,…
4,"'<CRLF>",',-5,true,…
5,'@x,'+1 a,"",true,…
6,"",üß€👍,'＝1,false,…
,' =1,'-2+3,\,,…
'''.replace("…", r'\x00ff,"{1,NULL}",infinity,-1 days,"{""a,b"",=x}","(1,""a,b"")",-5,"-$1,234.00"').lstrip()


@pytest.mark.parametrize("statement", [NUMBERS, HOSTILE])
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_values_look_the_same_on_their_way_and_here(data_pool: database.Database, statement: str, format: str) -> None:
    """On their way numbers are texts of the server's, which writes some of them otherwise than Python does."""
    here, streamed = io.BytesIO(), io.BytesIO()
    result = console.run(data_pool, statement)
    export.dump(export.Batches(result.columns, [result.rows]), format, here)
    with console.stream(data_pool, statement) as answer:
        assert export.dump(answer, format, streamed) == len(result.rows)
    assert streamed.getvalue() == here.getvalue()


def test_a_number_has_no_exponent_that_python_would_not_give_it(data_pool: database.Database) -> None:
    content = io.BytesIO()
    with console.stream(data_pool, NUMBERS) as answer:
        export.dump(answer, "csv", content)
    assert [row[1] for row in csv_rows(content.getvalue())[2:21]] == [
        "0", "-0", "0.1", "100000000000000", "1000000000000000", "-1000000000000000", "1500000000000000",
        "1234567890123456", "9007199254740992", "1e+16", "1e+17", "1e+22", "1e+23", "0.0001", "1e-05", "5e-324",
        "NaN", "Infinity", "-Infinity",
    ]  # fmt: skip


def test_hostile_values_as_csv(data_pool: database.Database) -> None:
    content = io.BytesIO()
    with console.stream(data_pool, HOSTILE) as answer:
        export.dump(answer, "csv", content)
    expected = AS_CSV.replace("\n", "\r\n").replace("two\r\n", "two\n").replace("<CRLF>", "\r\n").replace("<TAB>", "\t")
    assert content.getvalue().decode("utf-8-sig") == expected
