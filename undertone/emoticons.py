"""Emoji and emoticons as words: to the default model 👍 and 😡 are one and the same unknown token.

Used by the training script and by the classifier alike, so that what is learnt is what is read. Changing a
word here changes the default model's answers: train it again.
"""

from __future__ import annotations

import re
from typing import Any

# What people type, by what a reader sees. The words are those that the emoji library gives to the picture.
_FACES: dict[str, tuple[str, ...]] = {
    "smiling face": (":)", ":-)", ":]", "=)", "(:", ":o)", ":^)", "^_^", "^^"),
    "grinning face": (":D", ":-D", "=D", "xD", "XD", ":))", ":-))", ":)))"),
    "winking face": (";)", ";-)", ";D"),
    "playful face": (":P", ":-P", ":p", ":-p", "=P", ";P"),
    "frowning face": (":(", ":-(", ":[", "=(", "):", ":((", ":-((", ":((("),
    "crying face": (":'(", ":,(", "T_T", "T.T", ";_;"),
    "angry face": (">:(", ">:-(", ":@", "D:<"),
    "confused face": (":/", ":-/", ":\\", ":-\\", "=/", ":S", ":-S"),
    "expressionless face": (":|", ":-|", "-_-"),
    "astonished face": (":O", ":-O", ":o", ":-o", "O_O", "o_O", "O_o"),
    "anguished face": ("D:",),
    "red heart": ("<3", "<33", "<333"),
    "broken heart": ("</3",),
}
_WORDS = {sign: words for words, signs in _FACES.items() for sign in signs}
# Not inside a word, an address ("http://") or a time ("12:0").
_SIGNS = re.compile(
    r"(?<![\w:/])(?:" + "|".join(re.escape(sign) for sign in sorted(_WORDS, key=len, reverse=True)) + r")(?![\w/])"
)
_SKIN = re.compile(r"_(?:medium-light|medium-dark|light|medium|dark)_skin_tone")
# "#LoveThisPlace": its words, which a tokenizer that drops capitals would run together.
_HASHTAG = re.compile(r"#\w+")
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def spell_out(text: str) -> str:
    """`text` with emoji and emoticons as English words between spaces.

    HTML line breaks become spaces, and the words of a hashtag are parted where its capitals show them.
    """
    text = _SIGNS.sub(lambda found: f" {_WORDS[found[0]]} ", text)
    if "<" in text:
        text = _BREAK.sub(" ", text)
    if "#" in text:
        text = _HASHTAG.sub(lambda found: _WORD_STARTS.sub(" ", found[0]), text)
    if text.isascii():
        return text
    import emoji  # only where it is needed: its tables take a moment

    return emoji.replace_emoji(text, replace=_name)


def _name(_: str, data: dict[str, Any]) -> str:
    name = _SKIN.sub("", data["en"].strip(":"))
    return f" {name.replace('_', ' ').replace('-', ' ')} "
