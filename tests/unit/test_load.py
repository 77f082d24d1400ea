"""What bringing a file promises: every value as it was, the true line of a bad one, all of the file or nothing."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.sql
import pytest
import sqlalchemy

from tests import conftest, servers
from undertone import database, embedded, errors, inference, json_lines, load, sources

Execute = Callable[..., list[tuple[Any, ...]]]
Bring = Callable[..., load.Loaded]


@pytest.fixture(scope="module")
def place(server: servers.Postgresql) -> Iterator[Callable[[str], sqlalchemy.URL]]:
    """One database for all of these many small tests, which leave it as they found it: see `swept`."""
    name = "test_load"
    connection = psycopg2.connect(**server.dsn(database="postgres"))
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {conftest.TEMPLATE} OWNER {embedded.OWNER}")
    port = server.dsn()["port"]
    yield lambda role: sqlalchemy.URL.create("postgresql+psycopg2", role, host="127.0.0.1", port=port, database=name)
    connection.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


SWEEP = """
    DO $$ DECLARE statement text; BEGIN
        FOR statement IN
            SELECT format('DROP %s IF EXISTS public.%I CASCADE', kind, relname) FROM pg_class JOIN (VALUES
                ('r', 'TABLE'), ('v', 'VIEW'), ('m', 'MATERIALIZED VIEW'), ('S', 'SEQUENCE')) AS k (code, kind)
                ON relkind = code WHERE relnamespace = 'public'::regnamespace
        LOOP EXECUTE statement; END LOOP;
        DROP TYPE IF EXISTS public.taken;
    END $$
