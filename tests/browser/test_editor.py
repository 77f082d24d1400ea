"""The editor as a person uses it: a page of its own, nothing else on it."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import playwright.sync_api
import pytest

from tests import running
from tests.browser import conftest

PAGE = pathlib.Path(__file__).parent / "editor_page.py"
# The name of what has the focus, in the editor.
FOCUSED = """() => {
    const root = document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot
    return root.activeElement?.getAttribute("name") ?? ""
}"""
WORD = '<img src=x onerror="document.title=1">'  # as in the page
expect = playwright.sync_api.expect
# Sets the clipboard and pastes it in one go, as no person types that much.
PASTE = """(text) => {
    const data = new DataTransfer()
    data.setData("text/plain", text)
    const root = document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot
    const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
    root.querySelector(".cm-content").dispatchEvent(paste)
}"""


# What stands there, what is typed, what is offered first, and what stands there when it was taken.
COMPLETED: list[tuple[str, str, str | None, str | None]] = [
    ("SELECT * FROM ", "rev", "reviews", "SELECT * FROM reviews"),
    ("SELECT * FROM reviews r WHERE ", "r.ra", "rating", "SELECT * FROM reviews r WHERE r.rating"),
    ("SELECT * FROM reviews WHERE ", "mix", '"Mixed Case"', 'SELECT * FROM reviews WHERE "Mixed Case"'),
    ("SELECT * FROM reviews r WHERE r.", '"M', '"Mixed Case"', 'SELECT * FROM reviews r WHERE r."Mixed Case"'),
    ("SELECT * FROM ", "us", '"user"', 'SELECT * FROM "user"'),
    ("SELECT * FROM ", "sales.", '"Big Deals"', 'SELECT * FROM sales."Big Deals"'),
    ("SELECT ", "date_t", "date_trunc", "SELECT date_trunc()"),
    ("SELECT 1 ", "who", None, None),
    ("SELECT 1 ", "whe", "WHERE", "SELECT 1 WHERE"),
    ("select 1 ", "whe", "where", "select 1 where"),
    ("WITH few AS (SELECT id AS number FROM reviews) SELECT f.number FROM ", "fe", "few", None),
    ("WITH few AS (SELECT id AS number FROM reviews) SELECT * FROM few f WHERE ", "f.n", "number", None),
    ("SELECT 'a ", "rat", None, None),
    ("SELECT 1 AS ", "rat", None, None),
]


@pytest.fixture(scope="module")
def app() -> Iterator[running.App]:
    command = (sys.executable, "-m", "streamlit", "run", str(PAGE))
    with running.home() as home, running.app(home, command) as app:
        yield app


class Editor:
    """The editor of an open page."""

    def __init__(self, page: playwright.sync_api.Page) -> None:
        self.page = page
        self.content = page.locator(".cm-content")
        self.options = page.locator(".cm-tooltip-autocomplete li")
        self.status = page.locator(".box .status")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Instead of all that stands there; what a person's keys would complete by themselves is not asked for."""
        self.content.click()
        self.press("Control+a", "Delete")
        self.page.keyboard.insert_text(text)
        self.press("Escape")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def text(self) -> str:
        """What stands in it, as far as it is in view."""
        return "\n".join(self.page.locator(".cm-line").all_inner_texts()).replace("\u200b", "")

    def said(self) -> dict[str, Any]:
        """What Python was told."""
        said: dict[str, Any] = json.loads(self.page.locator(".st-key-said").inner_text())
        return said

    def until(self, true: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        running.wait_until(lambda: true(self.said()), f"{what}: {self.said()}", 60)
        return self.said()

    def press_button(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()


@pytest.fixture
def editor(app: running.App, page: playwright.sync_api.Page) -> Editor:
    page.goto(app.address)
    expect(page.locator(".cm-content")).to_be_visible()
    conftest.settle(page)
    return Editor(page)


def test_it_says_what_it_is_and_how_to_leave(editor: Editor) -> None:
    expect(editor.page.get_by_role("textbox", name="SQL statement")).to_be_visible()
    expect(editor.page.locator(".cm-placeholder")).to_contain_text("SELECT * FROM")
    described = editor.content.get_attribute("aria-describedby")
    expect(editor.page.locator(f"#{described}")).to_contain_text("Escape, then Tab leaves")


def test_sql_is_highlighted_as_postgresql_reads_it(editor: Editor) -> None:
    editor.write("SELECT name, $x$ it's; $x$, E'a\\'b', :least::int -- why\nFROM \"from\" WHERE a[1:n] = 1.5")
    for kind, texts in {
        "keyword": ["SELECT", "FROM", "WHERE"],
        "string": ["$x$ it's; $x$", "E'a\\'b'"],
        "parameter": [":least"],
        "type": ["int"],
        "comment": ["-- why"],
        "number": ["1", "1.5"],
    }.items():
        expect(editor.page.locator(f".cm-line .tok-{kind}")).to_have_text(texts)


def test_completion(editor: Editor) -> None:
    for before, typed, offered, then in COMPLETED:
        editor.write(before)
        editor.type(typed)
        if offered is None:
            written = before + typed
            editor.until(lambda said, written=written: said["text"].rstrip("')") == written, f"{written} is known")
            expect(editor.options).to_have_count(0)
            continue
        expect(editor.options.first).to_contain_text(offered)
        if then is not None:
            editor.page.wait_for_timeout(150)  # what came this moment is not taken: Enter may have been meant otherwise
            editor.press("Enter")
            editor.until(lambda said, then=then: said["text"] == then, f"it reads {then}")


def test_columns_are_offered_in_their_order_with_their_types(editor: Editor) -> None:
    editor.write("SELECT  FROM reviews AS r")
    editor.press("Home", *["ArrowRight"] * 7)
    editor.type("r.")
    expect(editor.options).to_have_text(["idbigint", "ratinginteger", "bodytext", '"Mixed Case"text'])


def test_enter_behind_a_whole_word_begins_a_line(editor: Editor) -> None:
    editor.write("SELECT * FROM ")
    editor.type("reviews")
    expect(editor.options.first).to_contain_text("reviews")
    editor.page.wait_for_timeout(150)
    editor.press("Enter")
    editor.type("x")
    editor.until(lambda said: said["text"] == "SELECT * FROM reviews\nx", "there are two lines")


def test_ctrl_enter_runs_the_statement_at_the_cursor_or_the_selection(editor: Editor) -> None:
    editor.press_button("Replace")
    editor.until(lambda said: said["text"].startswith("SELECT 1;"), "the text is there")
    editor.content.click()
    for keys, asked in [
        (("Control+Home",), ["SELECT 1", 0]),
        (("ArrowDown", "ArrowDown", "End"), ["SELECT '🐘;', 2", 11]),
        (("ArrowDown",), ["SELECT 3", 27]),
        (("Home", "Shift+End"), ["SELECT 3", 27]),
        (("Shift+ArrowLeft",), ["SELECT", 27]),
    ]:
        editor.press(*keys, "Control+Enter")
        said = editor.until(lambda said, asked=asked: said["asked"] == asked, f"{asked} was asked")
    assert said["text"][27:] == "SELECT 3"
    # The same again is an event, too.
    editor.press("Control+Enter")
    editor.until(lambda now: now["runs"] > said["runs"], "Python is told again")


def test_a_button_of_the_page_means_the_same_statement(editor: Editor) -> None:
    editor.press_button("Replace")
    editor.until(lambda said: said["text"].startswith("SELECT 1;"), "the text is there")
    editor.content.focus()
    for keys, here in [
        (("Control+Home",), ["SELECT 1", 0]),
        (("ArrowDown", "ArrowDown"), ["SELECT '🐘;', 2", 11]),
        (("End", "Shift+Home"), ["SELECT '🐘;', 2;", 11]),
        (("Control+End",), ["SELECT 3", 27]),
    ]:
        editor.press(*keys)
        editor.press_button("Own")  # at once: what is selected comes with the click
        said = editor.until(lambda said, here=here: said["own"] == [said["text"], here], f"{here} is meant")
        editor.content.focus()
    assert said["asked"] is None


def test_python_is_told_where_the_cursor_rests_if_that_matters(editor: Editor) -> None:
    editor.write("SELECT 1")
    before = editor.until(lambda said: said["text"] == "SELECT 1", "Python has the text")["runs"]
    editor.press("Home", "ArrowRight")
    editor.page.wait_for_timeout(1000)
    assert editor.said()["runs"] == before, "of one statement every place means the same"
    editor.press("Shift+End")
    editor.until(lambda said: said["here"] == ["ELECT 1", 1], "the selection is known")
    editor.press("End")
    editor.until(lambda said: said["here"] == ["SELECT 1", 0], "and that it is no more")
    editor.type("; SELECT 2")
    editor.until(lambda said: said["here"] == ["SELECT 2", 10], "the second one")
    editor.press("Home")
    editor.until(lambda said: said["here"] == ["SELECT 1", 0], "the first one")


def test_what_is_run_is_what_stood_there_whatever_is_typed_next(editor: Editor) -> None:
    editor.write("SELECT 1; SELECT 2")
    # In one go: Python hears of the run and of what was typed after it at once.
    editor.content.evaluate(
        """(element) => {
            const key = {key: "Enter", code: "Enter", keyCode: 13, ctrlKey: true, bubbles: true, cancelable: true}
            element.dispatchEvent(new KeyboardEvent("keydown", key))
            document.execCommand("insertText", false, "34")
            element.blur()
        }"""
    )
    said = editor.until(lambda said: said["text"].endswith("234"), "Python has the text")
    assert said["asked"] == ["SELECT 2", 10]


def test_searching_by_keyboard_alone_and_what_is_found_is_not_run_alone(editor: Editor) -> None:
    editor.write("SELECT 1 AS one;\nSELECT 1 AS two")
    editor.press("Control+Home", "Control+f")
    field = editor.page.get_by_placeholder("Find")
    expect(field).to_be_focused()
    editor.type("as")
    expect(editor.page.locator(".cm-searchMatch")).to_have_count(2)
    editor.press("Enter", "Enter")
    expect(editor.page.locator(".cm-searchMatch-selected")).to_have_count(1)
    editor.press("Escape")
    expect(field).to_be_hidden()
    expect(editor.content).to_be_focused()
    editor.press("Control+Enter")
    editor.until(lambda said: said["asked"] == ["SELECT 1 AS two", 17], "the statement of the word was asked")
    editor.press("Control+f", "Tab")
    for _ in range(12):
        if editor.page.evaluate(FOCUSED) == "replace":
            break
        editor.press("Tab")
    editor.type("AND")
    for _ in range(4):
        if editor.page.evaluate(FOCUSED) == "replaceAll":
            break
        editor.press("Tab")
    editor.press("Enter", "Escape")
    editor.until(lambda said: said["text"] == "SELECT 1 AND one;\nSELECT 1 AND two", "both were replaced")
    editor.press("Control+z")
    editor.until(lambda said: said["text"] == "SELECT 1 AS one;\nSELECT 1 AS two", "and are back")


def test_it_grows_with_its_text_up_to_a_limit(editor: Editor) -> None:
    def height() -> int:
        return round(editor.page.locator(".box").evaluate("(box) => box.getBoundingClientRect().height"))

    editor.write("SELECT 1")
    assert height() == 120
    editor.write("SELECT\n" * 9)
    grown = height()
    assert 120 < grown < 360
    editor.write("SELECT\n" * 200)
    assert 340 <= height() <= 360
    expect(editor.page.locator(".cm-line").last).to_be_in_viewport()
    editor.write("SELECT 1")
    assert height() == 120


def test_a_run_brings_what_was_typed_the_moment_before(editor: Editor) -> None:
    editor.write("SELECT 1")
    editor.type("2")
    editor.press("Control+Enter")
    said = editor.until(lambda said: said["asked"], "it was asked")
    assert (said["text"], said["asked"]) == ("SELECT 12", ["SELECT 12", 0])


def test_a_button_of_the_page_has_what_was_typed_the_moment_before(editor: Editor) -> None:
    editor.write("SELECT 1")
    editor.type("2")
    editor.press_button("Own")
    said = editor.until(lambda said: said["own"] is not None, "the button was pressed")
    assert said["own"] == ["SELECT 12", ["SELECT 12", 0]]


def test_typing_goes_on_while_python_is_told(editor: Editor) -> None:
    editor.write("SELECT 1")
    editor.press("Home")
    editor.until(lambda said: said["text"] == "SELECT 1", "Python has the text")
    editor.type("x")
    editor.until(lambda said: said["text"] == "xSELECT 1", "the cursor stayed")


def test_keys_in_it_are_no_shortcuts_of_the_page(editor: Editor) -> None:
    editor.write("SELECT 1")
    editor.press("Control+Enter")
    before = editor.until(lambda said: said["asked"], "it was asked")["runs"]
    editor.press_button("Solved")
    said = editor.until(lambda said: said["runs"] > before, "another button was pressed")
    assert said["own"] is None


def test_a_problem_is_marked_at_its_place_until_the_text_changes(editor: Editor) -> None:
    editor.press_button("Replace")
    editor.press_button("Problem")
    marked = editor.page.locator(".cm-lintRange-error")
    # Behind the elephant, which is one character here and two halves in the browser.
    expect(marked).to_have_text(";")
    expect(editor.status).to_have_text(
        'Line 3, column 10: column does not exist <img src=x onerror="document.title=1">'
    )
    marked.hover()
    expect(editor.page.locator(".cm-tooltip .cm-diagnostic")).to_contain_text("<img src=x")
    assert editor.page.locator(".box img, .cm-tooltip img").count() == 0
    editor.content.focus()
    editor.press("Control+End")
    editor.type(" ")
    expect(marked).to_have_count(0)
    expect(editor.status).to_contain_text("Enter runs")
    # Run from here, the same problem is a new one.
    editor.press("Control+Enter")
    expect(marked).to_have_text(";")
    editor.press_button("Solved")
    expect(marked).to_have_count(0)


def test_format_changes_white_space_alone(editor: Editor) -> None:
    editor.write("select a, :b::int from c where d = ':e  f' -- why")
    editor.press_button("Format")
    said = editor.until(lambda said: "\n" in said["text"], "it was laid out")
    assert "".join(said["text"].split()) == "selecta,:b::intfromcwhered=':ef'--why"
    assert "':e  f'" in said["text"]
    expect(editor.content).to_be_focused()
    editor.press("Control+z")
    editor.until(lambda said: "\n" not in said["text"], "it was undone")


def test_what_cannot_be_formatted_stays(editor: Editor) -> None:
    editor.write("select (((")
    editor.press_button("Format")
    expect(editor.status).to_contain_text("could not be formatted")
    editor.until(lambda said: said["text"] == "select (((", "the text stayed")


def test_comment_and_back(editor: Editor) -> None:
    editor.write("SELECT 1,\n2")
    editor.press("Control+a", "Control+/")
    editor.until(lambda said: said["text"] == "-- SELECT 1,\n-- 2", "both lines are comments")
    editor.press_button("Comment")
    editor.until(lambda said: said["text"] == "SELECT 1,\n2", "none is")


def test_arrow_keys_go_through_earlier_statements(editor: Editor) -> None:
    editor.content.click()
    editor.press("ArrowUp")
    editor.until(lambda said: said["text"] == "SELECT 'newest'", "the newest")
    editor.press("ArrowUp")
    editor.until(lambda said: said["text"] == "SELECT 'older',\n       2", "the one before")
    editor.press("ArrowUp", "ArrowUp", "ArrowUp")  # into its first line, where there is none before it
    editor.press("ArrowDown", "ArrowDown")  # to its last line, and on
    editor.until(lambda said: said["text"] == "SELECT 'newest'", "the newest again")
    editor.type(" x")
    editor.press("Escape", "ArrowUp")
    editor.until(lambda said: said["text"] == "SELECT 'newest' x", "what was changed stays")
    editor.press("Alt+ArrowUp")
    editor.until(lambda said: said["text"] == "SELECT 'newest'", "by Alt it goes on")
    editor.press("Alt+ArrowDown")
    editor.until(lambda said: said["text"] == "SELECT 'newest' x", "what was changed comes back")
    editor.press("Control+Enter")
    editor.until(lambda said: said["asked"], "it was run")
    editor.press("Control+a", "Delete", "ArrowUp")
    editor.until(lambda said: said["text"] == "SELECT 'newest' x", "what was run comes first")


def test_a_text_is_inserted_at_the_cursor_once(editor: Editor) -> None:
    editor.write("SELECT FROM reviews")
    editor.press("Home", *["ArrowRight"] * 6)
    editor.press_button("Insert")
    editor.until(lambda said: said["text"] == 'SELECT "Mixed Case" FROM reviews', "it is there")
    expect(editor.content).to_be_focused()
    editor.type(",")
    editor.press_button("Insert")
    editor.until(lambda said: said["text"] == 'SELECT "Mixed Case","Mixed Case" FROM reviews', "and again")


def test_a_replacement_ends_what_was_typed(editor: Editor) -> None:
    editor.write("SELECT 1")
    editor.type("2")
    editor.press_button("Replace")
    editor.until(lambda said: said["text"].endswith("SELECT 3"), "Python has the new text")
    expect(editor.page.locator(".cm-line").last).to_have_text("SELECT 3")
    editor.content.click()
    editor.press("Control+End")
    editor.type("4")
    editor.until(lambda said: said["text"].endswith("SELECT 34"), "it can be changed")
    editor.press_button("Replace")
    editor.until(lambda said: said["text"].endswith("SELECT 3"), "the same text is put in again")


def test_another_place_in_the_page_loses_nothing(editor: Editor) -> None:
    editor.write("SELECT 1")
    editor.until(lambda said: said["text"] == "SELECT 1", "Python has the text")
    editor.page.get_by_text("Moved").click()
    expect(editor.page.locator("[data-testid=stColumn] .cm-line")).to_have_text("SELECT 1")
    editor.content.click()
    editor.press("End")
    editor.type("2")
    editor.until(lambda said: said["text"] == "SELECT 12", "it goes on")


def test_the_keyboard_alone_comes_in_and_out(editor: Editor) -> None:
    editor.page.get_by_role("switch", name="Moved").or_(editor.page.get_by_label("Moved")).first.focus()
    editor.press("Tab")
    expect(editor.content).to_be_focused()
    editor.press("Tab")  # nothing was typed: it passes by
    expect(editor.page.get_by_role("button", name="Find")).to_be_focused()
    editor.press("Shift+Tab")
    editor.type("SELECT 1")
    editor.press("Tab")
    editor.until(lambda said: said["text"] == "SELECT 1  ", "Tab indents")
    editor.press("Escape", "Tab")
    expect(editor.page.get_by_role("button", name="Find")).to_be_focused()
    editor.press("Tab", "Tab", "Enter")
    editor.until(lambda said: said["text"] == "-- SELECT 1  ", "the button works by Enter")


def test_a_huge_paste_is_taken_and_one_that_is_too_long_refused(editor: Editor) -> None:
    line = "SELECT body FROM reviews WHERE rating = 1 AND 'it''s' <> $$x$$;\n"
    huge = line * 4_000
    one_line = "SELECT '" + "x" * 300_000 + "'"
    editor.content.click()
    for text in (huge, one_line):
        editor.press("Control+a", "Delete")
        editor.page.evaluate(PASTE, text)
        editor.press("Control+End")
        editor.type(" -- end")
        editor.until(lambda said, text=text: said["text"] == text + " -- end", "Python has all of it")
    editor.press("Control+a")
    editor.page.evaluate(PASTE, line * 20_000)
    expect(editor.status).to_contain_text("1,000,000 characters")
    assert editor.said()["text"] == one_line + " -- end"


def test_the_program_is_sent_once_and_nobody_else_is_asked(app: running.App, page: playwright.sync_api.Page) -> None:
    frames: list[int] = []
    asked: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(len(frame))))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(app.address)
    editor = Editor(page)
    editor.write("SELECT 1")
    editor.until(lambda said: said["text"] == "SELECT 1", "Python has the text")
    assert max(frames) > 200_000
    frames.clear()
    editor.press("Control+Enter")
    editor.until(lambda said: said["asked"], "it was asked")
    editor.press_button("Problem")
    expect(page.locator(".cm-lintRange-error")).to_be_visible()
    assert frames
    assert max(frames) < 20_000
    assert [url for url in asked if not url.startswith((app.address, "blob:", "data:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(
    app: running.App, chromium: playwright.sync_api.Browser, scheme: Any, tmp_path: pathlib.Path
) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.goto(app.address)
    editor = Editor(page)
    editor.write("SELECT 'a', 1.5, :b::int, count(*), \"c\" -- d\nFROM reviews r\nWHERE r.")
    page.keyboard.press("Control+Space")
    expect(editor.options.first).to_be_visible()
    page.screenshot(path=tmp_path / f"{scheme}.png")
    shown = _inks(editor)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+f")
    page.keyboard.type("r")
    expect(page.locator(".cm-searchMatch").first).to_be_visible()
    page.screenshot(path=tmp_path / f"{scheme}_search.png")
    for (ground, inks), least in ((shown, 15), (_inks(editor), 25)):
        assert (_luminance(ground) < 0.1) == (scheme == "dark")
        assert len(inks) > least
        assert min(_contrast(ink, ground) for ink in inks) >= 4.5  # WCAG 2.2, AA
    context.close()


def _inks(editor: Editor) -> tuple[list[int], list[list[int]]]:
    """The colour of the ground and those of all letters in view."""
    colours = """(element) => {
        const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
        const rgb = (colour) => {
            canvas.fillStyle = colour
            canvas.fillRect(0, 0, 1, 1)
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
        }
        const root = element.getRootNode()
        const box = root.querySelector(".box")
        const letters = ".cm-line span, .cm-gutterElement, .status, .cm-tooltip li span, .cm-panel > *"
        const parts = [box, ...root.querySelectorAll(letters)]
        return [rgb(getComputedStyle(box).backgroundColor), parts.map((part) => rgb(getComputedStyle(part).color))]
    }"""
    ground, inks = editor.content.evaluate(colours)
    return ground, inks


def _luminance(rgb: list[int]) -> float:
    parts = [part / 255 for part in rgb]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: list[int], other: list[int]) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_an_app_that_was_started_anew_runs_nothing_again_and_loses_no_text(
    page: playwright.sync_api.Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (sys.executable, "-m", "streamlit", "run", str(PAGE))
    with running.home() as home:
        with running.app(home, command) as first:
            page.goto(first.address)
            editor = Editor(page)
            expect(editor.content).to_be_visible()
            editor.press_button("Replace")
            editor.until(lambda said: said["text"].endswith("SELECT 3"), "the text is there")
            editor.content.click()
            editor.press("Control+End")
            editor.type("4")
            editor.press("Control+Enter")
            editor.until(lambda said: said["asked"] == ["SELECT 34", 27], "it was asked")
            port = int(first.address.rsplit(":", 1)[1])
        monkeypatch.setattr(running, "free_port", lambda: port)
        expect(page.locator("[data-testid=stApp]")).not_to_have_attribute("data-test-connection-state", "CONNECTED")
        with running.app(home, command):
            expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-connection-state", "CONNECTED")
            editor.press_button("Solved")
            expect(page.locator(".st-key-said")).to_contain_text('"asked": null')
            assert editor.said()["text"].endswith("SELECT 34")
            expect(page.locator(".cm-line").last).to_have_text("SELECT 34")
            editor.content.focus()
            editor.press("Control+End", "Control+Enter")
            editor.until(lambda said: said["asked"] == ["SELECT 34", 27], "it is asked anew")
