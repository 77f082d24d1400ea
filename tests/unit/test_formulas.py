"""What a spreadsheet would run is found, and nothing else is touched."""

from __future__ import annotations

import pytest

from undertone import formulas

RUN = [
    "=1+1",
    '=HYPERLINK("http://x")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\u200b\ufeff=1+1",
    "\x00=1",
    "\tanything that a program without quotes would put into a cell of its own",
    "-",
    "=",
    "+49 30 123",
    "-2+3+cmd|' /C calc'!A0",
    "-1_000",  # a number to Python alone
    "-1 days",
    "-1e5e5",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
]
NUMBERS = ["-1", "+1.5", "-12.3400", "1e5", "-1e-9", "-.5", "-5.", " -1", "-Infinity", "-infinity"]
TEXTS = [
    "plain",
    "a=b",
    "",
    " ",
    "\n",
    "a\n=1",
    'a "quote", a comma',
    "two\nlines",
    "ä€😀",
    "'",
    "'=1",
    "{=1}",
    "\ud83d",
]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert formulas.harmless(text) == "'" + text
    assert formulas.harmless_all(["x", None, text]) == ["x", None, "'" + text]


@pytest.mark.parametrize("text", NUMBERS + TEXTS)
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert formulas.harmless(text) == text
    assert list(formulas.harmless_all([text, None])) == [text, None]


def test_a_column_with_nothing_to_do_is_not_copied() -> None:
    texts = ("x", None, "", "12")
    assert formulas.harmless_all(texts) is texts