"""


@pytest.fixture(autouse=True)
def swept(execute: Execute) -> Iterator[None]:
    yield
    execute(SWEEP)


@pytest.fixture
def bring(store_pool: database.Database, tmp_path: pathlib.Path) -> Bring:
    """Write a file with this content and load it."""

    def load_it(name: str, content: str | bytes, **options: Any) -> load.Loaded:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load.load_file(store_pool, path, **options)

    return load_it


@pytest.fixture
def rows(execute: Execute) -> Callable[[load.Loaded], list[tuple[Any, ...]]]:
    """All rows of a loaded table in the order of its first column."""

    def read(loaded: load.Loaded) -> list[tuple[Any, ...]]:
        statement = psycopg2.sql.SQL("SELECT * FROM {} ORDER BY 1")
        return execute(statement.format(psycopg2.sql.Identifier(loaded.schema, loaded.table)))

    return read


def tables(execute: Execute) -> list[str]:
    return [
        name for (name,) in execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    ]


def refused(bring: Bring, execute: Execute, name: str, content: str | bytes, **options: Any) -> str:
    """The message of a refused file: one line, and no table afterwards."""
    before = tables(execute)
    with pytest.raises(load.LoadError) as caught:
        bring(name, content, **options)
    assert tables(execute) == before
    message = str(caught.value)
    assert "\n" not in message
    return message


def one_column(bring: Bring, values: list[str], **options: Any) -> load.Loaded:
    return bring("values.csv", "x,y\n" + "".join(f"{value},.\n" for value in values), **options)


# --- what a table is like


def test_a_csv_becomes_a_table_with_a_key_a_comment_and_statistics(bring: Bring, rows: Any, execute: Execute) -> None:
    loaded = bring("Kunden Feedback 2024.csv", "text,stars\ngood,5\n,1\n")
    assert (loaded.table, loaded.schema, loaded.rows, loaded.key) == ("kunden_feedback_2024", "public", 2, ("id",))
    assert loaded.columns == (("id", "bigint"), ("text", "text"), ("stars", "bigint"))
    assert rows(loaded) == [(1, "good", 5), (2, None, 1)]
    ((comment, estimate),) = execute(
        "SELECT obj_description(oid), reltuples FROM pg_class WHERE relname = 'kunden_feedback_2024'"
    )
    assert comment.startswith('Loaded from "Kunden Feedback 2024.csv" on 20')
    assert estimate == 2
    assert execute("SELECT count(*) FROM pg_stats WHERE tablename = 'kunden_feedback_2024'") == [(3,)]
    assert execute(
        "SELECT contype FROM pg_constraint WHERE conrelid = 'kunden_feedback_2024'::regclass AND contype = 'p'"
    )


def test_the_reader_can_read_it_and_nothing_more(bring: Bring, data_pool: database.Database) -> None:
    bring("reviews.csv", "text,stars\ngood,5\n")
    with data_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT text, stars FROM reviews")
        assert cursor.fetchall() == [("good", 5)]
    with pytest.raises(database.DatabaseError), data_pool.lend() as connection:
        connection.cursor().execute("DELETE FROM reviews")


def test_the_types_that_are_told_are_the_table_s(bring: Bring, execute: Execute) -> None:
    loaded = bring(
        "types.csv",
        "b,i,n,d,day,t,tz,s\n"
        "true,1,12345678901234567890,0.5,2024-02-29,2024-02-29 10:00,2024-02-29T10:00:00+02:00,00123\n"
        "False,-2,1,1e-05,1999-12-31,2024-02-29T10:00:00.123456,2024-02-29T10:00:00Z,1\n",
    )
    told = execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'types'::regclass AND attnum > 0 ORDER BY attnum"
    )
    assert loaded.columns == tuple(told)
    ((_, b, i, n, d, day, t, tz, s), _) = execute("SELECT * FROM types ORDER BY id")
    assert (b, i, n, d) == (True, 1, decimal.Decimal("12345678901234567890"), 0.5)
    assert (day, t, s) == (datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 10), "00123")  # noqa: DTZ001
    assert tz == datetime.datetime(2024, 2, 29, 8, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", ""], "bigint"),
        (["9223372036854775807", "-9223372036854775808"], "bigint"),
        (["9223372036854775808"], "numeric"),
        (["100000000000000000000"], "numeric"),
        (["1", "2.50"], "double precision"),
        (["0.30000000000000004"], "double precision"),
        (["0.12345678901234567890123"], "numeric"),
        (["9007199254740993", "0.5"], "numeric"),
        (["1e+400"], "numeric"),
        (["9" * 2000], "text"),
        ([" 1", "2 "], "bigint"),
        (["00123", "1"], "text"),
        (["007.5"], "text"),
        (["+49301234"], "text"),
        (["-0"], "double precision"),
        (["12E5"], "text"),
        (["nan"], "text"),
        (["NULL", "1"], "text"),
        (["NA", "1"], "text"),
        (["1_000"], "text"),
        (["0x10"], "text"),
        (["١٢"], "text"),
        (["TRUE", "false"], "boolean"),
        (["yes", "no"], "text"),
        (["0", "1"], "bigint"),
        (["2024-02-29"], "date"),
        (["2024-02-30"], "text"),
        (["0000-01-01"], "text"),
        (["0001-01-01", "9999-12-31"], "date"),
        (["01.02.2024"], "text"),
        (["02/03/2024"], "text"),
        (["2024-01-01", "2024-01-01 10:00"], "timestamp without time zone"),
        (["2024-01-01T10:00Z", "2024-01-01 10:00:00+0130"], "timestamp with time zone"),
        (["2024-01-01T10:00Z", "2024-01-01T10:00"], "text"),
        (["2024-01-01 10:00:00.123456789"], "text"),
        (["0001-01-01T00:00:00+14:00"], "text"),
        (["2024-01-01 24:00"], "text"),
        (["10:00"], "text"),
        (["", ""], "text"),
    ],
)
def test_a_type_is_only_told_where_it_holds_every_value(
    bring: Bring, execute: Execute, values: list[str], type_: str
) -> None:
    loaded = one_column(bring, values)
    assert dict(loaded.columns)["x"] == type_
    if type_ in ("text", "numeric", "bigint"):
        found = [value or "" for (value,) in execute('SELECT x::text FROM "values" ORDER BY id')]
        assert found == [value.replace("1e+400", "1" + "0" * 400).strip() for value in values]


def test_a_type_holds_for_the_whole_file_not_only_for_its_beginning(bring: Bring) -> None:
    count = sources.BATCH_ROWS * 2
    numbers = "".join(f"{n},{n}\n" for n in range(count))
    loaded = bring("late.csv", f"a,b\n{numbers}x,1.5\n")
    assert loaded.columns == (("id", "bigint"), ("a", "text"), ("b", "double precision"))
    assert loaded.rows == count + 1


def test_rows_are_numbered_in_the_order_of_the_file(bring: Bring, execute: Execute) -> None:
    count = sources.BATCH_ROWS + 5
    bring("many.csv", "a,b\n" + "".join(f"{n},x\n" for n in range(count)))
    assert execute("SELECT count(*), sum(abs(id - a - 1)) FROM many") == [(count, 0)]


# --- CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_and_the_line_ends_are_found_out(bring: Bring, rows: Any, delimiter: str, end: str) -> None:
    content = end.join(
        line.replace(";", delimiter) for line in ["Name;Kommentar", "Jörg;gut, 3.14 | ok".replace("|", "/"), "Ana;-"]
    )
    if delimiter == ",":
        content = content.replace("gut, 3", "gut. 3")
    loaded = bring("f.csv", content + end)
    assert [name for name, _ in loaded.columns] == ["id", "Name", "Kommentar"]
    assert rows(loaded)[0][1] == "Jörg"
    assert loaded.rows == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le+mark", "utf-16-be+mark"])
@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz"])
def test_utf_8_and_marked_utf_16_are_read(bring: Bring, rows: Any, encoding: str, name: str) -> None:
    text = 'Größe;Text\n1;"Ein „Satz“\n😀"\n'
    encoded = ("\ufeff" + text).encode(encoding[:-5]) if encoding.endswith("+mark") else text.encode(encoding)
    loaded = bring(name, gzip.compress(encoded) if name.endswith(".gz") else encoded)
    assert loaded.columns[1:] == (("Größe", "bigint"), ("Text", "text"))
    assert rows(loaded) == [(1, 1, "Ein „Satz“\n😀")]


def test_excel_s_line_about_the_delimiter_is_obeyed(bring: Bring, execute: Execute) -> None:
    assert bring("f.csv", "sep=;\nx;y\n1;a,b\n").columns == (("id", "bigint"), ("x", "bigint"), ("y", "text"))
    assert "line 4: 1 field " in refused(bring, execute, "g.csv", "sep=;\nx;y\n1;2\n3\n")


@pytest.mark.parametrize(
    "value",
    [
        "a\nb", "a\r\nb", "a\rb", 'say "hi"', '"', '""', "a,b;c\td|e", "\\", "\\N", "\\.", "a\\tb", "\t",
        " x ", "'", "%s",
        "{}",        "=1+1", "NULL", "a\u2028b", "a\x0bb", "\x01\x7f", "e\u0301", "🏳️‍🌈", "\ufeffx",
        "\U0010ffff", "x" * 300_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_text_arrives_as_it_was(
    store_pool: database.Database, tmp_path: pathlib.Path, rows: Any, form: str, value: str
) -> None:
    path = tmp_path / f"f.{form}"
    if form == "csv":
        path.write_bytes(('a,b\n"' + value.replace('"', '""') + '",z\n').encode())
    elif form == "jsonl":
        path.write_text(json.dumps({"a": value, "b": "z"}) + "\n")
    else:
        write_parquet(path, a=[value], b=["z"])
    assert rows(load.load_file(store_pool, path)) == [(1, value, "z")]


def test_an_empty_cell_is_null_and_a_quoted_one_is_empty_text(bring: Bring, rows: Any) -> None:
    loaded = bring("f.csv", 'a,b,c,n\n,"",x,""\n"",,"a,"""",b",\n"a\n"",""",""," ",1\n')
    assert rows(loaded) == [(1, None, "", "x", None), (2, "", None, 'a,"",b', None), (3, 'a\n","', "", " ", 1)]


