"""What a file for a spreadsheet promises: nothing in it runs, numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest

from undertone import export


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x")',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "-",
        "=",
        "+49 30 123",
        "-2+3+cmd|' /C calc'!A0",
    ],
)
def test_what_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    assert read(export.csv_bytes([text], [[text]])) == [["'" + text], ["'" + text]]


@pytest.mark.parametrize("value", [-1, 0, 2.5, -1e-9, "-1", "+1.5", "-12.3400", "1e5", True, 2**70])
def test_numbers_are_left_as_they_are(value: object) -> None:
    assert read(export.csv_bytes(["n"], [[value]])) == [["n"], [str(value)]]


@pytest.mark.parametrize(
    "text", ["plain", "a=b", " =1+1 is what I wrote", 'a "quote", a comma', "two\nlines", "ä€😀", "'"]
)
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert read(export.csv_bytes(["t"], [[text]])) == [["t"], [text]]


def test_a_spreadsheet_sees_that_it_is_utf_8() -> None:
    assert export.csv_bytes(["ä"], []).startswith(b"\xef\xbb\xbf")


def test_nothing_is_an_empty_field() -> None:
    assert read(export.csv_bytes(["a", "b"], [[None, ""]])) == [["a", "b"], ["", ""]]


def test_half_a_character_does_not_break_the_file() -> None:
    assert read(export.csv_bytes(["a"], [["\ud83d alone"], ["next"]])) == [["a"], ["? alone"], ["next"]]
