"""Try it: the label, the words that carried it, and how much of a long text was read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from elements import highlights, labels, messages
from tests.pages import conftest
from undertone import classifier, explaining

NASTY = "<img src=x onerror=alert(1)> **terrible** <b>bad</b>"


def typed(open_page: conftest.Open, text: str) -> AppTest:
    app = open_page("try_it")
    app.text_area(key="try_it_text").set_value(text).run()
    assert not app.exception
    assert not app.error
    return app


def component(app: AppTest) -> dict[str, Any]:
    """What the browser is given to draw the text with its words marked."""
    (element,) = app.get("bidi_component")
    found: dict[str, Any] = json.loads(element.proto.json)
    return found


def explained(text: str, *weights: float, label: str = "NEGATIVE", truncated: bool = False) -> explaining.Explanation:
    """An explanation whose pieces are the words of `text`."""
    chances = dict.fromkeys(("NEGATIVE", "NEUTRAL", "POSITIVE"), 0.1) | {label: 0.8}
    pieces, end = [], 0
    for word, weight in zip(text.split(), weights, strict=False):
        start = text.index(word, end)
        end = start + len(word)
        pieces.append(explaining.Piece(word, start, end, weight))
    return explaining.Explanation(classifier.Prediction(label, 0.8, chances, truncated, None, 0.5), tuple(pieces))


def test_the_words_of_what_is_typed_are_shown_as_they_are(shop: conftest.Open) -> None:
    app = typed(shop, NASTY)
    data = component(app)
    assert "".join(part["text"] for part in data["parts"]) == NASTY
    assert [part["text"] for part in data["parts"] if "hint" in part] == NASTY.split()
    assert max(abs(part.get("strength", 0)) for part in data["parts"]) <= 1
    assert "terrible" not in conftest.texts(app)
    said = conftest.texts(app)
    assert any(labels.title(label) in data["title"] for label in labels.COLOURS)
    assert "Words that mattered" in said


def test_the_engine_is_named(shop: conftest.Open) -> None:
    caption = typed(shop, "A kettle.").caption[-1].value
    assert messages.plain("undertone-default@") in caption
    assert any(f"on {engine}, " in caption for engine in ("torch", "openvino"))
    assert any(caption.endswith(precision) for precision in ("float32", "bfloat16"))


def test_a_long_text_says_how_much_of_it_was_read(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_TEXT_TOKENS", "256")
    app = typed(shop, "good " * 1_000)
    assert app.warning[0].value == "The first 25 % of the text were read: 256 tokens."
    assert component(app)["parts"][-1]["unread"]


def test_a_text_with_nothing_to_read_has_no_words(shop: conftest.Open) -> None:
    app = typed(shop, "\u200b")
    assert "nothing to read" in app.info[0].value
    assert not app.get("bidi_component")


# What the browser is given


def test_words_are_marked_by_what_they_do_for_the_label() -> None:
    data = highlights.described("so awful,\nnot  nice ", explained("so awful,\nnot  nice ", 0.01, 2, -1, 0.5))
    assert [(part["text"], part.get("strength")) for part in data["parts"]] == [
        ("so", 0),
        (" ", None),
        ("awful,", 1),
        ("\n", None),
        ("not", -0.5),
        ("  ", None),
        ("nice", 0.25),
        (" ", None),
    ]
    assert [part["hint"] for part in data["parts"] if "hint" in part] == ["+0.01", "+2.00", "−1.00", "+0.50"]
    assert "".join(part["text"] for part in data["legend"]).startswith("Words that speak for − NEGATIVE or")
    assert data["colours"]["for"] == labels.COLOURS["NEGATIVE"]


def test_where_nothing_decides_nothing_is_shown_as_if_it_did() -> None:
    data = highlights.described("a b", explained("a b", 0.02, 0.1))
    assert [part["strength"] for part in data["parts"] if "hint" in part] == [0, 0.4]


@pytest.mark.parametrize("names", [("joy", "fear"), ("joy",), ("NEGATIVE", "NEUTRAL", "POSITIVE", "rage")])
def test_for_and_against_never_share_a_colour(names: tuple[str, ...]) -> None:
    for label in names:
        prediction = classifier.Prediction(label, 0.5, dict.fromkeys(names, 0.5), False, None)
        colours = highlights.described("a", explaining.Explanation(prediction, ()))["colours"]
        assert colours["for"] != colours["against"]


def test_runs_of_words_are_called_so() -> None:
    prediction = explained("a b", 1).prediction
    found = explaining.Explanation(prediction, (explaining.Piece("a b", 0, 3, 1.0),))
    assert highlights.described("a b", found)["legend"][0]["text"] == "Runs of words that "


@pytest.mark.parametrize("text", ["\ud800 bad", "ok \udfff", "\ud83d\ude00 nice", "nul\x00 \x07", "\u202eevil\u202c"])
def test_any_text_can_travel_to_a_browser(text: str) -> None:
    data = highlights.described(text, explained(text, 1, -1))
    sent = json.dumps(data, ensure_ascii=False).encode()
    shown = "".join(part["text"] for part in json.loads(sent)["parts"])
    assert shown == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_nothing_is_ever_parsed_as_html() -> None:
    for parser in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
        assert parser not in highlights.JS