def test_blank_lines_are_skipped_and_a_row_of_nothing_is_kept(bring: Bring, rows: Any) -> None:
    assert rows(bring("f.csv", "\n\na,b\n\n1,2\n,\n\n3,4\n\n")) == [(1, 1, 2), (2, None, None), (3, 3, 4)]


def test_a_last_line_needs_no_end(bring: Bring, rows: Any) -> None:
    assert rows(bring("f.csv", "a,b\n1,2")) == [(1, 1, 2)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n3\n", "line 3: 1 field where the header has 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3: 3 fields where the header has 2"),
        ('a,b\n1,"x\ny\nz"\n3,4\n5\n', "line 6: 1 field where the header has 2"),
        ('a,b\n\n1,"x\r\ny"\r\n\n3\n', "line 6: 1 field where the header has 2"),
        ('a,b\n1,"x" y\n', "line 2: text follows a closing quote"),
        ('a,b\n1,"never\n2,ends\n', "line 2: a field of this record opens with a quote"),
        ('a,b\n1,"never\n2,"ends"\n', "line 3: text follows a closing quote (\") in a field of the record that"),
        ("a,b\n1,2\n3,x\0y\n", "line 3: a NUL character"),
        ("a,b\n1,2\n3,x\ry\n", "line 3: a carriage return stands in a field without quotes"),
        (b"a,b\n1,2\n3,Gr\xfc\xdfe\n", "line 3: byte 0xFC at offset 12 is not UTF-8 text"),
        (b"\xef\xbb\xbfa,b\n1,\xff\n", "line 2: byte 0xFF at offset 9 is not UTF-8 text"),
        (b"a,b\n1,\xed\xa0\x80\n", "line 2: byte 0xED"),
        (b"a,b\n1,\xc3", "line 2: byte 0xC3"),
        ("\ufeffa,b\n1,".encode("utf-16-le") + b"\x00\xd8\n\x00", "line 2: byte 0x00 at offset 14 is not UTF-16 text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1: a NUL character"),
        (b"\x89PNG\r\n\x1a\n\0\0", "line 1: byte 0x89"),
        ("", "empty"),
        ("\n\n", "empty"),
        ("\ufeff", "empty"),
    ],
)  # fmt: skip
def test_a_bad_csv_is_refused_with_the_line_to_blame(
    bring: Bring, execute: Execute, content: str | bytes, said: str
) -> None:
    message = refused(bring, execute, "f.csv", content)
    assert message.startswith("f.csv")
    assert said in message


def test_a_bad_line_after_many_is_found_where_it_is(bring: Bring, execute: Execute) -> None:
    good = "".join(f'{n},"two\nlines"\n' for n in range(30_000))
    assert "line 60,002: 1 field" in refused(bring, execute, "f.csv", f"a,b\n{good}bad\n")
    blob = f"a,b\n{good}1,x\n".encode() + b"2,\x80\n"
    assert "line 60,003: byte 0x80" in refused(bring, execute, "f.csv", blob)


def test_a_broken_gzip_file_is_refused(bring: Bring, execute: Execute) -> None:
    packed = gzip.compress("".join(f"{n},{n * n}\n" for n in range(9000)).encode())
    assert "gzip" in refused(bring, execute, "f.csv.gz", packed[:-2000])
    assert "gzip" in refused(bring, execute, "g.csv.gz", b"a,b\n1,2\n")


