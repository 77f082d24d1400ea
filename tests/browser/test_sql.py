"""A person's path over the SQL page, in a real browser."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import time
from collections.abc import Callable

import playwright.sync_api
import psycopg2
import pytest
from playwright.sync_api import Page, expect

from tests import running
from tests.browser import conftest
from undertone import embedded

ENDLESS = "SELECT count(*) FROM generate_series(1, 1e12::bigint)"
CONSOLE = (embedded.READER, embedded.SCORES_READER)


def visit(app: running.App, page: Page, query: str = "") -> None:
    page.goto(f"{app.address}/sql{query}")
    expect(page.locator(".cm-content")).to_be_visible()
    conftest.settle(page)


def write(page: Page, statement: str) -> None:
    """Instead of all that stands in the editor."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(statement)
    page.keyboard.press("Escape")


def ask(page: Page, statement: str) -> None:
    write(page, statement)
    page.keyboard.press("Control+Enter")


def written(page: Page) -> str:
    return "\n".join(page.locator(".cm-line").all_inner_texts()).replace("\u200b", "")


def until_written(page: Page, text: str) -> None:
    running.wait_until(lambda: written(page) == text, f"the editor has {text!r}", 60)


def cells(page: Page) -> list[str]:
    """The cells of the answer's first row, without the one that selects it."""
    return [cell for cell in conftest.shown(page.get_by_test_id("stDataFrame").first)[0] if cell]


def button(page: Page, name: str) -> playwright.sync_api.Locator:
    return page.get_by_role("button", name=name, exact=True)


def under_way(app: running.App) -> int:
    """How many statements the console's accounts have on the server, as its superuser sees it."""
    state = json.loads((app.home.path / "cluster.json").read_text())
    directory = pathlib.Path(state["directory"] or app.home.path / "postgres")
    connection = psycopg2.connect(
        host=str(directory / "socket"),
        port=embedded.PORT,
        user=embedded.SUPERUSER,
        password=state["passwords"][embedded.SUPERUSER],
        dbname=embedded.DATABASE,
    )
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = ANY (%s) AND state NOT IN ('idle')",
            [list(CONSOLE)],
        )
        return int(cursor.fetchone()[0])


def until_gone(app: running.App) -> float:
    """Wait until the server does nothing for the console; how many seconds it took."""
    began = time.monotonic()
    running.wait_until(lambda: under_way(app) == 0, "the server has stopped it", 20)
    return time.monotonic() - began


@pytest.fixture
def another(chromium: playwright.sync_api.Browser) -> Callable[[], Page]:
    """Somebody else's browser."""
    contexts = []

    def make() -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1366, "height": 768}))
        contexts[-1].set_default_timeout(60_000)
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


