"""One person's way through Score in a real browser: plan, start, pause, another tab, the end on another page, undo."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import running
from tests.browser import conftest

ROWS = 600
SLOW = 180_000  # milliseconds: the model is loaded, and a test machine may be busy


@pytest.fixture(scope="module")
def app() -> Iterator[running.App]:
    with running.home() as home:
        # Small chunks, to see progress; and no time is spent on finding out which engine is the fastest.
        home.environment |= {
            "UNDERTONE_CHUNK_ROWS": "50",
            "UNDERTONE_ENGINE": "torch",
            "UNDERTONE_PRECISION": "float32",
        }
        words = ("was lovely", "came late", "does what it should", "broke at once")
        lines = [f"{number},The kettle number {number} {words[number % 4]}." for number in range(ROWS)]
        file = home.path / "kettles.csv"
        file.write_text("\n".join(["id,body", *lines]), encoding="utf-8")
        done = home.command("load", str(file), "--key", "id")
        assert done.returncode == 0, done.stderr
        with running.app(home) as app:
            yield app


def test_a_run_is_planned_started_paused_resumed_elsewhere_told_of_and_undone(app: running.App, page: Page) -> None:
    page.goto(f"{app.address}/score?table=kettles")
    conftest.settle(page)
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    page.get_by_role("button", name="Plan").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="To score")).to_contain_text(f"{ROWS:,}", timeout=SLOW)
    page.get_by_role("button", name="Start").click()

    progress = page.get_by_test_id("stProgress")
    # Paused at once, and still so after a reload and in a second tab.
    page.get_by_role("button", name="Pause").click()
    expect(progress).to_contain_text("paused")
    assert "run=1" in page.url
    page.reload()
    expect(progress).to_contain_text("paused")
    other = page.context.new_page()
    other.goto(f"{app.address}/score?run=1")
    other.get_by_role("button", name="Resume").click()

    # The first tab notices by itself, and counts.
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(progress).to_contain_text(re.compile(f"running: [1-9][0-9,]* of {ROWS:,} rows"), timeout=SLOW)
    other.close()

    # Its end is told on another page, once.
    page.get_by_role("link", name="Tables", exact=True).click()
    expect(page.get_by_role("heading", name="Tables", exact=True)).to_be_visible()
    toast = page.get_by_test_id("stToast")
    expect(toast).to_contain_text(f"Run 1 over kettles · body finished: {ROWS:,} rows scored", timeout=SLOW)
    assert toast.count() == 1

    # Undone only after a question.
    page.goto(f"{app.address}/score?run=1")
    expect(progress).to_contain_text(f"finished: {ROWS:,} of {ROWS:,} rows")
    page.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{ROWS:,} scores that this run has written will be removed")
    dialog.get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo the run").click()
    expect(page.get_by_text("its scores are gone, what they had replaced is back")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert app.home.command("runs", "1").returncode == 0


def start(app: running.App, table: str, column: str) -> int:
    """A run that no worker will touch; its number."""
    done = app.home.command("score", table, "--text", column, "--queue", "nobody", "--no-wait")
    assert done.returncode == 0, done.stderr
    return int(json.loads(app.home.command("runs", "--json").stdout)[0]["run"])


def test_a_run_is_chosen_by_a_click_in_the_list_and_stays_chosen(app: running.App, page: Page) -> None:
    older, newer = start(app, "survey_answers", "answer"), start(app, "support_tickets", "body")
    page.goto(f"{app.address}/score?part=runs")
    expect(page.get_by_text(f"Run {newer}", exact=True)).to_be_visible()
    conftest.settle(page)
    grid = page.get_by_test_id("stDataFrame").first
    assert [row[0] for row in conftest.shown(grid)][:2] == [str(newer), str(older)]
    # The box of the second row: the grid is a canvas, so one clicks where it is.
    grid.click(position={"x": 16, "y": 35 + 33 + 16})
    expect(page.get_by_text(f"Run {older}", exact=True)).to_be_visible()
    page.wait_for_url(f"**run={older}**")
    # A newer run comes above it, and the same one stays chosen; after a reload, too.
    newest = start(app, "reviews", "body")
    expect(grid.locator("td", has_text=re.compile(f"^{newest}$"))).to_be_attached()
    expect(grid.locator('tr[aria-selected="true"] td').first).to_have_text(str(older))
    page.reload()
    expect(page.get_by_text(f"Run {older}", exact=True)).to_be_visible()
    expect(page.get_by_text("No worker of the queue nobody is at work yet")).to_be_visible()