@pytest.mark.parametrize("size", [200_000, 10_000_000])
def test_a_huge_cell_is_loaded(bring: Bring, execute: Execute, size: int) -> None:
    bring("f.csv", 'a,b\n1,"' + "ä\n" * (size // 2) + '"\n')
    assert execute("SELECT length(b), id FROM f") == [(size, 1)]


def test_a_header_alone_makes_an_empty_table(bring: Bring, rows: Any) -> None:
    loaded = bring("f.csv", "text,stars\n")
    assert loaded.columns == (("id", "bigint"), ("text", "text"), ("stars", "text"))
    assert loaded.rows == 0
    assert rows(loaded) == []


# --- TSV


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ('l\tt\n0\t"good start\n1\tok\n0\tend"\n', [(0, '"good start'), (1, "ok"), (0, 'end"')]),
        ('l\tt\n0\t"Great movie"\n1\tok\n', [(0, '"Great movie"'), (1, "ok")]),
        ('l\tt\n0\t5" screen\n1\t"\n', [(0, '5" screen'), (1, '"')]),
        ('l\tt\n0\t"She said ""yes"""\n1\tok\n', [(0, 'She said "yes"'), (1, "ok")]),
        ('"l"\t"t"\n0\t"Great movie"\n1\t"ok"\n', [(0, "Great movie"), (1, "ok")]),
        ('l\tt\n0\t"two\nlines"\n1\tok\n', [(0, "two\nlines"), (1, "ok")]),
        ('l\tt\n0\t"a\ttab"\n', [(0, "a\ttab")]),
        ('l\tt\n0\t\n1\ta,b;c\n', [(0, None), (1, "a,b;c")]),
        ('l\tt\n0\t""\n1\tx\n', [(0, '""'), (1, "x")]),
    ],
)  # fmt: skip
def test_quotes_between_tabs_quote_only_where_the_file_shows_it(
    bring: Bring, rows: Any, content: str, wanted: list[tuple[Any, ...]]
) -> None:
    assert [row[1:] for row in rows(bring("f.tsv", content))] == wanted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('l\tt\n0\tsay "hi"\n1\n', "line 3: 1 field where the header has 2 (delimiter tab)"),
        ('l\tt\n0\t"two\nlines"\n1\n', "line 4: 1 field where the header has 2 (delimiter tab)"),
    ],
)
def test_a_bad_tsv_is_refused_with_the_line_to_blame(bring: Bring, execute: Execute, content: str, said: str) -> None:
    assert said in refused(bring, execute, "f.tsv", content)


# --- names


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("a,a,a", ["a", "a_2", "a_3"]),
        ("a,,", ["a", "column_2", "column_3"]),
        ("a,a,a_2", ["a", "a_2", "a_2_2"]),
        ("a , b, c", ["a", "b", "c"]),
        ("Select,ORDER,a b", ["Select", "ORDER", "a b"]),
        ('"a""b",%s,%(x)s', ['a"b', "%s", "%(x)s"]),
        ('"a\nb",{},b', ["a\nb", "{}", "b"]),
        ("ctid,xmin,c", ["ctid_2", "xmin_2", "c"]),
        ("a,A,b", ["a", "A", "b"]),
        (f"{'ä' * 40},{'ä' * 41},b", ["ä" * 31, "ä" * 30 + "_2", "b"]),
        ('"a; DROP TABLE x; --",b,c', ["a; DROP TABLE x; --", "b", "c"]),
    ],
)
def test_names_of_columns_are_kept_unless_they_cannot_be(
    bring: Bring, rows: Any, header: str, wanted: list[str]
) -> None:
    loaded = bring("f.csv", f"{header}\nx,y,z\n")
    assert [name for name, _ in loaded.columns] == ["id", *wanted]
    assert rows(loaded) == [(1, "x", "y", "z")]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("Kunden Feedback 2024.csv", "kunden_feedback_2024"),
        ("Größe (final).csv", "grösse_final"),
        ("2024-01 export.tsv", "t_2024_01_export"),
        ("a.b.csv.gz", "a_b"),
        ("!!!.csv", "loaded"),
        ("日本語.csv", "日本語"),
        ("../../etc/x.csv", "x"),
        ("C:\\Users\\me\\My File.CSV", "my_file"),
        ("x'; DROP TABLE y; --.csv", "x_drop_table_y"),
        ("ä" * 70 + ".csv", "ä" * 31),
        ("order.csv", "order"),
    ],
)
def test_a_table_is_named_after_the_file_as_a_person_knows_it(
    store_pool: database.Database, tmp_path: pathlib.Path, name: str, table: str
) -> None:
    path = tmp_path / "upload-1.tmp"
    content = b"a\tb\n1\t2\n" if name.endswith(".tsv") else b"a,b\n1,2\n"
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    loaded = load.load_file(store_pool, path, name=name)
    assert loaded.table == table
    assert loaded.rows == 1


@pytest.mark.parametrize("table", ['a "quoted" %s table', "Größe", "select", "ä" * 31, "x'; DROP TABLE y; --"])
def test_a_chosen_name_is_taken_as_it_is(bring: Bring, rows: Any, table: str) -> None:
    assert rows(bring("f.csv", "a,b\n1,2\n", table=table)) == [(1, 1, 2)]
    with pytest.raises(load.LoadError, match="There is already a table"):
        bring("f.csv", "a,b\n1,2\n", table=table)


