"""A text with the words marked that carried its label.

What somebody has typed goes to the browser as JSON and becomes text nodes there: nothing ever parses it as HTML or
Markdown.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from elements import labels
from undertone import explaining

# For words against the label; the second where the label itself has the first.
AGAINST = ("#009e73", "#cc79a7")
# Natural log-odds: where no word does more than this, none is shown as if it decided.
LITTLE = 0.25
# Relative to the strongest: what is weaker is not marked.
NOISE = 0.1

HTML = """
<p class="legend"></p>
<div class="text" dir="auto" tabindex="0" role="group"></div>
"""
CSS = """
.legend { margin: 0 0 0.5rem; color: var(--st-text-color); font-size: 0.875rem; }
.legend .about { opacity: 0.7; }
.text {
  max-height: 22rem; overflow-y: auto; padding: 0.75rem 1rem; line-height: 1.9;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  color: var(--st-text-color); font-family: var(--st-font); font-size: var(--st-base-font-size);
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext;
}
mark {
  --line: color-mix(in srgb, var(--colour) 75%, var(--st-text-color));
  color: inherit; padding: 0.1em 0.15em; border-radius: 0.2em;
  -webkit-box-decoration-break: clone; box-decoration-break: clone;
  background: color-mix(in srgb, var(--colour) var(--much), transparent);
  border-bottom: 2px solid color-mix(in srgb, var(--line) calc(30% + var(--much)), transparent);
}
mark.against { border-bottom-style: dashed; }
mark.strong { font-weight: 700; }
.unread { opacity: 0.5; }
"""
JS = """
const made = (tag, text, kind) => {
  const element = document.createElement(tag)
  element.textContent = text
  if (kind) element.className = kind
  return element
}
const marked = (text, part, colours) => {
  const kind = part.strength > 0 ? "for" : "against"
  const element = made("mark", text, kind)
  element.classList.toggle("strong", Math.abs(part.strength) > 0.6)
  element.style.setProperty("--colour", colours[kind])
  element.style.setProperty("--much", `${Math.round(6 + 49 * Math.abs(part.strength))}%`)
  if (part.hint) element.title = part.hint
  return element
}
export default function ({ data, parentElement }) {
  const legend = data.legend.map((part) =>
    part.strength ? marked(part.text, part, data.colours) : made("span", part.text, "about"))
  parentElement.querySelector(".legend").replaceChildren(...legend)
  const text = data.parts.map((part) => {
    if (part.strength) return marked(part.text, part, data.colours)
    const element = made("span", part.text, part.unread ? "unread" : "")
    if (part.hint) element.title = part.hint
    return element
  })
  const box = parentElement.querySelector(".text")
  box.setAttribute("aria-label", data.title)
  box.replaceChildren(...text)
}
"""
_mount = st.components.v2.component("undertone_highlights", html=HTML, css=CSS, js=JS)


def words(text: str, found: explaining.Explanation, *, key: str = "undertone_highlights") -> None:
    """`text` with what spoke for its label and against it; nothing where it has no label."""
    label = found.prediction.label
    if label is None:
        return
    _mount(data=described(text, found), key=key)


def described(text: str, found: explaining.Explanation) -> dict[str, Any]:
    """What the browser gets: the text in parts, a legend, two colours.

    `strength` is -1 to 1, relative to the strongest word, 0 where there is nothing to mark.
    """
    names = list(found.prediction.probabilities)
    colour = dict(zip(names, labels.scale(names)["range"], strict=True))[found.prediction.label]
    title = labels.title(found.prediction.label)
    several = any(len(piece.text.split()) > 1 for piece in found.pieces)
    strongest = max([LITTLE, *(abs(piece.weight) for piece in found.pieces)])
    parts: list[dict[str, Any]] = []
    end = 0
    for piece in found.pieces:
        strength = piece.weight / strongest
        parts.append({"text": text[end : piece.start]})
        parts.append(
            {
                "text": piece.text,
                "strength": round(strength, 3) if abs(strength) >= NOISE else 0,
                "hint": f"{piece.weight:+.2f}".replace("-", "−"),
            }
        )
        end = piece.end
    parts.append({"text": text[end:], "unread": found.prediction.truncated})
    what = "Runs of words" if several else "Words"
    return {
        "title": f"The text, with what speaks for {title} and against it",
        "colours": {"for": colour, "against": AGAINST[colour == AGAINST[0]]},
        "legend": [
            {"text": f"{what} that "},
            {"text": f"speak for {title}", "strength": 0.7},
            {"text": " or "},
            {"text": "speak against it", "strength": -0.5},
            {"text": ": the stronger the colour, the more the label changes without them."},
        ],
        "parts": [part | {"text": whole(part["text"])} for part in parts if part["text"]],
    }


def whole(text: str) -> str:
    """`text` as a browser takes it: halves of a character that lost each other become the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
