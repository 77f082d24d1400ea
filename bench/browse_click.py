"""A click on Next in Chromium: our page of Tables beside a bare Streamlit page that shows 50 fixed rows."""

from __future__ import annotations

import playwright.sync_api

from bench import first
from tests import running
from tests.browser import conftest

SIZE = 50
# Its rows are made once, and each click shows other ones, or there would be nothing to wait for.
BARE = """
import pandas as pd
import streamlit as st


@st.cache_data
def rows(page):
    numbers = range(page * 50 + 1, page * 50 + 51)
    return pd.DataFrame(
        {
            "id": numbers,
            "at": pd.to_datetime([number * 60_000_000_000 for number in numbers], utc=True),
            "status": ["open"] * 50,
            "customer": [f"customer {number}" for number in numbers],
            "amount": [number / 7 for number in numbers],
            "paid": [number % 3 == 0 for number in numbers],
            "note": [f"{number:032x}" for number in numbers],
        }
    )


def forward():
    st.session_state.page += 1


page = st.session_state.setdefault("page", 0)
st.dataframe(rows(page), hide_index=True)
st.button("Next", on_click=forward)
st.caption(f"Rows {page * 50 + 1:,} to {page * 50 + 50:,}")
"""
# From the click until the words are there, and in the grid its first cell, where that is one of the document's.
CLICK = """
([button, words, cell]) => new Promise((resolve) => {
  const roots = () => {
    const found = [document]
    for (const element of document.querySelectorAll("[data-testid^=stBidiComponent], [data-testid^=stBidiComponent] *"))
      if (element.shadowRoot) found.push(element.shadowRoot)
    return found
  }
  const captions = () => [...document.querySelectorAll("[data-testid=stCaptionContainer]")]
  const cells = () => roots().flatMap((root) => [...root.querySelectorAll("tbody tr:first-child td")])
  const isThere = () =>
    captions().some((caption) => caption.textContent.startsWith(words)) &&
    (!cell || cells().some((found) => found.textContent === cell))
  const begun = performance.now()
  const look = () => (isThere() ? resolve(performance.now() - begun) : requestAnimationFrame(look))
  button.click()
  look()
})
"""


class Page:
    """A page with rows and a button to the next ones."""

    def __init__(self, context: playwright.sync_api.BrowserContext, address: str, *, in_document: bool) -> None:
        self._page = context.new_page()
        self._page.goto(address)
        self._in_document = in_document
        self._number = 0
        self._page.get_by_text(f"Rows 1 to {SIZE}").first.wait_for()
        conftest.settle(self._page)

    def next(self) -> float:
        """Seconds from a click until the next rows are seen."""
        self._page.bring_to_front()
        self._number += 1
        start = self._number * SIZE + 1
        button = self._page.get_by_role("button", name="Next").element_handle()
        words = f"Rows {start:,} to {start + SIZE - 1:,}"
        milliseconds: float = self._page.evaluate(CLICK, [button, words, str(start) if self._in_document else ""])
        conftest.settle(self._page)
        return milliseconds / 1000


def clicks(home: running.Home, table: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of so many clicks on both pages, in turn; the first ones of each are left out, which warm all up."""
    with running.app(home) as ours, first.bare_app(BARE) as (bare, _), playwright.sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=conftest.executable(), args=conftest.ARGUMENTS)
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.set_default_timeout(60_000)
        pages = {
            "bare": Page(context, bare, in_document=False),
            "ours": Page(context, f"{ours.address}/tables?table={table}", in_document=True),
        }
        found: dict[str, list[float]] = {"bare": [], "ours": []}
        for number in range(rounds + 3):
            for name, page in pages.items():
                seconds = page.next()
                if number >= 3:
                    found[name].append(seconds)
        browser.close()
        return found
