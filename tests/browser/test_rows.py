"""The rows of a table in a real browser: clicks sort, page, choose and filter; what is stored is only ever text."""

from __future__ import annotations

import csv
import json
import pathlib
import re
import urllib.parse

from playwright.sync_api import Dialog, Locator, Page, expect

from tests import running
from tests.browser import conftest
from tests.unit import command_line

NASTY = "<img src=x onerror=alert(1)> **bold** ![x](http://127.0.0.1:9/x.png)"
COLUMN = f"**x** :red[y] {NASTY}"[:60]
TABLE = f"""
CREATE TABLE odd_rows (id bigint PRIMARY KEY, "{COLUMN}" text, n int, ok boolean, at timestamptz, long text);
INSERT INTO odd_rows
SELECT g, CASE g % 3 WHEN 0 THEN '{NASTY}' WHEN 1 THEN '' END, g % 7, NULLIF(g % 3, 2) = 1,
       timestamptz '2026-07-01 12:00:00+00' + g * interval '1 minute', repeat('word ', 1000) || g
FROM generate_series(1, 120) AS g;
GRANT SELECT ON odd_rows TO undertone_reader;
ANALYZE odd_rows
"""


def grid(page: Page) -> Locator:
    return page.get_by_role("grid", name="Rows of ")


def cell(page: Page, row: int, column: int) -> Locator:
    """A cell of the page; column 0 opens the row."""
    return grid(page).locator("tbody tr").nth(row).locator("td").nth(column)


def parameters(page: Page) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))


def test_rows_are_text_and_clicks_sort_page_choose_and_come_back(app: running.App, page: Page) -> None:
    command_line.as_owner(app.home.path, TABLE)
    asked: list[str] = []
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", dismiss)
    page.goto(f"{app.address}/tables?table=odd_rows")
    expect(cell(page, 2, 2)).to_have_text(NASTY)
    assert grid(page).locator("img, b, strong, script").count() == 0
    heads = grid(page).get_by_role("columnheader")
    expect(heads.nth(2).locator(".name")).to_have_text(COLUMN)
    # Null is apart from an empty text and from false.
    expect(cell(page, 0, 2)).to_have_text("empty")
    expect(cell(page, 1, 2)).to_have_text("null")
    expect(cell(page, 1, 4)).to_have_text("null")
    expect(cell(page, 2, 4)).to_have_text("false")
    expect(cell(page, 0, 5)).to_have_attribute("title", "2026-07-01 12:01:00+00")
    # The next page, and back by the browser.
    page.get_by_role("button", name="Next").click()
    expect(cell(page, 0, 1)).to_have_text("51")
    expect(page.get_by_text("Rows 51 to 100")).to_be_visible()
    assert parameters(page) == {"table": "odd_rows", "after": '["50"]'}
    page.go_back()
    expect(cell(page, 0, 1)).to_have_text("1")
    # A heading sorts, and one more with Shift beside it.
    heads.nth(3).get_by_role("button").click()
    expect(heads.nth(3)).to_have_attribute("aria-sort", "ascending")
    heads.nth(3).get_by_role("button").click()
    expect(heads.nth(3)).to_have_attribute("aria-sort", "descending")
    heads.nth(1).get_by_role("button").click(modifiers=["Shift"])
    expect(heads.nth(1).locator(".order")).to_have_text("▲2")
    expect(cell(page, 0, 1)).to_have_text("6")
    conftest.settle(page)
    assert json.loads(parameters(page)["sort"]) == ["-n", "+id"]
    # A value in full, by the keyboard; only rows with it; its row.
    cell(page, 0, 1).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(cell(page, 1, 3)).to_have_class(re.compile("chosen"))
    cell(page, 0, 6).click()
    value = page.locator(".st-key-tables_value")
    expect(value.locator("td")).to_contain_text("word " * 999 + "word 6")
    cell(page, 0, 2).click()
    expect(value.locator("td")).to_have_text(NASTY)
    assert value.locator("img, b, strong, script").count() == 0
    value.get_by_role("button", name="Only rows with this value").click()
    expect(page.get_by_role("button", name=re.compile(" is ")).first).to_be_visible()
    expect(cell(page, 1, 2)).to_have_text(NASTY)
    assert json.loads(parameters(page)["where"]) == [[COLUMN, "eq", NASTY]]
    number = cell(page, 0, 1).text_content()
    cell(page, 0, 0).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"odd_rows · {number}")
    page.go_back()
    expect(cell(page, 0, 1)).to_have_text(str(number))
    assert dialogs == []
    assert not [url for url in asked if ":9/" in url]