@pytest.mark.parametrize("table", ["", " ", "a\nb", "a\0b", "ä" * 32, "scores.x", "\udcff"])
def test_a_chosen_name_that_cannot_be_is_refused(bring: Bring, execute: Execute, table: str) -> None:
    assert "name" in refused(bring, execute, "f.csv", "a,b\n1,2\n", table=table)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE taken (i int)",
        "CREATE VIEW taken AS SELECT 1 AS i",
        "CREATE SEQUENCE taken",
        "CREATE TYPE taken AS ENUM ('a')",
        "CREATE MATERIALIZED VIEW taken AS SELECT 1 AS i",
    ],
)
def test_nothing_that_is_there_is_overwritten(bring: Bring, execute: Execute, statement: str) -> None:
    execute(statement)
    message = refused(bring, execute, "Taken.csv", "a,b\n1,2\n")
    assert message == 'There is already a table "taken"; choose another name with --table.'


def test_two_loads_of_one_name_make_one_table(store_pool: database.Database, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a,b\n" + "1,2\n" * 5000)
    outcomes: list[object] = []

    def one() -> None:
        try:
            outcomes.append(load.load_file(store_pool, path).rows)
        except errors.UndertoneError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(5000) == 1
    assert outcomes.count('There is already a table "f"; choose another name with --table.') == 3


# --- keys


def test_a_named_column_becomes_the_key(bring: Bring, rows: Any, execute: Execute) -> None:
    loaded = bring("f.csv", "text,code\ngood,007\nbad,008\n", key="code")
    assert loaded.key == ("code",)
    assert loaded.columns == (("text", "text"), ("code", "text"))
    assert execute("SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
                   " WHERE indrelid = 'f'::regclass AND indisprimary") == [("code",)]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "key", "said"),
    [
        ("a,b\n1,2\n", "c", 'f.csv: there is no column "c" for --key; the columns are a, b.'),
        (
            'a,b\n1,"x\ny"\n2,z\n\n1,w\n',
            "a",
            "line 6: column \"a\" cannot be the key: '1' was there before, on line 2.",
        ),
        ('a,b\n1,"x\ny"\n,z\n1,w\n', "a", 'line 4: column "a" cannot be the key: it is empty here.'),
        ("a,b\n1.0,x\n1,y\n", "a", "line 3: column \"a\" cannot be the key: '1' was there before, on line 2."),
        ("a,b\n" + os.urandom(9000).hex() + ",x\n", "a", "too long for an index"),
    ],
)
def test_a_key_that_is_none_is_refused_with_the_first_line_to_blame(
    bring: Bring, execute: Execute, content: str, key: str, said: str
) -> None:
    assert said in refused(bring, execute, "f.csv", content, key=key)


@pytest.mark.parametrize(
    ("content", "key", "columns"),
    [
        ("x,id\na,7\nb,9\n", "id", ["x", "id"]),
        ("x,ID\na,7\nb,9\n", "ID", ["x", "ID"]),
        ("x,id\na,u-1\nb,u-2\n", "id", ["x", "id"]),
        ("x,id\na,7\nb,7\n", "row_id", ["row_id", "x", "id"]),
        ("x,id\na,7\nb,\n", "row_id", ["row_id", "x", "id"]),
        ("row_id,id\na,7\nb,7\n", "row_id_2", ["row_id_2", "row_id", "id"]),
        ("x,Id\na,7\nb,7\n", "row_id", ["row_id", "x", "Id"]),
    ],
)
def test_an_id_of_the_file_s_own_is_the_key_where_it_is_one(
    bring: Bring, rows: Any, content: str, key: str, columns: list[str]
) -> None:
    loaded = bring("f.csv", content)
    assert (loaded.key, [name for name, _ in loaded.columns], loaded.rows) == ((key,), columns, 2)
    if "row_id" in key:
        assert [row[0] for row in rows(loaded)] == [1, 2]


# --- JSON


def test_json_lines_become_columns_of_their_values(bring: Bring, rows: Any) -> None:
    lines = [
        '{"text": "good", "n": 1, "f": 0.10, "ok": true, "day": "2024-02-29", "big": 123456789012345678901}',
        "",
        '{"text": null, "late": {"b": [1.10, 12345678901234567890.5, null, "ü"]}, "n": 2, "f": 1E5, "mixed": 1.50}',
        '{"mixed": "x", "late": "plain", "code": "123"}',
        '{"mixed": true, "day": "2024-03-01"}',
    ]
    loaded = bring("f.jsonl", "\n".join(lines))
    assert dict(loaded.columns) == {
        "id": "bigint", "text": "text", "n": "bigint", "f": "double precision", "ok": "boolean", "day": "date",
        "big": "numeric", "late": "jsonb", "mixed": "text", "code": "text",
    }  # fmt: skip
    first, second, third, fourth = rows(loaded)
    assert first[1:7] == ("good", 1, 0.1, True, datetime.date(2024, 2, 29), decimal.Decimal(123456789012345678901))
    assert second[7] == {"b": [1.1, 12345678901234567890.5, None, "ü"]}
    assert (second[1], second[3], second[8]) == (None, 1e5, "1.50")
    assert third[7:] == ("plain", "x", "123")
    assert fourth[8] == "true"


