"""The parts of an answer as a person sees them: one row in full, a chart, a file that is saved."""

from __future__ import annotations

import csv
import pathlib
import sys
from collections.abc import Iterator

import playwright.sync_api
import psutil
import pytest

from tests import running
from tests.browser import conftest

WORD = '<img src=x onerror="document.title=1"> **x**'  # as in the page
PAGE = pathlib.Path(__file__).parent / "answer_page.py"
expect = playwright.sync_api.expect


@pytest.fixture(scope="module")
def app() -> Iterator[running.App]:
    with running.home() as home:
        home.environment |= {"UNDERTONE_LOCAL_WORKER": "false", "TMPDIR": str(home.path)}
        with running.app(home, (sys.executable, "-m", "streamlit", "run", str(PAGE))) as app:
            yield app


def files(app: running.App) -> list[pathlib.Path]:
    """What lies there for downloads."""
    return [path for path in app.home.path.glob("undertone-downloads-*/*") if path.name != "lock"]


def test_a_row_is_shown_in_full_and_as_it_is(app: running.App, page: playwright.sync_api.Page) -> None:
    page.goto(app.address)
    grid = page.get_by_test_id("stDataFrame")
    assert [row[:2] for row in conftest.shown(grid)[:4]] == [
        ["0", WORD],
        ["1", ""],
        ["2", ""],
        ["3", "null"],
    ]
    box = grid.bounding_box()
    assert box
    page.mouse.click(box["x"] + 18, box["y"] + 50)  # the box in front of the first row
    codes = page.get_by_test_id("stCode").locator("code")
    expect(codes).to_have_text(["0", WORD, "NEGATIVE", "2024-01-01"])
    assert page.title() != "1"
    grid.hover()
    expect(page.get_by_role("button", name="Search")).to_be_visible()
    expect(page.get_by_role("button", name="Download as CSV")).to_be_hidden()


def test_a_chart_is_drawn_and_its_kind_changed(app: running.App, page: playwright.sync_api.Page) -> None:
    page.goto(f"{app.address}/?what=chart")
    picture = page.get_by_test_id("stVegaLiteChart")
    expect(picture.locator("canvas, svg").first).to_be_visible()
    page.get_by_role("radio", name="Histogram").or_(page.get_by_role("button", name="Histogram")).first.click()
    expect(page.get_by_text("Values", exact=True)).to_be_visible()
    expect(picture.locator("canvas, svg").first).to_be_visible()


def test_a_large_file_is_saved_whole_without_filling_the_memory(
    app: running.App, page: playwright.sync_api.Page, tmp_path: pathlib.Path
) -> None:
    rows = 150_000
    page.goto(f"{app.address}/?what=file&rows={rows}")
    page.get_by_role("button", name="Prepare").wait_for()
    process = psutil.Process(app.process.pid)
    before = process.memory_info().rss
    page.get_by_role("button", name="Prepare").click()
    save = page.get_by_role("button", name="Save CSV file")
    save.wait_for()
    with page.expect_download() as saved:
        save.click()
    assert saved.value.suggested_filename == "answer.csv"
    saved.value.save_as(tmp_path / "answer.csv")
    size = (tmp_path / "answer.csv").stat().st_size
    assert size > 150_000_000
    # A file that is held takes its size; the pieces on their way take some, too: 17 MB, 100 MB on a busy machine.
    assert process.memory_info().rss - before < size
    with (tmp_path / "answer.csv").open(encoding="utf-8-sig", newline="") as file:
        numbers = [int(row[0]) for row in csv.reader(file) if row[0] != "n"]
    assert numbers == list(range(1, rows + 1))
    # It goes with the tab.
    assert len(files(app)) == 1
    page.close()
    running.wait_until(lambda: not files(app), "the file is gone")


def test_a_download_can_be_cancelled(app: running.App, page: playwright.sync_api.Page) -> None:
    page.goto(f"{app.address}/?what=file&rows=2000000000")
    page.get_by_role("button", name="Prepare").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("was cancelled")).to_be_visible()
    running.wait_until(lambda: not files(app), "the file is gone")
    expect(page.get_by_role("button", name="Prepare")).to_be_enabled()
