"""Which chart an answer wants to be, what of it is drawn, and what a chart from anywhere may say."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from undertone import chart_data, charts, console

Chart = charts.Chart
DAYS = [f"2024-01-{day:02d}" for day in range(1, 29)]


def answer(rows: list[tuple[Any, ...]], **columns: str) -> console.Result:
    return console.Result(
        tuple(console.Column(name, type.replace("_", " ")) for name, type in columns.items()), rows, None, 0.1
    )


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (answer([(day, n) for n, day in enumerate(DAYS)], day="date", n="bigint"), Chart("line", "day", ("n",))),
        (
            answer([(n, day) for n, day in enumerate(DAYS)], n="bigint", at="timestamp_with_time_zone"),
            Chart("line", "at", ("n",)),
        ),
        (
            answer([(day, f"c{n % 3}", n) for n, day in enumerate(DAYS * 3)], day="date", label="text", n="bigint"),
            Chart("line", "day", ("n",), "label"),
        ),
        # Of one size they share an axis, else the first has it.
        (
            answer([(day, n, 2 * n) for n, day in enumerate(DAYS)], day="date", a="bigint", b="bigint"),
            Chart("line", "day", ("a", "b")),
        ),
        (
            answer([(day, n, 1000 * n) for n, day in enumerate(DAYS)], day="date", a="bigint", b="bigint"),
            Chart("line", "day", ("a",)),
        ),
        (answer([("a", 1), ("b", 2)], label="text", n="bigint"), Chart("bar", "label", ("n",))),
        (answer([(True, 1), (False, 2)], ok="boolean", n="numeric"), Chart("bar", "ok", ("n",))),
        (
            answer([(a, b, 1) for a in "xyz" for b in "pq"], a="text", b="text", n="bigint"),
            Chart("bar", "a", ("n",), "b"),
        ),
        (answer([(f"t{n}", n) for n in range(51)], t="text", n="bigint"), None),
        (answer([(n, 7) for n in range(1, 6)], rating="integer", count="bigint"), Chart("bar", "rating", ("count",))),
        (answer([(n / 7, n) for n in range(90)], a="double_precision", b="real"), Chart("scatter", "a", ("b",))),
        (answer([("1.5",), ("2.5",)], price="numeric"), Chart("histogram", "price", ())),
        (answer([(5,)], count="bigint"), Chart("number", None, ("count",))),
        (answer([("x", 5, "1.5")], t="text", n="bigint", m="numeric"), Chart("number", None, ("n", "m"))),
        (answer([("a",), ("b",), ("a",), ("a",)], label="text"), Chart("bar", "label", ())),
        (answer([("a",), ("b",)], t="text"), None),
        # A key is no quantity.
        (answer([(n, n) for n in range(60)], id="bigint", customer_id="bigint"), None),
        (answer([], n="bigint"), None),
        (console.Result((), [()], None, 0.1), None),
    ],
)
def test_the_kind_is_proposed_from_the_columns(result: console.Result, expected: Chart | None) -> None:
    proposed = charts.propose(result)
    assert proposed == expected
    if proposed is not None:
        assert charts.fits(proposed, result.columns)
        assert Chart.from_dict(json.loads(json.dumps(proposed.to_dict()))) == proposed


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "line",
        {},
        {"kind": "pie", "x": None, "y": []},
        {"kind": ["line"], "x": "a", "y": ["b"]},
        {"kind": "line", "x": 1, "y": ["b"]},
        {"kind": "line", "x": "", "y": ["b"]},
        {"kind": "line", "x": "a", "y": "b"},
        {"kind": "line", "x": "a", "y": [None]},
        {"kind": "line", "x": "a", "y": [["b"]]},
        {"kind": "line", "x": "a", "y": {"b": 1}},
        {"kind": "line", "x": "a", "y": ["b"], "color": {}},
        {"kind": "line", "x": "a" * 501, "y": ["b"]},
        {"kind": "line", "x": "\ud800", "y": ["b"]},
        {"kind": "line", "x": "a", "y": ["b"] * 9},
        {"kind": "line", "x": "a"},
    ],
)
def test_what_is_no_chart_is_refused(given: object) -> None:
    with pytest.raises(charts.ChartError):
        Chart.from_dict(given)


def test_what_a_chart_does_not_know_is_let_go() -> None:
    given = {"kind": "bar", "x": "a", "y": [], "color": None, "$schema": "http://x", "transform": [{}]}
    assert Chart.from_dict(given).to_dict() == {"kind": "bar", "x": "a", "y": [], "color": None}


@pytest.mark.parametrize(
    "chart",
    [
        Chart("line", "gone", ("n",)),
        Chart("line", "t", ("gone",)),
        Chart("line", "t", ("t",)),
        Chart("line", "t", ()),
        Chart("line", None, ("n",)),
        Chart("bar", "t", ("n",), "gone"),
        Chart("histogram", "t", ()),
        Chart("number", None, ()),
    ],
)
def test_a_chart_of_other_columns_does_not_fit(chart: Chart) -> None:
    assert not charts.fits(chart, answer([], t="text", n="bigint").columns)


def test_columns_of_one_name_are_told_apart() -> None:
    columns = (console.Column("n", "bigint"), console.Column("n", "bigint"), console.Column("", "text"))
    assert charts.shape(columns).all == {"n": 0, "n (2)": 1, "column": 2}
    data = chart_data.prepare(console.Result(columns, [(1, 2, "x")], None, 0.1), Chart("scatter", "n", ("n (2)",)))
    assert data.points.to_dict("list") == {"c0": [1], "c1": [2]}


# What is drawn


@pytest.mark.parametrize("name", ["a.b", "a[0]", "a:Q", 'a"b', "a'b", "a\\b", "", "count()", "a\nb", "constructor"])
def test_no_name_reaches_vega_as_syntax(name: str) -> None:
    columns = (console.Column(name, "text"), console.Column(f"{name}2", "bigint"))
    result = console.Result(columns, [("x", 1), ("y", 2)], None, 0.1)
    chart = charts.propose(result)
    assert chart is not None
    data = chart_data.prepare(result, chart)
    assert set(data.points.columns) == {"c0", "c1"}
    assert data.titles == {"c0": name or "column", "c1": f"{name}2"}


def test_moments_that_no_axis_has_are_left_out_and_counted() -> None:
    days = ["2024-01-01", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "9999-12-31", None]
    data = chart_data.prepare(answer([(day, 1) for day in days], d="date", n="bigint"), Chart("line", "d", ("n",)))
    assert list(data.points["c0"]) == [pd.Timestamp("2024-01-01"), pd.Timestamp("9999-12-31")]
    assert data.said == ("5 of 7 values are not drawn: null, infinity, BC, or no number.",)


def test_moments_with_a_zone_are_the_same_moments() -> None:
    texts = ["2024-01-01 00:00:00+00", "2024-01-01 00:00:00.5+05:30", "1890-01-01 00:00:00+00:53:28"]
    result = answer([(text, 1) for text in texts], at="timestamp_with_time_zone", n="bigint")
    points = chart_data.prepare(result, Chart("line", "at", ("n",))).points
    assert list(points["c0"][:2]) == [
        pd.Timestamp("2024-01-01", tz="UTC"),
        pd.Timestamp("2023-12-31 18:30:00.5", tz="UTC"),
    ]


def test_numbers_that_are_none_are_left_out_and_counted() -> None:
    values = ["1.5", "NaN", "Infinity", None, "1e400", "-2"]
    result = answer([(n, value) for n, value in enumerate(values)], x="real", y="numeric")
    data = chart_data.prepare(result, Chart("scatter", "x", ("y",)))
    assert list(data.points["c1"]) == [1.5, -2]
    assert "4 of 6 values are not drawn" in data.said[0]


@pytest.mark.parametrize("kind", ["line", "area", "scatter"])
def test_at_most_so_many_points_are_drawn_and_it_is_said(kind: str) -> None:
    result = answer([(n, n) for n in range(20_000)], x="integer", y="integer")
    data = chart_data.prepare(result, Chart(kind, "x", ("y",)))
    assert len(data.points) == chart_data.POINTS
    assert (data.points["c0"].min(), data.points["c0"].max()) == (0, 19_999)
    assert data.said == ("5,000 of 20,000 points are drawn, evenly taken.",)


def test_bars_of_one_place_are_added_up_and_keep_the_answers_order() -> None:
    result = answer([("b", 1), ("a", 2), ("b", 3), (None, 4)], t="text", n="integer")
    data = chart_data.prepare(result, Chart("bar", "t", ("n",)))
    assert data.points.to_dict("list") == {"c0": ["b", "a", "null"], "c1": [4, 2, 4]}
    assert data.said == ("Rows with the same place are added up.",)


def test_bars_without_a_number_count_rows() -> None:
    data = chart_data.prepare(answer([("b",), ("a",), ("b",)], t="text"), Chart("bar", "t", ()))
    assert data.points.to_dict("list") == {"c0": ["b", "a"], "c1": [2, 1]}
    assert data.titles["c1"] == "rows"
    assert data.said == ()


def test_the_largest_bars_and_the_most_frequent_colours_are_drawn() -> None:
    result = answer([(f"t{n}", f"c{n % 30}", n) for n in range(6_000)], t="text", c="text", n="integer")
    data = chart_data.prepare(result, Chart("bar", "t", ("n",), "c"))
    assert set(data.points["c0"]) == {f"t{n}" for n in range(5_950, 6_000)}
    assert data.points["c2"].nunique() <= charts.COLOURS
    assert len(data.said) == 2


def test_several_columns_share_the_picture_as_colours() -> None:
    result = answer([("2024-01-01", 1, 2)], d="date", a="integer", b="integer")
    data = chart_data.prepare(result, Chart("line", "d", ("a", "b")))
    assert list(zip(data.points["c1"], data.points["c2"], strict=True)) == [(1, "a"), (2, "b")]


def test_a_histogram_counts_every_value_once() -> None:
    values = [n / 10 for n in range(1_000)] + [float("inf")]
    data = chart_data.prepare(answer([(value,) for value in values], x="real"), Chart("histogram", "x", ()))
    assert data.points["c1"].sum() == 1_000
    assert 5 <= len(data.points) <= chart_data.BINS + 1
    assert data.points["end"].iloc[-1] > 99.9 >= data.points["c0"].iloc[-1]
    assert "1 of 1,001" in data.said[0]


@pytest.mark.parametrize(
    "values", [[5], [0, 0], [1.7e308, -1.7e308], [5e-324, 1e-323], [1e-300, 2e-300], [2**62, 2**62 + 1], [1, 5, 5], []]
)
def test_a_histogram_of_any_values_is_drawn(values: list[float]) -> None:
    data = chart_data.prepare(answer([(value,) for value in values], x="real"), Chart("histogram", "x", ()))
    assert data.points["c1"].sum() == len(values)
    assert len(data.points) <= 2 * chart_data.BINS


def test_long_texts_and_halves_of_characters_are_drawn_short_and_whole() -> None:
    result = answer([("x" * 10_000, 1), ("\ud83d\n y", 2)], t="text", n="integer")
    data = chart_data.prepare(result, Chart("bar", "t", ("n",)))
    assert list(data.points["c0"]) == ["x" * 79 + "…", "? y"]
