"""The tree as a person uses it: a page of its own, on a database of many tables and odd names."""

from __future__ import annotations

import pathlib
import sys
import urllib.parse
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import running
from tests.browser import conftest
from tests.unit import command_line

PAGE = pathlib.Path(__file__).parent / "tree_page.py"
MANY = 1_000
LABEL = 'odd."<img src=x onerror=""document.title=1""> **b** %s/&?"'
READER = "undertone_reader"
WORLD = f"""
CREATE SCHEMA many; CREATE SCHEMA odd;
DO $$ BEGIN FOR n IN 1 .. {MANY} LOOP
    EXECUTE format('CREATE TABLE many.t%s (id int, col%s int)', n, n);
END LOOP; END $$;
CREATE TABLE {LABEL} (id int PRIMARY KEY, "<b>needle</b>" int);
CREATE TABLE odd.parts (id int, other int REFERENCES {LABEL}) PARTITION BY RANGE (id);
CREATE TABLE odd.part_1 PARTITION OF odd.parts FOR VALUES FROM (0) TO (10);
INSERT INTO odd.parts VALUES (1), (2); ANALYZE odd.parts; INSERT INTO odd.parts VALUES (3);
GRANT USAGE ON SCHEMA many, odd TO {READER}; GRANT SELECT ON ALL TABLES IN SCHEMA many, odd TO {READER}
"""


@pytest.fixture(scope="module")
def app() -> Iterator[running.App]:
    command = (sys.executable, "-m", "streamlit", "run", str(PAGE))
    with running.home() as home:
        home.environment |= {"UNDERTONE_LOCAL_WORKER": "false", "PYTHONPATH": str(running.ROOT)}
        command_line.as_owner(home.path, WORLD)
        with running.app(home, command) as app:
            yield app


@pytest.fixture
def tree(app: running.App, page: Page) -> Page:
    page.goto(app.address)
    expect(page.get_by_role("treeitem").first).to_be_visible()
    conftest.settle(page)
    return page


def address(page: Page) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))


def test_words_find_a_table_by_its_column_and_a_key_opens_it(tree: Page) -> None:
    title = tree.title()
    many = tree.get_by_role("treeitem").filter(has_text="many")
    expect(many.first).to_be_visible()
    # However many there are, only those in view are drawn.
    assert tree.get_by_role("treeitem").count() < 80
    search = tree.get_by_role("combobox", name="Search tables and columns")
    search.fill("needle ODD")
    expect(tree.get_by_role("status").filter(has_text="1 of ")).to_be_visible()
    found = tree.get_by_role("treeitem")
    expect(found).to_have_count(2)
    expect(found.nth(0)).to_contain_text(LABEL)
    expect(found.nth(1)).to_contain_text("<b>needle</b>")
    search.press("ArrowDown")
    search.press("Enter")
    expect(tree.get_by_text("Here is odd.")).to_have_text(f"Here is {LABEL}")
    assert address(tree) == {"table": LABEL}
    # The search is as it was, and the table that is open is marked.
    expect(search).to_have_value("needle ODD")
    expect(found.nth(0)).to_have_attribute("aria-selected", "true")
    search.press("Escape")
    # What is far down is drawn when it is wanted, and stands below what it is a part of.
    tree.get_by_role("tree").focus()
    tree.keyboard.press("End")
    parts = tree.get_by_role("treeitem").filter(has_text="parts")
    expect(parts).to_have_attribute("aria-expanded", "false")
    tree.keyboard.press("ArrowRight")
    part = tree.get_by_role("treeitem").filter(has_text="part_1")
    expect(part).to_have_attribute("aria-level", "3")
    tree.keyboard.press("ArrowDown")
    tree.keyboard.press("Enter")
    expect(tree.get_by_text("Here is odd.part_1")).to_be_visible()
    tree.go_back()
    expect(tree.get_by_text("Here is odd.")).to_have_text(f"Here is {LABEL}")
    tree.go_back()
    expect(tree.get_by_text("Here is odd.")).to_have_count(0)
    assert address(tree) == {}
    assert tree.locator("img[src=x]").count() == 0
    assert tree.title() == title


def test_favourites_stay_and_one_that_is_gone_can_be_removed(tree: Page, app: running.App) -> None:
    command_line.as_owner(app.home.path, f"CREATE TABLE odd.brief (id int); GRANT SELECT ON odd.brief TO {READER}")
    tree.get_by_role("button", name="Refresh").click()
    search = tree.get_by_role("combobox", name="Search tables and columns")
    search.fill("brief")
    row = tree.get_by_role("treeitem").filter(has_text="odd.brief")
    row.hover()
    row.get_by_role("button", name="Add to favourites").click()
    expect(row.get_by_role("button", name="Remove from favourites")).to_be_visible()
    conftest.settle(tree)
    command_line.as_owner(app.home.path, "DROP TABLE odd.brief")
    tree.reload()
    tree.get_by_role("button", name="Refresh").click()
    gone = tree.get_by_role("treeitem").filter(has_text="odd.brief")
    expect(gone).to_contain_text("gone")
    expect(tree.get_by_role("treeitem").first).to_contain_text("Favourites")
    gone.get_by_role("button", name="Remove from favourites").click()
    expect(gone).to_have_count(0)
    conftest.settle(tree)
    # Rows are counted where somebody wants that.
    search.fill("odd.parts")
    parts = tree.get_by_role("treeitem").filter(has_text="odd.parts")
    expect(parts).to_contain_text("≈ 2")
    parts.hover()
    parts.get_by_role("button", name="count").click()
    expect(parts.locator(".figure")).to_have_text("3")
    tree.reload()
    expect(tree.get_by_role("treeitem").first).to_be_visible()
    expect(tree.get_by_role("treeitem").filter(has_text="Favourites")).to_have_count(0)


def test_a_section_of_the_structure_is_kept_from_table_to_table(app: running.App, page: Page) -> None:
    page.goto(f"{app.address}/?{urllib.parse.urlencode({'table': 'odd.parts', 'part': 'structure'})}")
    page.get_by_role("tab", name="References").click()
    # The diagram is drawn by what comes with the app.
    expect(page.locator("[data-testid=stGraphVizChart] svg text").filter(has_text="<img src=x")).to_be_visible()
    assert address(page)["section"] == "References"
    page.get_by_test_id("stBaseButton-tertiary").filter(has_text="odd.").click()
    expect(page.get_by_text("Here is odd.")).to_have_text(f"Here is {LABEL}")
    expect(page.get_by_role("tab", name="References")).to_have_attribute("aria-selected", "true")
    assert address(page) == {"table": LABEL, "part": "structure", "section": "References"}
    page.get_by_role("tab", name="DDL").click()
    expect(page.get_by_test_id("stCode")).to_contain_text('"<b>needle</b>" integer')
    page.go_back()
    expect(page.get_by_role("tab", name="References")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_text("Here is odd.")).to_have_text("Here is odd.parts")
    assert page.locator("img[src=x]").count() == 0
