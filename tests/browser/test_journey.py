"""From an empty machine to scored rows in a browser: what a stranger does in the first five minutes."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests import running
from tests.browser import conftest


def test_a_stranger_looks_asks_scores_and_sees(app: running.App, page: Page) -> None:
    page.goto(app.address)

    # Home lists the demo's tables.
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    conftest.settle(page)
    tables = [row[0] for row in conftest.shown(page.get_by_test_id("stDataFrame").first)]
    assert {"customers", "orders", "products", "reviews", "support_tickets", "survey_answers"} <= set(tables)

    # The second page of a table begins where the first one ends.
    page.get_by_role("link", name="Tables", exact=True).click()
    expect(page.get_by_role("heading", name="Tables")).to_be_visible()
    page.get_by_role("link", name="reviews", exact=True).click()
    expect(page.get_by_role("columnheader", name="rating")).to_be_visible()
    expect(page.get_by_text("Rows 1 to 50 of about 321")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Rows 51 to 100 of about 321")).to_be_visible()

    # One question on SQL.
    page.get_by_role("link", name="SQL", exact=True).click()
    page.locator(".cm-content").click()
    page.keyboard.insert_text("SELECT count(*) FROM reviews")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("1 row in")).to_be_visible()
    assert "321" in conftest.shown(page.get_by_test_id("stDataFrame").first)[0]

    # A run over the reviews to its end, with results.
    page.get_by_role("link", name="Score", exact=True).click()
    expect(page.get_by_role("heading", name="Score", exact=True)).to_be_visible()
    conftest.settle(page)
    conftest.choose(page, "Table", "reviews")
    page.get_by_role("button", name="Plan").click()
    expect(page.get_by_text("To score")).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("finished: 321 of 321 rows")).to_be_visible(timeout=180_000)
    expect(page.get_by_role("heading", name="Most negative")).to_be_visible()
    expect(page.get_by_role("heading", name="Most positive")).to_be_visible()
    conftest.settle(page)
    for grid in page.get_by_test_id("stDataFrame").all()[-2:]:
        rows = conftest.shown(grid)
        assert len(rows) > 5
        assert all(re.fullmatch(r"\d+", key) and text for key, _, text in rows)

    # Nothing is lost by closing the browser: the same page again.
    page.reload()
    expect(page.get_by_text("finished: 321 of 321 rows")).to_be_visible()
