"""A real Chromium. What the server said is printed when a test fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import playwright.sync_api
import pytest

from tests import running

# Root's Chromium has no sandbox; the others keep it from asking servers of its maker.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """The browser that bin/test has found, else one on the PATH; None lets Playwright look for its own."""
    return os.environ.get("BROWSER_EXECUTABLE") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")  # its driver holds an event loop, in which other tests could not have their own
def chromium() -> Iterator[playwright.sync_api.Browser]:
    with playwright.sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: playwright.sync_api.Browser) -> Iterator[playwright.sync_api.Page]:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    context.set_default_timeout(60_000)
    playwright.sync_api.expect.set_options(timeout=60_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def app(engine: None) -> Iterator[running.App]:
    with running.home() as home, running.app(home) as app:
        yield app


@pytest.fixture(autouse=True)
def server_log(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "app" in request.fixturenames:
        print(request.getfixturevalue("app").log.read_text()[-4000:])


def settle(page: playwright.sync_api.Page) -> None:
    """Wait until Streamlit has finished running the page."""
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'"
    )


def shown(grid: playwright.sync_api.Locator) -> list[list[str]]:
    """The cells of a grid that are in view. It is drawn on a canvas, inside which stands a table for screen readers."""
    playwright.sync_api.expect(grid.locator("table td").first).to_be_attached()
    rows = grid.locator("table tbody tr")
    return [row.locator("td").all_text_contents() for row in rows.all()]


def choose(page: playwright.sync_api.Page, label: str, option: str) -> None:
    """Choose an option of a select box."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