def test_a_filter_a_file_and_sql_take_the_same_rows_along(app: running.App, page: Page, tmp_path: pathlib.Path) -> None:
    command_line.as_owner(app.home.path, TABLE.replace("odd_rows", "more_rows"))
    page.goto(f"{app.address}/tables?table=more_rows")
    expect(cell(page, 0, 1)).to_have_text("1")
    page.get_by_role("button", name="Filter", exact=True).click()
    conftest.choose(page, "Column", "n")
    page.get_by_role("combobox", name="Value").fill("4")
    page.get_by_role("combobox", name="Value").press("Enter")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("button", name="n is 4")).to_be_visible()
    expect(cell(page, 0, 1)).to_have_text("4")
    page.get_by_role("textbox", name="Search").fill("word 11")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(cell(page, 0, 1)).to_have_text("11")
    assert parameters(page) == {"table": "more_rows", "q": "word 11", "where": '[["n","eq","4"]]'}

    page.get_by_role("button", name="Download").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save CSV file").click()
    page.get_by_role("radio", name="All matching rows").click()
    page.get_by_role("button", name="Prepare").click()
    with page.expect_download() as all_saved:
        page.get_by_role("button", name="Save CSV file").click()
    for number, download in enumerate((saved.value, all_saved.value)):
        assert download.suggested_filename == "more_rows.csv"
        file = tmp_path / str(number)
        download.save_as(file)
        rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
        assert [row[0] for row in rows] == ["id", "11", "116"]
        assert rows[1][-1] == "word " * 1000 + "11"
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Open as SQL").click()
    editor = page.get_by_role("textbox", name="SQL statement")
    expect(editor).to_contain_text("FROM more_rows")
    expect(editor).to_contain_text("n = 4")
    page.go_back()
    expect(page.get_by_role("button", name="n is 4")).to_be_visible()
    expect(cell(page, 0, 1)).to_have_text("11")


def test_the_column_of_the_profile_stands_in_the_address(app: running.App, page: Page) -> None:
    command_line.as_owner(app.home.path, TABLE.replace("odd_rows", "told_rows"))
    page.goto(f"{app.address}/tables?table=told_rows&part=profile")
    heading = page.get_by_role("heading", level=3)
    expect(heading).to_have_text("id")
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 18, box["y"] + 36 * 2.5)  # the box in front of the second column
    expect(heading).to_have_text(COLUMN)
    conftest.settle(page)
    link = page.url
    assert parameters(page) == {"table": "told_rows", "part": "profile", "column": COLUMN}
    page.mouse.click(box["x"] + 18, box["y"] + 36 * 3.5)
    expect(heading).to_have_text("n")
    conftest.settle(page)
    page.mouse.click(box["x"] + 18, box["y"] + 36 * 3.5)  # it is chosen: this takes it away
    expect(heading).to_have_text("id")
    conftest.settle(page)
    assert parameters(page) == {"table": "told_rows", "part": "profile"}
    for name in ("n", COLUMN, "id"):
        page.go_back()
        expect(heading).to_have_text(name)
    # A colleague who opens the link sees the same.
    page.goto(link)
    expect(heading).to_have_text(COLUMN)
