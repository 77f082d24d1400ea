"""The page of a row in a real browser: what is stored is only ever text, links lead on, Back comes back."""

from __future__ import annotations

import re
import urllib.parse

from playwright.sync_api import Page, expect

from tests import running
from tests.browser import conftest
from tests.unit import command_line
from undertone import looks

NASTY = "<img src=x onerror=alert(1)> **bold** ![x](http://127.0.0.1:9/x.png) <script>alert(1)</script>\n  next line"
KEY = "it's \"%/&="
TABLE = """
CREATE TABLE "odd <b> ![x](http://127.0.0.1:9/t.png)" (
    "k **k**" text PRIMARY KEY, "body <i>" text, who bigint REFERENCES customers, js jsonb, nothing text, at timestamptz
);
COMMENT ON COLUMN "odd <b> ![x](http://127.0.0.1:9/t.png)".who IS '<b>who</b> ![x](http://127.0.0.1:9/c.png)';
INSERT INTO "odd <b> ![x](http://127.0.0.1:9/t.png)" VALUES
    ('a', 'before', NULL, NULL, NULL, NULL),
    ('it''s "%/&=', $$NASTY$$, 3, '{"deep": {"deeper": {"big": 12345678901234567890.10, "<b>": "<u>"}}}', NULL,
     '2024-07-01 12:00:00+00');
GRANT SELECT ON "odd <b> ![x](http://127.0.0.1:9/t.png)" TO undertone_reader
"""


def test_a_row_is_shown_as_text_and_its_links_lead_there_and_back(app: running.App, page: Page) -> None:
    page.goto(app.address)  # which brings the demo's tables
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    conftest.settle(page)
    command_line.as_owner(app.home.path, TABLE.replace("NASTY", NASTY))
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    name = '"odd <b> ![x](http://127.0.0.1:9/t.png)"'
    address = urllib.parse.urlencode(looks.row_parameters(name, (KEY,)))
    page.goto(f"{app.address}/row?{address}")
    values = page.get_by_test_id("stBidiComponentIsolated").first.locator("table")
    cells = {
        column: values.get_by_role("row").filter(has=page.get_by_role("rowheader", name=column))
        for column in ("who", "at")
    }
    text = values.get_by_role("row").nth(1).get_by_role("cell")
    expect(text).to_have_text(NASTY)
    assert text.inner_text() == NASTY
    # Nothing was made of it but text.
    assert values.locator("img, b, i, u, strong, script").count() == 0
    expect(cells["at"].get_by_role("cell").locator("[title='2024-07-01 12:00:00+00']")).to_be_visible()
    expect(values.get_by_role("row").nth(4).get_by_role("cell")).to_have_css("font-style", "normal")
    expect(values.locator("td .nothing")).to_have_css("font-style", "italic")
    # JSON unfolds, by the keyboard too.
    big = values.get_by_text("12345678901234567890.10")
    expect(big).not_to_be_visible()
    values.locator("summary", has_text="deeper").focus()
    page.keyboard.press("Enter")
    expect(big).to_be_visible()
    # The row that it refers to, and back again; then the one before.
    link = cells["who"].get_by_role("link")
    expect(link).to_have_attribute("href", re.compile(r"^row\?table=customers&key="))
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("customers · 3")
    expect(page.get_by_role("link", name=re.compile("by who"))).to_be_visible()
    page.go_back()
    expect(text).to_have_text(NASTY)
    page.get_by_role("button", name="Previous").click()
    expect(text).to_have_text("before")
    conftest.settle(page)
    assert dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query)) == looks.row_parameters(name, ("a",))
    assert dialogs == []
    assert not [url for url in asked if ":9/" in url]
