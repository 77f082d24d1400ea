"""The rows that the default model learns from: read, mixed, held back, cut and made noisy. Used by train.py
alone.

A row is `(source, text, target)`: `target` are the three wanted probabilities, negative, neutral, positive; all zero
where only the teachers' opinion is learnt.
"""

from __future__ import annotations

import csv
import importlib.util
import pathlib
import random
import re
from typing import Any

from undertone import emoticons

Row = tuple[str, str, tuple[float, float, float]]

CLASSES = {
    "negative": (1.0, 0.0, 0.0),
    "neutral": (0.0, 1.0, 0.0),
    "positive": (0.0, 0.0, 1.0),
    "0": (1.0, 0.0, 0.0),
    "1": (0.0, 0.0, 1.0),
}
# The film snippets with valence ratings are the sentences that SST-2 is made of, its development set
# included: training on them would be training on the test.
VALENCE_DOMAINS = ("amazonReviewSnippets", "nytEditorialSnippets", "tweets")
# Sentences written for this model: service, products and clothing, finance and posts.
WRITTEN = pathlib.Path(__file__).resolve().parent / "written"
FILMS = ("sst2", "imdb", "sentences")
UNKNOWN = (0.0, 0.0, 0.0)

THINGS = (
    "order",
    "parcel",
    "invoice",
    "receipt",
    "refund",
    "ticket",
    "room",
    "charger",
    "account",
    "password",
    "booking",
    "appointment",
    "table",
    "chair",
    "bag",
    "phone",
    "cable",
    "manual",
    "delivery",
    "subscription",
    "report",
    "contract",
    "shirt",
    "printer",
    "router",
    "train",
    "meeting",
    "address",
    "card",
    "app",
)
STATEMENTS = (
    "Where is my {0}?",
    "When will the {0} arrive?",
    "It is a {0}.",
    "This is the {0}.",
    "How do I change my {0}?",
    "Can you send me the {0}?",
    "The {0} is on the table.",
    "I ordered a {0} on {1}.",
    "The {0} was sent on {1}.",
    "What is the number of the {0}?",
    "Please call me back on {1} about the {0}.",
    "The {0} has two parts.",
    "I would like to know more about the {0}.",
    "Does the {0} come in blue?",
    "My {0} is at the front desk.",
    "We moved the {0} to {1}.",
    "There is a {0} in the box.",
    "Is the {0} open on {1}?",
    "He bought the {0} in {1}.",
    "The {0} costs 20 dollars.",
    "I have a question about my {0}.",
    "Who do I ask about the {0}?",
    "{0} no. 4711",
    "The {0} is 30 cm long and 12 cm wide.",
    "Which {0} do I need?",
    "Attached is the {0}.",
    "see {0}",
    "n/a",
    "No comment.",
    "ok",
    "The {0} starts at nine on {1}.",
    "I use the {0} every {1}.",
)
DAYS = ("Monday", "Tuesday", "Friday", "Sunday", "March", "May", "October")
LIKED = "👍😀😃😄😁😊🙂😍🥰😘❤💙💜🎉👏🙌🤩😎💯🔥✨🥳🤗👌💪🌟🙏😂"
DISLIKED = "👎😡😠🤬😞😔😟🙁☹😢😭😤😩😫😒🙄💔🤮🤢😖😣😱💩😑😨🤦"
GOOD = (
    "good", "great", "helpful", "useful", "worth it", "impressive", "friendly", "comfortable", "reliable", "fun",
    "well made", "easy to use", "clear", "fast", "worth the money", "tasty",
)  # fmt: skip
BAD = (
    "bad", "terrible", "useless", "boring", "rude", "slow", "disappointing", "a waste of money", "broken", "ugly",
    "confusing", "too expensive", "uncomfortable", "unreliable", "badly made", "awful",
)  # fmt: skip
# {0} a good word, {1} a bad one, {2} a thing; the second member is what the whole says.
CONTRASTS = (
    ("The {2} is not {0}.", "negative"),
    ("It is n't {0} at all.", "negative"),
    ("I would not call the {2} {0}.", "negative"),
    ("The {2} was never {0}.", "negative"),
    ("I wish the {2} was {0}.", "negative"),
    ("They said the {2} would be {0}, but it was {1}.", "negative"),
    ("At first it seemed {0}, then it turned out {1}.", "negative"),
    ("The {2} could have been {0}.", "negative"),
    ("The {2} looks {0} but is {1}.", "negative"),
    ("Neither {0} nor cheap.", "negative"),
    ("Used to be {0}, now it is {1}.", "negative"),
    ("The {2} is {1}, not {0}.", "negative"),
    ("The {2} is not {1} at all.", "positive"),
    ("It was never {1}.", "positive"),
    ("I thought the {2} would be {1}, but it is {0}.", "positive"),
    ("Nothing about the {2} is {1}.", "positive"),
    ("Far from {1}: the {2} is {0}.", "positive"),
    ("People say it is {1}, I find it {0}.", "positive"),
    ("A little {1} at first, but now really {0}.", "positive"),
    ("The {2} could not be more {0}.", "positive"),
    ("The {2} is {0}, not {1}.", "positive"),
)
SMILES, FROWNS = (":)", ":-)", ":D", "<3", "=)"), (":(", ":-(", ":'(", ">:(", "</3")