def test_a_persons_path(app: running.App, page: Page, another: Callable[[], Page]) -> None:
    visit(app, page)
    expect(page.get_by_text("The answer will be shown here")).to_be_visible()

    # Completion from the live catalogue, and a run by keyboard alone.
    write(page, "SELECT count(*) AS n FROM ")
    page.keyboard.type("revi")
    offered = page.locator(".cm-tooltip-autocomplete li").first
    expect(offered).to_contain_text("reviews")
    page.wait_for_timeout(200)  # what came this moment is not taken
    page.keyboard.press("Enter")
    until_written(page, "SELECT count(*) AS n FROM reviews")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()
    assert cells(page) == ["321"]

    # An error is marked at its place, also where a part was run.
    ask(page, "SELECT 1;\nSELECT wrong FROM reviews")
    expect(page.get_by_test_id("stAlert")).to_contain_text("does not exist")
    expect(page.get_by_test_id("stCode")).to_contain_text("line 2:")
    expect(page.locator(".cm-lintRange-error")).to_have_text("wrong")

    # A parameter, sent as a value.
    statement = "SELECT rating, count(*) AS n FROM reviews WHERE rating >= :least::int GROUP BY rating ORDER BY rating"
    write(page, statement)
    page.get_by_label(":least").first.fill("4")
    page.keyboard.press("Enter")
    conftest.settle(page)
    button(page, "Run").click()
    expect(page.get_by_text(re.compile("^2 rows in"))).to_be_visible()
    assert cells(page)[0] == "4"

    # A chart is proposed.
    page.get_by_role("tab", name="Chart").click()
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()
    page.get_by_role("tab", name="Rows").click()

    # Saved under a name, found again under it.
    button(page, "Save").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Good ratings")
    dialog.get_by_label("Tags").fill("reviews")
    dialog.get_by_label("Tags").press("Enter")
    button(dialog, "Save").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("tab", name="Saved").click()
    expect(button(page, "Good ratings")).to_be_visible()

    # A link, opened in another browser, fills the page there and runs nothing.
    button(page, "Share").click()
    link = page.get_by_role("dialog").get_by_test_id("stCode").inner_text().strip()
    assert link.startswith(f"{app.address}/sql?share=1.")
    theirs = another()
    theirs.goto(link)
    expect(theirs.get_by_text("This statement came with a link")).to_be_visible()
    until_written(theirs, statement)
    expect(theirs.get_by_label(":least").first).to_have_value("4")
    expect(theirs.get_by_test_id("stDataFrame")).to_have_count(0)
    theirs.get_by_role("tab", name="History").click()
    expect(theirs.get_by_text("What you ask will be listed here")).to_be_visible()
    button(theirs, "Run").click()
    expect(theirs.get_by_text(re.compile("^2 rows in"))).to_be_visible()

    # They find the query, open it, and make a new version of it.
    theirs.get_by_role("tab", name="Saved").click()
    button(theirs, "Good ratings").click()
    write(theirs, statement.replace(">=", ">"))
    button(theirs, "Save").click()
    expect(theirs.get_by_text("As a new version of Good ratings")).to_be_visible()
    button(theirs.get_by_role("dialog"), "Save").click()
    expect(theirs.get_by_text("v2 by")).to_be_visible()


def test_run_and_ctrl_enter_and_the_parameters_mean_the_same_statement(app: running.App, page: Page) -> None:
    visit(app, page)
    write(page, "SELECT 'first' AS one, :a::int AS a;\nSELECT 'second' AS two, :b AS b;\nSELECT wrong AS three")
    page.keyboard.press("Control+Home")
    expect(page.get_by_text("Statement 1 of 3")).to_be_visible()
    page.get_by_label(":a").first.fill("7")
    page.keyboard.press("Enter")
    conftest.settle(page)
    button(page, "Run").click()
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()
    assert cells(page) == ["first", "7"]

    # The cursor goes on, and the inputs with it.
    page.locator(".cm-content").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Statement 2 of 3")).to_be_visible()
    expect(page.get_by_label(":a")).to_have_count(0)
    page.get_by_label(":b").first.fill("x")
    page.keyboard.press("Enter")
    conftest.settle(page)
    button(page, "Explain").click()
    expect(page.get_by_text("What the server planned")).to_be_visible()
    button(page, "Run").click()
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()
    assert cells(page) == ["second", "x"]

    # An error of the third is marked where it stands; a selection is run alone.
    page.locator(".cm-content").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Statement 3 of 3")).to_be_visible()
    button(page, "Run").click()
    expect(page.locator(".cm-lintRange-error")).to_have_text("wrong")
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+Home")
    for _ in "SELECT 'first' AS one":
        page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("The selection", exact=True)).to_be_visible()
    button(page, "Run").click()
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()
    assert cells(page) == ["first"]

    # Another page and back: the same is meant.
    page.get_by_role("link", name="Tables", exact=True).click()
    expect(page.get_by_role("heading", name="Tables", exact=True)).to_be_visible()
    conftest.settle(page)
    page.get_by_role("link", name="SQL", exact=True).click()
    expect(page.get_by_text("The selection", exact=True)).to_be_visible()
    page.locator(".cm-content").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Statement 1 of 3")).to_be_visible()
    expect(page.get_by_label(":a").first).to_have_value("7")


def test_of_a_link_with_several_statements_the_first_is_meant(app: running.App, page: Page) -> None:
    visit(app, page, "?statement=SELECT 'one' AS n; SELECT 'two' AS n")
    expect(page.get_by_text("Statement 1 of 2")).to_be_visible()
    button(page, "Run").click()
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()
    assert cells(page) == ["one"]


