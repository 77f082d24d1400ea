"""Try it in a real browser: the words are marked, and what is typed is only ever text."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests import running

NASTY = "<img src=x onerror=alert(1)> **terrible** <b>bad</b>\nI wrote twice ![x](http://127.0.0.1:9/x.png)"


def test_what_is_typed_is_marked_and_never_obeyed(app: running.App, page: Page) -> None:
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{app.address}/try_it")
    page.get_by_role("textbox", name="Text").fill(NASTY)
    page.get_by_role("button", name="Classify").click()
    component = page.get_by_test_id("stBidiComponentIsolated")
    text = component.locator(".text")
    expect(text.locator("mark").first).to_be_visible()
    assert text.inner_text() == NASTY
    # Nothing in it but the marks and what is between them.
    assert set(text.locator("*").evaluate_all("all => all.map(one => one.localName)")) <= {"mark", "span"}
    assert component.locator("img, b, strong, a, script").count() == 0
    assert dialogs == []
    assert not [url for url in asked if ":9/" in url or url.endswith("/x")]
    # Told apart by more than colour, and the number is there.
    assert text.locator("mark").first.get_attribute("title")
    styles = component.locator("mark.for, mark.against").evaluate_all(
        "all => all.map(one => [one.className.split(' ')[0], getComputedStyle(one).borderBottomStyle])"
    )
    assert {tuple(pair) for pair in styles} == {("for", "solid"), ("against", "dashed")}


def test_another_text_takes_the_place_of_the_first(app: running.App, page: Page) -> None:
    page.goto(f"{app.address}/try_it")
    text = page.get_by_test_id("stBidiComponentIsolated").locator(".text")
    for typed in ("The kettle is lovely.", "It never came, and nobody answers."):
        page.get_by_role("textbox", name="Text").fill(typed)
        page.get_by_role("button", name="Classify").click()
        expect(text).to_have_text(typed)