def test_numbers_within_json_are_kept_digit_by_digit(bring: Bring, execute: Execute) -> None:
    bring("f.jsonl", '{"a": {"n": [1.10, 0.1234567890123456789, 123456789012345678901234567890]}}\n')
    assert execute("SELECT a::text FROM f") == [
        ('{"n": [1.10, 0.1234567890123456789, 123456789012345678901234567890]}',)
    ]


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1}, {"a": 2, "b": "x"}]',
        '\n [\n  {\n   "a": 1\n  },\n  {"a": 2, "b": "x"}\n]\n',
        '{"a": 1}\n{"a": 2, "b": "x"}\n',
    ],
)
def test_a_json_file_is_lines_or_one_array(bring: Bring, rows: Any, content: str) -> None:
    assert rows(bring("f.json", content)) == [(1, 1, None), (2, 2, "x")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("f.jsonl", '{"a": 1}\n\n{"a": }\n', "line 3: not JSON: Expecting value at column 7"),
        ("f.jsonl", '{"a": 1}\n{"a": 1} {"a": 2}\n', "line 2: not JSON: Extra data"),
        ("f.jsonl", '{"a": 1}\n[1]\n', "line 2: a row must be a JSON object"),
        ("f.jsonl", '[{"a": 1}]\n', "line 1: a row must be a JSON object"),
        ("f.jsonl", '{"a": 1}\nnull\n', "line 2: a row must be a JSON object"),
        ("f.jsonl", '{"a": 1}\n{"a": NaN}\n', "line 2: NaN is not a JSON value"),
        ("f.jsonl", '{"a": 1}\n{"a": 1, "a": 2}\n', 'line 2: the name "a" is there twice'),
        ("f.jsonl", '{"a": 1}\n{"a": {"b": 1, "b": 2}}\n', 'line 2: the name "b" is there twice'),
        ("f.jsonl", '{"a": "x"}\n{"a": "\\u0000"}\n', "line 2: there is a \\u0000"),
        ("f.jsonl", '{"a": "x"}\n{"a": ["\\ud800"]}\n', "line 2: there is a \\u0000 or half a surrogate pair"),
        ("f.jsonl", '{"a": "x"}\n{"\\u0000": 1}\n', "line 2: there is a \\u0000"),
        ("f.jsonl", '{"a": "x"}\n{"a": "\0"}\n', "line 2: a NUL character"),
        ("f.jsonl", '{"a": "x"}\n' + '{"a": ' + "[" * 100_000 + "\n", "line 2: JSON nested more than 100 deep"),
        ("f.jsonl", '{"a": "x"}\n{"a": ' + "[" * 100 + "]" * 100 + "}\n", "line 2: JSON nested more than 100 deep"),
        (
            "f.json",
            '[{"a": "x"},\n{"a": ' + '{"a":' * 600 + "1" + "}" * 601 + "]",
            "line 2: JSON nested more than 100 deep",
        ),
        ("f.jsonl", '{"a": 1}\n{\n"a": 2}\n', "line 2: not JSON"),
        ("f.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', "line 2: byte 0xFF at offset 16"),
        ("f.jsonl", "\n\n", "no row"),
        ("f.jsonl", "{}\n{}\n", "no row with a value"),
        ("f.json", "[]", "no row"),
        ("f.json", '[\n{"a": 1},\n{"a": 2},\n]', "line 4: not JSON"),
        ("f.json", '[\n{"a": 1}\n{"a": 2}\n]', "line 3: not JSON: Expecting ',' or ']'"),
        ("f.json", '[\n{"a": 1}\n]\n{}', "line 4: not JSON: Extra data"),
        ("f.json", '[\n{"a": 1},\n3]', "line 3: a row must be a JSON object"),
        ("f.json", '[\n{"a": 1},\n{"a": NaN}]', "line 3: NaN"),
        ("f.json", '[\n{"a": 1}', "line 2: not JSON"),
        ("f.json", '{\n  "a": 1\n}', "line 1: not JSON"),
    ],
)
def test_bad_json_is_refused_with_the_line_to_blame(
    bring: Bring, execute: Execute, name: str, content: str | bytes, said: str
) -> None:
    assert said in refused(bring, execute, name, content)


def test_a_surrogate_pair_in_json_is_one_character(bring: Bring, rows: Any) -> None:
    assert rows(bring("f.jsonl", '{"a": "\\ud83d\\ude00", "b": "\\\\u0000"}')) == [(1, "😀", "\\u0000")]


def test_json_keys_are_made_names_like_a_header(bring: Bring) -> None:
    assert [name for name, _ in bring("f.jsonl", '{"": 1, "id": 1, "ctid": 2}').columns] == ["column_1", "id", "ctid_2"]


def test_an_exponent_of_json_is_a_number_although_one_of_csv_is_a_code(bring: Bring) -> None:
    assert dict(bring("f.jsonl", '{"a": 12E5}').columns)["a"] == "double precision"


# --- Parquet


def write_parquet(path: pathlib.Path, **columns: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table(columns), path)


