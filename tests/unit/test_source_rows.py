"""What reading a source promises: pieces of SQL that stay in their parentheses, small slices, and who is to blame."""

from __future__ import annotations

import psycopg2
import pytest

from tests.unit import scored
from undertone import console, database, scores, source_rows

Execute = scored.Execute
ID = scores.Kept("id", "integer", "id", "integer")
KIND = scores.Kept("kind", "text", "kind", "text")


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("SELECT 1", "SELECT 1"),
        (" SELECT 1 ; \n", "SELECT 1"),
        ("SELECT 1;;\n;", "SELECT 1"),
        ("SELECT 1; -- so", "SELECT 1"),
        ("SELECT 1; /* a ; b */ ;-- c", "SELECT 1"),
        ("SELECT ';' -- ;", "SELECT ';' -- ;"),
        ("SELECT 1 /* ; */", "SELECT 1 /* ; */"),
        ("SELECT $$;$$;", "SELECT $$;$$"),
        ("SELECT 1; SELECT 2;", "SELECT 1; SELECT 2"),
        (";", ""),
    ],
)
def test_the_end_of_a_query_is_taken_off(query: str, left: str) -> None:
    assert source_rows.bare(query) == left


@pytest.mark.parametrize(
    "piece", ["a = 1", "f(a, (b))", "a = ';'", "a = $$)$$", '")" = 1', "a -- )", "a /* ) */ = 1", ""]
)
def test_a_piece_that_closes_what_it_opens_will_do(piece: str) -> None:
    source_rows.check_piece(piece, "condition")


@pytest.mark.parametrize("piece", ["a)", "(a", "a) OR (b", "a;", "a; b", "a = 'b", 'a = "b', "a /* b", "a = $$b", ")("])
def test_a_piece_that_does_not_is_refused(piece: str) -> None:
    with pytest.raises(source_rows.SourceError, match=r"^The condition (must be a single one|has a parenthesis)"):
        source_rows.check_piece(piece, "condition")


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        *((name, "time") for name in ("date", "timestamp without time zone", "timestamp(3) with time zone")),
        *((name, "number") for name in ("smallint", "integer", "bigint", "numeric", "numeric(10,0)")),
        *((name, "") for name in ("text", "uuid", "real", "double precision", "time without time zone", "integer[]")),
    ],
)
def test_what_new_rows_can_be_told_by(type_: str, kind: str) -> None:
    assert source_rows.kind(type_) == kind


def test_who_is_to_blame_for_an_error() -> None:
    class Coded(psycopg2.Error):
        def __init__(self, code: str | None) -> None:
            self._code = code

        @property
        def pgcode(self) -> str | None:  # type: ignore[override]
            return self._code

    def caused(code: str | None) -> database.DatabaseError:
        error = database.DatabaseError("The data answered")
        error.__cause__ = Coded(code)
        return error

    blamed = ["22012", "22021", "54000", "XX000"]
    not_blamed = ["42P01", "57014", "57P01", "08006", "40001", "53200", None]
    assert all(source_rows.row_fault(caused(code)) is not None for code in blamed)
    assert all(source_rows.row_fault(caused(code)) is None for code in not_blamed)
    assert source_rows.row_fault(console.StatementFailed("division by zero", sqlstate="22012")) == "division by zero"
    assert source_rows.row_fault(console.StatementFailed("no such table", sqlstate="42P01")) is None
    assert source_rows.row_fault(console.StatementLimited("too long")) is None
    assert source_rows.row_fault(database.ConnectionLost("lost")) is None
    assert source_rows.row_fault(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")) is not None
    assert source_rows.row_fault(KeyError()) is None


def made(execute: Execute) -> scores.Source:
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, kind text)")
    execute(
        "INSERT INTO texts SELECT n, CASE WHEN n % 7 > 0 THEN repeat('é👍', n * 100) END, nullif(n % 3, 0)"
        " FROM generate_series(1, 30) AS n"
    )
    return scores.Source(1, "texts", "here", "public", "texts", "body", (ID,), (KIND,))


@pytest.mark.parametrize("condition", ["", "true"])
def test_rows_come_in_their_order_in_slices_with_the_beginning_of_their_texts(
    data_pool: database.Database, execute: Execute, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    monkeypatch.setattr(source_rows, "SLICE_CHARACTERS", 2_000)
    monkeypatch.setattr(source_rows, "FETCH_ROWS", 2)
    reader = source_rows.Reader(data_pool, data_pool)
    selection = source_rows.Selection(made(execute), condition)
    place = source_rows.Range(("2",), ("29",))
    slices = list(source_rows.slices(reader, selection, place, 1000))
    assert len(slices) > 10
    assert all(sum(len(row.text or "") for row in rows[:-1]) < 2_000 for rows in slices)
    rows = [row for one in slices for row in one]
    assert [row.key for row in rows] == [(str(n),) for n in range(3, 30)]
    assert [row.context for row in rows] == [(str(n % 3) if n % 3 else None,) for n in range(3, 30)]
    hashes = dict(execute("SELECT id::text, coalesce(md5(body), repeat('0', 32)) FROM texts"))
    for row in rows:
        n = int(row.key[0] or "")
        whole = "é👍" * n * 100 if n % 7 else None
        assert (row.text, row.length) == (whole and whole[:1000], len(whole or ""))
        assert row.hash == hashes[str(n)]


@pytest.mark.parametrize("condition", ["", "id <> 5"])
def test_keys_come_for_every_kind_of_place(data_pool: database.Database, execute: Execute, condition: str) -> None:
    reader = source_rows.Reader(data_pool, data_pool)
    selection = source_rows.Selection(made(execute), condition)
    left = [n for n in range(1, 31) if not (condition and n == 5)]

    def keys(place: source_rows.Place) -> list[int]:
        return [int(str(key[0])) for key in source_rows.keys(reader, selection, place)]

    assert keys(None) == left
    assert keys(source_rows.Range(None, ("10",))) == [n for n in left if n <= 10]
    assert keys(source_rows.Range(("4",), ("10",))) == [n for n in left if 4 < n <= 10]
    assert keys([("9",), ("5",), ("100",), ("1",)]) == [n for n in (1, 5, 9) if n in left]


def test_reading_is_given_up_after_its_time(
    data_pool: database.Database, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(execute)
    long = "(SELECT count(*) FROM generate_series(texts.id, 2000000))::text"
    execute(f"CREATE VIEW slow AS SELECT id, body || {long} AS body, kind FROM texts")
    slow = scores.Source(1, "slow", "here", "public", "slow", "body", (ID,), (KIND,))
    monkeypatch.setattr(source_rows, "READ_SECONDS", 0.5)
    reader = source_rows.Reader(data_pool, data_pool)
    with pytest.raises(database.DatabaseError, match="statement timeout"):
        list(source_rows.slices(reader, source_rows.Selection(slow), None, 1000))
    assert len(list(source_rows.slices(reader, source_rows.Selection(source), None, 1000))) == 1
