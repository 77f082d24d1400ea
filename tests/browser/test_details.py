"""What only a real browser shows: uploads, downloads, and that stored text is never obeyed."""

from __future__ import annotations

import pathlib
import sys

from playwright.sync_api import Page, expect

from elements import messages
from tests import running
from tests.browser import conftest


def bring(page: Page, path: pathlib.Path) -> None:
    page.get_by_role("button", name="Bring a file").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(str(path))
    page.get_by_role("button", name="Make a table of it").click()


def test_a_file_becomes_a_table(app: running.App, page: Page, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "Kunden Feedback.csv"
    file.write_text('text,stars\n"He said ""fine"", then\nleft",3\n=1+1,5\n')
    page.goto(f"{app.address}/tables")
    bring(page, file)
    expect(page.get_by_role("heading", name="kunden_feedback", exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name="stars")).to_be_visible()
    expect(page.get_by_role("gridcell", name="=1+1", exact=True)).to_be_visible()


def test_a_bad_line_is_named_and_nothing_is_half_loaded(app: running.App, page: Page, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text("a,b\n1,2\n3,4,5\n")
    page.goto(f"{app.address}/tables")
    bring(page, file)
    expect(page.get_by_role("dialog").get_by_test_id("stAlert")).to_contain_text("line 3")
    answer = app.home.command("query", "SELECT to_regclass('public.broken') IS NULL", "--format", "csv")
    assert answer.stdout.splitlines()[1] == "True"


def test_an_answer_can_be_taken_along_and_does_no_harm_in_a_spreadsheet(app: running.App, page: Page) -> None:
    page.goto(f"{app.address}/sql?statement=SELECT '=1%2B1' AS formula, -1 AS number, NULL AS nothing")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("tab", name="Download").click()
    page.get_by_role("button", name="Prepare").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save CSV file").click()
    text = pathlib.Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert text.splitlines() == ["formula,number,nothing", "'=1+1,-1,"]


def test_text_of_the_server_is_never_markdown(app: running.App, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{app.address}/sql")
    page.locator(".cm-content").click()
    page.keyboard.insert_text('SELECT "![x](http://127.0.0.1:9/x.png) <b>b</b> :red[r]"')
    page.get_by_role("button", name="Run", exact=True).click()
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("does not exist")
    text = alert.inner_text().replace(messages.JOINER, "")
    assert 'column "![x](http://127.0.0.1:9/x.png) <b>b</b> :red[r]" does not exist' in text
    assert alert.locator("img, b, a").count() == 0
    assert not [url for url in asked if ":9/" in url]


def test_every_page_opens_by_its_own_address_without_an_error(app: running.App, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path, title in (
        ("", "Home"),
        ("tables", "Tables"),
        ("tables?table=orders", "orders"),
        ("sql", "SQL"),
        ("score", "Score"),
        ("try_it", "Try it"),
        ("status", "Status"),
    ):
        page.goto(f"{app.address}/{path}")
        expect(page.get_by_role("heading", name=title, exact=True).first).to_be_visible()
        conftest.settle(page)
        assert page.get_by_test_id("stException").count() == 0, path
        assert page.locator("[data-testid=stAlertContentError]").count() == 0, path
    # Not even a picture comes from elsewhere: nobody learns what is looked at here.
    outside = [url for url in asked if not url.startswith((app.address, "data:", "blob:"))]
    assert outside == []


def test_the_first_visitor_may_come_by_a_pages_own_address(page: Page) -> None:
    """Started the plain way, where nothing has been opened before the first session."""
    plain = (sys.executable, "-m", "streamlit", "run", "Home.py")
    with running.home() as home, running.app(home, plain) as app:
        page.goto(f"{app.address}/tables?table=orders")
        expect(page.get_by_role("heading", name="orders", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="Try it")).to_be_visible()
        expect(page.get_by_test_id("stSidebarLogo")).to_be_visible()