def read(folder: pathlib.Path) -> list[Row]:
    """Every usable row of `folder`, less those whose words also stand in one of the development sets."""
    rows: list[Row] = []
    for line in _lines(folder / "sst2_train.tsv", "\t"):
        rows.append(("sst2", line["sentence"].strip(), CLASSES[line["label"]]))
    for source in ("tweets", "imdb"):
        for line in _lines(folder / f"{source}_train.csv", ","):
            rows.append((source, line["text"].strip(), CLASSES[line["label"]]))
    for line in _lines(folder / "valence_snippets.csv", ","):
        if line["domain"] in VALENCE_DOMAINS:
            rows.append(("valence", line["text"].strip(), from_valence(float(line["valence"]))))
    rows += written("finance", "products")
    rows += lexicon()
    seen = {_letters(line["content"]) for line in _lines(folder / "sst2_dev.tsv", "\t")}
    for source in ("tweets", "imdb"):
        seen |= {_letters(line["text"]) for line in _lines(folder / f"{source}_dev.csv", ",")}
    # Short phrases ("very good") stand everywhere; only what could be recalled counts as an overlap.
    return [row for row in rows if len(letters := _letters(row[1])) < 12 or letters not in seen]


def written(*names: str) -> list[Row]:
    """Sentences that were written for this model, from `written/<name>.tsv`: label, tab, text."""
    rows: list[Row] = []
    for name in names:
        for line in (WRITTEN / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
            label, text = line.split("\t")
            rows.append(("written", text, CLASSES[label]))
    return rows


def lexicon() -> list[Row]:
    """Words with the mean of ten people's ratings from -4 to 4: VADER's lexicon (Hutto and Gilbert 2014)."""
    spec = importlib.util.find_spec("vaderSentiment")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("vaderSentiment is missing: pip install -r models/default/requirements.txt")
    path = pathlib.Path(next(iter(spec.submodule_search_locations))) / "vader_lexicon.txt"
    found = (line.split("\t")[:2] for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [("lexicon", word, from_valence(float(rating))) for word, rating in found if word.isalpha()]


def sentences(rows: list[Row]) -> list[Row]:
    """The sentences of the film reviews among `rows`: of 4 to 40 words, without a label of their own."""
    parts = (
        part.strip() for source, text, _ in rows if source == "imdb" for part in re.split(r"(?<=[.!?])\s+|<br />", text)
    )
    return [("sentences", part, UNKNOWN) for part in dict.fromkeys(parts) if 4 <= len(part.split()) <= 40]


def from_valence(valence: float) -> tuple[float, float, float]:
    """A rating from -4 to 4 as probabilities: plain up to 0.2, felt from 1.1, a mixture between."""
    felt = min(1.0, max(0.0, (abs(valence) - 0.2) / 0.9))
    return (felt, 1 - felt, 0.0) if valence < 0 else (0.0, 1 - felt, felt)


def hold_back(rows: list[Row], counts: dict[str, int], seed: int) -> tuple[list[Row], list[Row]]:
    """`rows` as (learn, held back), `counts` rows of each source held back.

    SST-2 is full of phrases of its own sentences: whole sentences are held back, and their phrases leave with
    them.
    """
    draw = random.Random(seed)
    order = list(range(len(rows)))
    draw.shuffle(order)
    everything = "\n".join(row[1] for row in rows if row[0] == "sst2")
    left = dict(counts)
    held: set[int] = set()
    for index in order:
        source, text, _ = rows[index]
        if left.get(source, 0) == 0:
            continue
        if source == "sst2" and (len(text.split()) < 12 or everything.count(text) > 1):
            continue
        held.add(index)
        left[source] -= 1
    sentences = "\n".join(rows[index][1] for index in held if rows[index][0] == "sst2")
    learn = [
        row
        for index, row in enumerate(rows)
        if index not in held and not (row[0] == "sst2" and row[1].count(" ") >= 3 and row[1] in sentences)
    ]
    return learn, [rows[index] for index in sorted(held)]


def invented(draw: random.Random) -> list[Row]:
    """Plain statements, questions, emoji, negation and contrast, from templates: about 900 rows."""
    rows: list[Row] = []
    plain = sorted(
        {template.format(draw.choice(THINGS), draw.choice(DAYS)) for template in STATEMENTS for _ in range(20)}
    )
    rows += [("invented", text, CLASSES["neutral"]) for text in plain]
    for signs, faces, name in ((LIKED, SMILES, "positive"), (DISLIKED, FROWNS, "negative")):
        for sign in [*signs, *faces]:
            statement = draw.choice(plain[:-2]).rstrip(".?")
            texts = (sign, sign * 3, f"{statement} {sign}", f"the {draw.choice(THINGS)} {sign}{sign}")
            rows += [("invented", text, CLASSES[name]) for text in texts]
    for template, name in CONTRASTS:
        for _ in range(8):
            text = template.format(draw.choice(GOOD), draw.choice(BAD), draw.choice(THINGS))
            rows.append(("invented", text, CLASSES[name]))
    return rows


def epoch(rows: list[Row], settings: dict[str, Any], counts: dict[str, int], seed: int) -> list[tuple[Row, int, str]]:
    """The rows of one epoch as (row, longest, way of cutting), the same for the same seed.

    `counts` says how many of each source.
    """
    draw = random.Random(seed)
    mixed: list[Row] = []
    for source, count in counts.items():
        own = [row for row in rows if row[0] == source]
        if source == "sst2":
            # Sentences and long phrases teach more than "a film": the shorter, the rarer.
            own.sort(key=lambda row: draw.random() / min(len(row[1].split()), 20) ** 1.5)
        else:
            draw.shuffle(own)
        mixed += own[:count]
    # Few tweets are positive and every class counts the same.
    mixed += [row for row in rows if row[0] == "tweets" and row[2][2] == 1.0 and draw.random() < 0.6]
    mixed += invented(draw)
    made = []
    for source, text, target in mixed:
        text = emoticons.spell_out(noisy(text, settings, draw))
        longest, way = settings["max_length"], "head"
        if source == "imdb":
            # As in use, where a long text is read in windows: any part of it may be one.
            long = draw.random() < settings["long_review_share"]
            longest = settings["long_review_length" if long else "review_length"]
            way = draw.choices(("head", "tail", "middle"), (0.35, 0.4, 0.25))[0]
        made.append(((source, text, target), longest, way))
    return made


def noisy(text: str, settings: dict[str, Any], draw: random.Random) -> str:
    """`text` as somebody in a hurry writes it, now and then. Case is no matter: the tokenizer drops it."""
    if draw.random() < 0.5:
        text = text.replace(" n't", "n't")
    if draw.random() < settings["bare_end_share"]:
        text = text.rstrip(" .!?") or text
    if len(text) > 20 and draw.random() < settings["typo_share"]:
        for _ in range(1 + len(text) // 80):
            at = draw.randrange(1, len(text) - 2)
            way = draw.randrange(3)
            if way == 0:
                text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            else:
                text = text[:at] + (text[at] * 2 if way == 1 else "") + text[at + 1 :]
    return text


def _lines(path: pathlib.Path, separator: str) -> list[dict[str, str]]:
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator, quoting=quoting))


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()