def test_a_deleted_query_comes_back(app: running.App, page: Page) -> None:
    visit(app, page)
    write(page, "SELECT 'back' AS word")
    button(page, "Save").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Back again")
    dialog.get_by_label("Name").press("Enter")
    button(dialog, "Save").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("tab", name="Saved").click()
    page.get_by_label("Search saved queries").fill("back again")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="more_horiz").first.click()
    dialog.get_by_text("I want to delete it for everybody").click()
    button(dialog, "Delete").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("No saved query is like that.")).to_be_visible()
    page.get_by_role("button", name="Removed (1)").click()
    button(page, "Restore").click()
    expect(page.get_by_text("Restored: Back again")).to_be_visible()
    expect(page.get_by_role("button", name="Removed")).to_have_count(0)
    expect(button(page, "Back again").first).to_be_visible()


def test_an_answer_is_in_view_on_a_small_screen(app: running.App, chromium: playwright.sync_api.Browser) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    visit(app, page)
    ask(page, "SELECT * FROM reviews")
    grid = page.get_by_test_id("stDataFrame").first
    expect(grid).to_be_visible()
    box = grid.bounding_box()
    assert box is not None
    assert box["y"] < 450  # most of the screen's 720 pixels less what stands above
    context.close()


def test_cancel_stops_the_database(app: running.App, page: Page) -> None:
    visit(app, page)
    ask(page, ENDLESS)
    expect(page.get_by_text(re.compile("Asking … [1-9]"))).to_be_visible()
    assert under_way(app) == 1
    button(page, "Cancel").click()
    took = until_gone(app)
    expect(page.get_by_text("The statement was cancelled")).to_be_visible()
    assert took < 10  # 2 s are promised; the machine may be busy
    ask(page, "SELECT 'free' AS slot")
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()


def test_closing_the_tab_stops_the_database(app: running.App, another: Callable[[], Page]) -> None:
    theirs = another()
    visit(app, theirs)
    ask(theirs, ENDLESS)
    expect(button(theirs, "Cancel")).to_be_visible()
    running.wait_until(lambda: under_way(app) == 1, "the server has it", 20)
    theirs.close()
    until_gone(app)


def test_a_look_at_another_page_stops_nothing_and_loses_nothing(app: running.App, page: Page) -> None:
    visit(app, page)
    ask(page, ENDLESS)
    expect(button(page, "Cancel")).to_be_visible()
    page.get_by_role("link", name="Tables", exact=True).click()
    expect(page.get_by_role("heading", name="Tables", exact=True)).to_be_visible()
    conftest.settle(page)
    assert under_way(app) == 1
    page.get_by_role("link", name="SQL", exact=True).click()
    until_written(page, ENDLESS)
    button(page, "Cancel").click()
    expect(page.get_by_text("The statement was cancelled")).to_be_visible()
    until_gone(app)


def test_the_schema_fills_the_editor(app: running.App, page: Page) -> None:
    visit(app, page)
    write(page, "SELECT * FROM ")
    page.get_by_placeholder("Search tables and columns").fill("ticket")
    page.keyboard.press("Enter")
    expect(button(page, "reviews")).to_have_count(0)
    button(page, "support_tickets").click()
    button(page, "Insert").click()
    until_written(page, "SELECT * FROM support_tickets")
    button(page, "Preview").click()
    expect(page.get_by_text("TABLE support_tickets LIMIT 10 · 10 rows in")).to_be_visible()
    until_written(page, "SELECT * FROM support_tickets")


def test_texts_of_the_database_and_of_links_are_never_obeyed(app: running.App, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit(app, page, "?statement=SELECT '![x](http://127.0.0.1:9/x.png)' AS \"<b>b</b> :red[r]\"")
    button(page, "Run").click()
    expect(page.get_by_text(re.compile("^1 row in"))).to_be_visible()
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("button", name=re.compile("^.*SELECT '!"))).to_be_visible()
    conftest.settle(page)
    assert not [url for url in asked if url.startswith("http://127.0.0.1:9/")]
    assert page.locator("b", has_text="b").count() == 0


def test_a_broken_link_says_so_once(app: running.App, page: Page) -> None:
    visit(app, page, "?share=1.eJxNonsense")
    expect(page.get_by_text("This link is broken or was cut short")).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