def test_parquet_keeps_its_own_types(store_pool: database.Database, tmp_path: pathlib.Path, rows: Any) -> None:
    import pyarrow as pa

    moment = datetime.datetime(2024, 2, 29, 10, 0, 0, 5)  # noqa: DTZ001
    path = tmp_path / "f.parquet"
    write_parquet(
        path,
        text=pa.array(["00123", None]),
        category=pa.array(["x", "y"]).dictionary_encode(),
        small=pa.array([1, None], pa.int8()),
        huge=pa.array([2**64 - 1, 0], pa.uint64()),
        double=pa.array([0.1, float("nan")]),
        single=pa.array([0.1, float("inf")], pa.float32()),
        money=pa.array([decimal.Decimal("1.10"), None]),
        truth=pa.array([True, None]),
        day=pa.array([moment.date(), None]),
        moment=pa.array([moment, None], pa.timestamp("ns")),
        nanos=pa.array([1_700_000_000_000_000_001, None], pa.timestamp("ns")),
        zoned=pa.array([moment, None], pa.timestamp("us", "Europe/Berlin")),
        clock=pa.array([datetime.time(1, 2, 3), None]),
        raw=pa.array([b"\x00\xff", None]),
        many=pa.array([["a", None], []]),
        inner=pa.array([{"n": 1, "d": moment.date()}, None]),
        none=pa.nulls(2),
    )
    loaded = load.load_file(store_pool, path)
    assert dict(loaded.columns) == {
        "id": "bigint", "text": "text", "category": "text", "small": "bigint", "huge": "numeric",
        "double": "double precision", "single": "real", "money": "numeric", "truth": "boolean", "day": "date",
        "moment": "timestamp without time zone", "nanos": "text", "zoned": "timestamp with time zone",
        "clock": "time without time zone", "raw": "bytea",
        "many": "jsonb", "inner": "jsonb", "none": "text",
    }  # fmt: skip
    first, second = (dict(zip([name for name, _ in loaded.columns], row, strict=True)) for row in rows(loaded))
    assert first["huge"] == 2**64 - 1
    assert (first["text"], first["category"], first["small"], first["double"]) == ("00123", "x", 1, 0.1)
    assert str(first["money"]) == "1.10"
    assert (first["moment"], first["nanos"]) == (moment, "2023-11-14 22:13:20.000000001")
    assert first["zoned"] == moment.replace(tzinfo=datetime.UTC)
    assert (bytes(first["raw"]), first["many"]) == (b"\x00\xff", ["a", None])
    assert first["inner"] == {"n": 1, "d": "2024-02-29"}
    assert second["double"] != second["double"]
    assert (second["single"], second["many"], second["inner"], second["text"]) == (float("inf"), [], None, None)


def test_parquet_without_rows_makes_an_empty_table(store_pool: database.Database, tmp_path: pathlib.Path) -> None:
    import pyarrow as pa

    write_parquet(tmp_path / "f.parquet", a=pa.array([], pa.int32()))
    loaded = load.load_file(store_pool, tmp_path / "f.parquet")
    assert (loaded.rows, loaded.columns) == (0, (("id", "bigint"), ("a", "bigint")))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["x", "a\0b"], 'row 2, column "a": a NUL character'),
        ([["x"], ["a\0b"]], "row 2: PostgreSQL refused it"),
        ([[1.5], [float("nan")]], 'column "a" in rows 1 to 2'),
        ([datetime.timedelta(1)], "duration[us], which cannot be loaded"),
        ([[b"\xff"]], "JSON has no word for bytes"),
    ],
)
def test_parquet_that_postgresql_cannot_hold_is_refused(
    store_pool: database.Database, tmp_path: pathlib.Path, execute: Execute, values: list[Any], said: str
) -> None:
    write_parquet(tmp_path / "f.parquet", a=values)
    with pytest.raises(load.LoadError) as caught:
        load.load_file(store_pool, tmp_path / "f.parquet")
    assert said in str(caught.value)
    assert tables(execute) == []


def test_what_is_not_parquet_is_refused(bring: Bring, execute: Execute) -> None:
    assert "not a readable Parquet file" in refused(bring, execute, "f.parquet", b"PAR1 nothing PAR1")


# --- files


@pytest.mark.parametrize("name", ["f.xlsx", "f", "f.parquet.gz", "f.gz", ".csv"])
def test_another_kind_of_file_is_refused(bring: Bring, execute: Execute, name: str) -> None:
    assert ".csv, .tsv, .jsonl, .json or .parquet" in refused(bring, execute, name, "a,b\n1,2\n")


