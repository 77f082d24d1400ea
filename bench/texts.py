"""Texts to measure with, made from a seed: English words in sentences, with lengths like those of real texts.

What a network computes depends on how many tokens a text has and not on what they say; words of praise and blame are
there so that most labels are not a matter of the last digit.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence


def _words(text: str) -> list[str]:
    return text.split()


# The tokenizer knows each of them as one token, and puts one before and one behind every text.
PLAIN = _words("""
the a an this that these those my our your their it they we you he she one some any every each other another
same first last next few many most more less much little old new young small big large long short high low open early
late whole half full clear dark light white black red green blue wooden plain simple usual common local several
and or but because while when where after before until since although if then so also again often always never sometimes
of in on at by for from with without into over under about between through during against around near behind beside
is was are were has had have will would could should can may might do does did said made came went took gave found
kept left put set ran sat stood held turned looked asked told called opened closed moved started stopped waited wrote
read sent brought bought sold paid ordered arrived returned changed used worked played showed followed happened
man woman child friend family people team company office shop house room door window table chair street city town road
car train bus book story film scene actor music song picture page letter word name number order package delivery
service phone screen battery price money week month year day hour minute morning evening night summer winter water food
coffee kitchen garden colour shape size side end part line point way thing place time life work hand head eye face
question answer reason example idea plan problem change second version update button account message report
review
""")
GOOD = _words("""
great wonderful excellent love loved perfect beautiful brilliant amazing happy enjoyed delightful superb best
fantastic pleased charming impressive
""")
BAD = _words("""
terrible awful horrible hate hated worst boring bad poor disappointed useless broken waste ugly annoying
dreadful angry failed
""")
OPINION = 0.2  # share of the words of a text with an opinion that carry it
SHORT = (5, 27, 60)  # tokens of a text: fewest, mean, most
LONG = (60, 300, 2_500)
SPREAD = 0.62  # of the logarithm of the long ones' lengths


def short(count: int, seed: int = 0) -> list[str]:
    """Texts like sentences and tweets, 5 to 60 tokens, about 27 in the mean; half of them with an opinion."""
    fewest, mean, most = SHORT
    return _different(
        count, random.Random(f"short {seed}"), lambda chance: chance.gammavariate(5, mean / 5), fewest, most
    )


def long(count: int, seed: int = 0) -> list[str]:
    """Texts like reviews of films, 60 to 2,500 tokens, about 300 in the mean; half of them with an opinion."""
    fewest, mean, most = LONG
    middle = math.log(mean) - SPREAD**2 / 2
    return _different(
        count, random.Random(f"long {seed}"), lambda chance: chance.lognormvariate(middle, SPREAD), fewest, most
    )


def even(texts: Sequence[str], count: int) -> list[str]:
    """`count` of the texts, with the lengths that all of them have: every so many of them, sorted by length."""
    ordered = sorted(texts, key=len)
    step = len(ordered) / count
    return [ordered[int((index + 0.5) * step)] for index in range(count)]


def doubled(texts: Sequence[str], seed: int = 0) -> list[str]:
    """As many rows, each of half of the texts twice, in any order."""
    half = even(texts, len(texts) // 2)
    rows = half * 2
    random.Random(seed).shuffle(rows)
    return rows


def _different(
    count: int, chance: random.Random, length: Callable[[random.Random], float], fewest: int, most: int
) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        tokens = min(max(round(length(chance)), fewest), most)
        opinion = (GOOD, BAD)[len(found) // 2 % 2] if len(found) % 2 else ()
        found[_text(chance, tokens - 2, opinion)] = None
    return list(found)


def _text(chance: random.Random, tokens: int, opinion: Sequence[str]) -> str:
    """Sentences with so many words and full stops together."""
    sentences = []
    for length in _sentences(chance, tokens):
        words = [chance.choice(opinion if opinion and chance.random() < OPINION else PLAIN) for _ in range(length)]
        sentences.append(" ".join(words).capitalize() + ".")
    return " ".join(sentences)


def _sentences(chance: random.Random, tokens: int) -> Iterator[int]:
    """The numbers of words of sentences that have so many words and full stops together."""
    while tokens > 0:
        words = min(chance.randint(6, 20), tokens - 1)
        if tokens - words - 1 < 3:  # no room for another sentence
            words = tokens - 1
        yield words
        tokens -= words + 1
