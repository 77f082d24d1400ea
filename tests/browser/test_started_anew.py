"""A page that was open when the app was killed goes on with the next app, as if nothing had been."""

from __future__ import annotations

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests import running
from tests.browser.test_rows import cell, grid, parameters


def test_what_somebody_clicks_on_an_open_page_is_done_by_the_next_app(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running.home() as home:
        home.environment |= {"UNDERTONE_LOCAL_WORKER": "false"}
        with running.app(home) as first:
            page.goto(f"{first.address}/tables?table=products")
            expect(cell(page, 0, 1)).to_have_text("1")
            psutil.Process(first.process.pid).kill()
            first.process.wait()
            port = int(first.address.rsplit(":", 1)[1])
        whole = page.locator("[data-testid=stApp]")
        expect(whole).not_to_have_attribute("data-test-connection-state", "CONNECTED")
        monkeypatch.setattr(running, "free_port", lambda: port)
        with running.app(home):
            expect(whole).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=120_000)
            # Nobody has asked for the whole page since: a click in a part of it is heard all the same.
            # Only what is clicked before the page is made again, in the first second or two, is lost.
            heads = grid(page).get_by_role("columnheader")

            def is_sorted() -> bool:
                heads.nth(2).get_by_role("button").click()
                page.wait_for_timeout(3_000)
                return heads.nth(2).get_attribute("aria-sort") != "none"

            running.wait_until(is_sorted, "the rows are sorted by the heading that is clicked")
            assert parameters(page)["table"] == "products"
            assert parameters(page)["sort"].endswith('name"]')
            page.get_by_role("button", name="Columns").click()
            expect(page.get_by_text("discontinued").first).to_be_visible()
