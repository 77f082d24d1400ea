"""What is known of values: their types as asked for, and how many bytes they take up here."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from undertone import console, database, values

ROWS: list[tuple[Any, ...]] = [
    (1, "plain", None, True),
    (2**40, "ü" * 7, 1.5, False),
    (None, "👍 and more", float("inf"), None),
    (-3, "", -0.0, True),
    (0, None, 1e300, True),
]
NUMBERS = {0, 2, 3}
NUMERIC = """
SELECT nullif(g, 3) AS i, g::int2 AS s, g * 10000000000 AS b, g::oid AS o, g / 7.0::float8 AS d, g / 7.0::float4 AS r,
       g % 2 = 0 AS t, g::numeric AS n, 'text ' || g AS x
FROM generate_series(1, 3000) AS g
"""


def one(row: tuple[Any, ...]) -> int:
    """Bytes of a row: a number counts as a large one, truth as a number, null as its place only."""
    sizes = (sys.getsizeof(value if isinstance(value, str) else 2**62) for value in row if value is not None)
    return 64 + 8 * len(row) + sum(sizes)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[2:3], [(None,) * 4], []])
def test_each_value_is_counted(rows: list[tuple[Any, ...]]) -> None:
    assert values.size(values.Batch(rows), NUMBERS) == sum(map(one, rows))


def test_a_number_left_as_text_counts_as_a_number() -> None:
    left = [(None if i is None else str(i), text, None if f is None else repr(f), truth) for i, text, f, truth in ROWS]
    assert values.size(values.Batch(left), NUMBERS) == values.size(values.Batch(ROWS), NUMBERS)


def test_rows_without_columns_count_too() -> None:
    assert values.size(values.Batch([(), ()]), ()) == 2 * 64


@pytest.mark.parametrize("kept", range(len(ROWS) + 1))
def test_rows_are_cut_where_the_bytes_end(kept: int) -> None:
    most = sum(map(one, ROWS[:kept]))
    for more in (0, 1):  # less than any row
        rows = values.Batch(ROWS)
        assert values.size(rows, NUMBERS)  # as the lane does: the columns are known by then
        assert values.cut(rows, most + more, NUMBERS) == most
        assert rows == ROWS[:kept]
        assert rows.columns == (list(zip(*ROWS[:kept], strict=True)))


def test_shorter_rows_have_shorter_columns() -> None:
    rows = values.Batch([(1, "a"), (2, "b"), (3, "c")])
    assert rows.columns == [(1, 2, 3), ("a", "b", "c")]
    rows.shorten(1)
    assert (rows, rows.columns) == ([(1, "a")], [(1,), ("a",)])


def test_numbers_are_left_where_somebody_asks(data_pool: database.Database) -> None:
    with console.stream(data_pool, NUMERIC) as answer:
        assert answer.leave_numbers() == {0, 1, 2, 3, 4, 5}
        batches = list(answer)
    assert [type(value) for value in batches[0][0]] == [int, int, int, int, float, float, bool, str, str]
    left = [row for batch in batches[1:] for row in batch]
    assert len(left) == 2_999
    assert left[1][0] is None
    assert [type(value) for value in left[0]] == [str, str, str, str, str, str, bool, str, str]


@pytest.mark.parametrize("most", [150, 1_000, 100_000, 1_000_000])
def test_an_answer_is_cut_at_the_same_row_if_numbers_are_left(data_pool: database.Database, most: int) -> None:
    limits = console.Limits(bytes=most)
    read = console.run(data_pool, NUMERIC, limits)
    with console.stream(data_pool, NUMERIC, limits) as answer:
        answer.leave_numbers()
        count = sum(map(len, answer))
    assert read.truncated == answer.truncated == "bytes"
    assert count == len(read.rows) < 3_000