def test_a_missing_file_and_a_folder_are_refused(store_pool: database.Database, tmp_path: pathlib.Path) -> None:
    with pytest.raises(load.LoadError, match=r"gone\.csv: there is no such file"):
        load.load_file(store_pool, tmp_path / "gone.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(load.LoadError, match="not an ordinary file"):
        load.load_file(store_pool, tmp_path / "folder.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(load.LoadError, match="not an ordinary file"):
        load.load_file(store_pool, tmp_path / "pipe.csv")


@pytest.mark.parametrize(("columns", "key"), [(1601, "c1"), (1600, None)])
def test_more_columns_than_a_table_can_have_are_refused(
    bring: Bring, execute: Execute, columns: int, key: str | None
) -> None:
    header = ",".join(f"c{number}" for number in range(columns))
    assert "columns" in refused(bring, execute, "f.csv", f"{header}\n{',' * (columns - 1)}\n", key=key)
    if columns > sources.COLUMN_LIMIT:
        many = json.dumps({f"c{number}": number for number in range(columns)})
        assert "columns" in refused(bring, execute, "f.jsonl", many, key=key)


def test_as_many_columns_as_a_table_can_have_are_loaded(bring: Bring) -> None:
    header = ",".join(f"c{number}" for number in range(1600))
    assert len(bring("f.csv", f"{header}\n{'true,' * 1599}true\n", key="c0").columns) == 1600


def test_a_row_that_is_too_wide_for_postgresql_is_refused(bring: Bring, execute: Execute) -> None:
    header = ",".join(f"c{number}" for number in range(1000))
    wide = ",".join(os.urandom(15).hex() for _ in range(1000))
    content = f'{header}\n{"," * 999}\n"a\nb"{"," * 999}\n{wide}\n'
    assert "f.csv: PostgreSQL refused it: row is too big" in refused(bring, execute, "f.csv", content)


# --- all or nothing


def test_a_stop_in_the_middle_leaves_nothing_and_is_passed_on(bring: Bring, execute: Execute) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise Enough

    content = "a,b\n" + "".join(f"{n},{'x' * 20}\n" for n in range(60_000))
    with pytest.raises(Enough):
        bring("f.csv", content, progress=stop)
    assert tables(execute) == []
    assert bring("f.csv", content).rows == 60_000


def test_a_stop_at_the_very_end_leaves_nothing(bring: Bring, execute: Execute) -> None:
    def stop(done: int, total: int) -> None:
        if done == total:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        bring("f.csv", "a,b\n1,2\n", progress=stop)
    assert tables(execute) == []


def test_a_file_that_changes_while_it_is_read_is_refused(
    bring: Bring, execute: Execute, tmp_path: pathlib.Path
) -> None:
    def grow(done: int, total: int) -> None:
        if done < total:
            with (tmp_path / "f.csv").open("a") as file:
                file.write("1,2\n")

    content = "a,b\n" + "".join(f"{n},1\n" for n in range(5000))
    assert "changed while it was read" in refused(bring, execute, "f.csv", content, progress=grow)


def test_progress_grows_to_its_total(bring: Bring) -> None:
    seen: list[tuple[int, int]] = []
    content = "a,b\n" + "".join(f"{n},{'x' * 30}\n" for n in range(100_000))
    bring("f.csv", content, progress=lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {2 * len(content)}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == 2 * len(content)
    assert len(seen) > 2


def test_a_session_killed_while_loading_leaves_nothing(
    bring: Bring, execute: Execute, store_pool: database.Database
) -> None:
    killed: list[object] = []

    def kill(done: int, total: int) -> None:
        if done > total / 2 and not killed:
            killed.extend(
                execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
            )

    content = "a,b\n" + "".join(f"{n},{'x' * 50}\n" for n in range(100_000))
    with pytest.raises(database.ConnectionLost, match="was lost"):
        bring("f.csv", content, progress=kill)
    assert killed
    assert tables(execute) == []


COPYING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'"
KILLED = """
import pathlib, sys, sqlalchemy, time
from undertone import database, load
pool = database.Database(sqlalchemy.make_url(sys.argv[1]), name="store")
def wait(done, total):
    if done > total * 0.6:
        print("loading", flush=True)
        time.sleep(60)
load.load_file(pool, pathlib.Path(sys.argv[2]), progress=wait)
"""


def test_kill_9_in_the_middle_leaves_nothing(
    place: Callable[[str], Any], execute: Execute, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a,b\n" + "".join(f"{n},{'x' * 50}\n" for n in range(100_000)))
    address = place(embedded.OWNER).render_as_string(hide_password=False)
    loader = subprocess.Popen([sys.executable, "-c", KILLED, address, str(path)], stdout=subprocess.PIPE, text=True)
    assert loader.stdout is not None
    assert loader.stdout.readline() == "loading\n"
    assert execute(COPYING) == [(1,)]
    loader.send_signal(signal.SIGKILL)
    loader.wait()
    loader.stdout.close()
    while execute(COPYING) != [(0,)]:
        time.sleep(0.05)
    assert tables(execute) == []


# --- the parts


def test_names_are_cut_between_characters() -> None:
    assert sources.cut("ä" * 40) == "ä" * 31
    assert sources.cut("a" + "😀" * 20) == "a" + "😀" * 15
    assert all(len(name.encode()) <= 63 for name in sources.unique_names(["😀" * 20] * 120))
    assert len(set(sources.unique_names(["x" * 70] * 120))) == 120


def test_every_type_is_one_that_arrow_and_postgresql_know(execute: Execute) -> None:
    for type_ in inference.TYPES:
        assert execute("SELECT to_regtype(%s)::text", (type_.name,)) == [(type_.name,)]


def test_json_is_spelled_as_it_was_read() -> None:
    assert (
        json_lines.spelled({"a": [json_lines.Number("1.10"), None, True, "ü\n"]}) == '{"a": [1.10, null, true, "ü\\n"]}'
    )
    with pytest.raises(ValueError, match="bytes"):
        json_lines.spelled([b"x"])
