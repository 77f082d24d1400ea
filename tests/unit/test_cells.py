"""How values of a page are shown: nothing of a number or a time is lost, null is not empty, and what is long is cut."""

from __future__ import annotations

import zoneinfo

import pytest

from elements import cells, grid, sorts
from undertone import looks, paging, reading, relations

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def field(base: str, name: str = "c", category: str = "other") -> relations.Field:
    column = relations.Column(name, base, category, nullable=True, default=None, comment=None)
    return relations.Field(column, base, sortable=True, indexed=False, enum=False)


def shown(base: str, value: object, name: str = "c", *, naming: bool = False) -> object:
    (cell,) = cells.column(field(base, name), [value], BERLIN, naming=naming)
    return cell


@pytest.mark.parametrize(
    ("base", "value", "text"),
    [
        ("bigint", 9007199254740993, "9,007,199,254,740,993"),
        ("bigint", -1234, "-1,234"),
        ("numeric", "-12345678901234567890.1234567890", "-12,345,678,901,234,567,890.1234567890"),
        ("numeric", "NaN", "NaN"),
        ("numeric", "0.10", "0.10"),
        ("double precision", 1e22, "1e+22"),
        ("double precision", 0.1, "0.1"),
        ("real", float("-inf"), "-Infinity"),
        ("numeric", "9" * 5_000, "9" * 5_000),
    ],
)
def test_a_number_is_shown_with_all_of_its_digits(base: str, value: object, text: str) -> None:
    assert shown(base, value) == {"text": text, "kind": "number"}


def test_a_number_that_names_something_is_not_read_in_thousands() -> None:
    assert shown("bigint", 12345, "customer_id") == {"text": "12345", "kind": "number"}
    assert shown("integer", 2026, "year") == {"text": "2026", "kind": "number"}
    assert shown("integer", 12345, "n", naming=True) == {"text": "12345", "kind": "number"}
    assert shown("integer", 12345, "paid") == {"text": "12,345", "kind": "number"}


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2026-07-01 12:00:00.123456+00", "2026-07-01 14:00:00.123456"),
        ("2026-01-01 00:30:00+01", "2026-01-01 00:30:00"),
    ],
)
def test_a_moment_is_shown_in_the_readers_zone_and_exact_at_hand(text: str, local: str) -> None:
    assert shown("timestamp with time zone", text) == {"text": local, "kind": "time", "exact": text}
    assert "Europe/Berlin" in cells.about(field("timestamp with time zone"), BERLIN)


@pytest.mark.parametrize(
    ("base", "text"),
    [
        ("timestamp with time zone", "infinity"),
        ("timestamp with time zone", "0044-03-15 11:00:00+00 BC"),
        ("timestamp without time zone", "2026-07-01 12:00:00"),
        ("date", "2026-07-01"),
        ("interval", "1 day 02:00:00"),
        ("int4range", "[1,5)"),
        ("text[]", '{a,"b c"}'),
        ("jsonb", '{"a": 12345678901234567890.10}'),
        ("text", "**x** <b>![x](http://127.0.0.1:9/x.png)"),
        ("point", "(1,2)"),
        ("text", ""),
    ],
)
def test_all_else_is_shown_as_the_server_writes_it(base: str, text: str) -> None:
    assert shown(base, text) == text


def test_nothing_is_not_an_empty_text_nor_false() -> None:
    assert cells.column(field("text"), [None, "", "null"], BERLIN) == [None, "", "null"]
    assert cells.column(field("boolean"), [None, False, True], BERLIN) == [
        None,
        {"text": "false", "kind": "false"},
        {"text": "true", "kind": "true"},
    ]


def test_bytes_are_shown_by_their_number_and_the_first_of_them() -> None:
    assert shown("bytea", "\\x") == {"text": "0 B", "kind": "bytes"}
    assert shown("bytea", "\\x00ff") == {"text": "2 B · 00 ff", "kind": "bytes"}
    cut = "\\x" + "ab" * 999 + reading.MARK + " (1234567 bytes)"
    assert shown("bytea", cut) == {"text": "1.2 MB · " + " ".join(["ab"] * 12) + " …", "kind": "bytes"}


def test_a_long_text_is_cut_and_half_a_character_is_not_sent() -> None:
    assert shown("text", "x" * 5_000) == {"text": "x" * cells.SHOWN + "…", "kind": "cut"}
    assert shown("text", "a\ud83d") == "a\ufffd"


def test_a_heading_sorts_up_then_down_then_not_at_all_and_beside_others() -> None:
    up, down, other = looks.Sort("a"), looks.Sort("a", True), looks.Sort("b")
    assert sorts.clicked((), "a", more=False) == (up,)
    assert sorts.clicked((up,), "a", more=False) == (down,)
    assert sorts.clicked((down,), "a", more=False) == ()
    assert sorts.clicked((other,), "a", more=False) == (up,)
    assert sorts.clicked((other,), "a", more=True) == (other, up)
    assert sorts.clicked((up, other), "a", more=True) == (down, other)
    assert sorts.clicked((down, other), "a", more=True) == (other,)
    many = tuple(looks.Sort(str(number)) for number in range(sorts.MOST))
    assert len(sorts.clicked(many, "a", more=True)) == sorts.MOST


def test_the_grid_gets_headings_links_and_what_is_pinned() -> None:
    fields = [field("bigint", "id"), field("text", "<b>")]
    page = paging.Page(
        tuple(one.column for one in fields), [(1, "a"), (2, None)], True, True, ("1",), ("2",), keys=[("1",), ("2",)]
    )
    look = looks.Look('"odd/%"', sorts=(looks.Sort("id", True), looks.Sort("<b>")), pinned=("id",))
    data = grid.described(page, look, fields, ("id",), BERLIN, identity="p", chosen=(1, 1))
    assert [(column["name"], column["order"], column["place"]) for column in data["columns"]] == [
        ("id", "descending", 1),
        ("<b>", "ascending", 2),
    ]
    assert (data["pinned"], data["chosen"], data["openable"]) == (1, [1, 1], True)
    assert data["rows"] == [[{"text": "1", "kind": "number"}, "a"], [{"text": "2", "kind": "number"}, None]]
    assert data["links"] == [f"row?table=%22odd%2F%25%22&key=%5B%22{number}%22%5D" for number in (1, 2)]
    keyless = paging.Page(page.columns, page.rows, True, True, ("1",), ("2",))
    assert not grid.described(keyless, look, fields, (), BERLIN, identity="p")["openable"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        {},
        {"page": "another", "row": 0},
        {"page": "p", "row": 2},
        {"page": "p", "row": -1},
        {"page": "p", "row": True},
        {"page": "p", "row": 0.0},
        {"page": "p", "row": 0, "column": 1},
        {"page": "p", "row": None},
    ],
)
def test_a_click_that_is_not_about_this_page_says_nothing(value: object) -> None:
    data = {"page": "p", "rows": [[1], [2]], "columns": [{}]}
    assert grid._checked(value, data) == {}
    right = {"page": "p", "row": 1, "column": 0}
    assert grid._checked(right, data) == right
