"""Rows a second of the classifier beside the tutorial's way, `pipeline("sentiment-analysis")(text)` row by row.

Both read the same generated texts, in turn, so that a slower moment of the machine meets both; the tutorial, being
slow, reads fewer of them, of the same lengths. The tutorial reads the first 512 tokens of a text, Undertone all of it.
Then: what it gives that the last layer is worked out for the first token alone, agreement with float32, the share of
the processor's peak, one core busy, duplicates, memory, from database to database.
`--quick` takes few texts and rounds, to see that it works; `--json` adds a line with all numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import pathlib
import platform
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench import sides, stored, texts
from undertone import classifier, engines
from undertone import texts as reading

SPECIAL = 2  # tokens that the tokenizer puts around a text or window
KINDS = ("short", "long")
LONG_NAMES = {"short": "short texts", "long": "long texts"}


@dataclass(frozen=True)
class Sizes:
    """How much is measured: rounds, and rows of each kind of text in every round."""

    rounds: int = 5
    ours: dict[str, int] = field(default_factory=lambda: {"short": 8_000, "long": 600})
    tutorial: dict[str, int] = field(default_factory=lambda: {"short": 400, "long": 60})
    ours_large: dict[str, int] = field(default_factory=lambda: {"short": 2_000, "long": 150})
    tutorial_large: dict[str, int] = field(default_factory=lambda: {"short": 200, "long": 30})
    compared: dict[str, int] = field(default_factory=lambda: {"short": 4_000, "long": 300})
    stored_rounds: int = 3
    stored: dict[str, int] = field(default_factory=lambda: {"short": 20_000, "long": 1_000})


QUICK = Sizes(
    rounds=2,
    ours={"short": 1_000, "long": 60},
    tutorial={"short": 60, "long": 10},
    ours_large={"short": 200, "long": 20},
    tutorial_large={"short": 30, "long": 5},
    compared={"short": 500, "long": 30},
    stored_rounds=1,
    stored={"short": 2_000, "long": 100},
)


@dataclass(frozen=True)
class Agreement:
    """How far answers agree: the share of equal labels, the largest difference of a probability."""

    rows: int
    labels: float
    furthest: float


@dataclass(frozen=True)
class Results:
    """Everything that was measured. Rates are rows a second, the median of the rounds, by what was measured."""

    rates: dict[str, float]
    tokens: dict[str, dict[str, float]]
    """Of a text of a kind, in the mean: its `tokens`, and those that the `tutorial` and we (`ours`) read."""
    ways: dict[str, sides.Way]
    peak: float
    needed: dict[str, float]
    """Operations for a text of a kind, in the mean."""
    agreement: dict[str, Agreement]
    resident: int
    most_resident: int

    def ratio(self, one: str, other: str) -> float:
        """Of two rates."""
        return self.rates[one] / self.rates[other]

    def share_of_peak(self, kind: str) -> float:
        """Of what the processor can do, what went into tokens of texts."""
        return self.needed[kind] * self.rates[f"ours {kind}"] / self.peak


def window_lengths(tokens: int, max_length: int) -> list[int]:
    """The tokens of each window that a text of so many is read in, with those around it; see `Classifier`."""
    room = max_length - SPECIAL
    overlap = classifier.overlap_of(room)
    return [end - start + SPECIAL for start, end in reading.windows(tokens, room, overlap)]


def agreement(ours: Sequence[classifier.Prediction], exact: Sequence[classifier.Prediction]) -> Agreement:
    """Compare predictions of the same texts."""
    pairs = list(zip(ours, exact, strict=True))
    same = sum(one.label == other.label for one, other in pairs)
    furthest = max(
        abs(chance - other.probabilities[label]) for one, other in pairs for label, chance in one.probabilities.items()
    )
    return Agreement(len(pairs), same / len(pairs), furthest)


@contextlib.contextmanager
def apart(*arguments: object) -> Iterator[sides.Apart]:
    """See `sides.Apart`; the process ends with the `with`."""
    side = sides.Apart(*arguments)  # type: ignore[arg-type]
    try:
        yield side
    finally:
        side.close()


class Measured:
    """Rates of the rounds, by name."""

    def __init__(self) -> None:
        self._rates: dict[str, list[float]] = {}

    def add(self, name: str, rate: float) -> None:
        """One more of a name."""
        self._rates.setdefault(name, []).append(rate)

    def take(self, name: str, side: sides.Apart, rows: Sequence[str]) -> None:
        """Let a side read the rows."""
        self.add(name, len(rows) / side.ask("seconds", rows))

    def medians(self) -> dict[str, float]:
        """The median of each name's."""
        return {name: statistics.median(rates) for name, rates in self._rates.items()}

    def spread(self, name: str) -> str:
        """The smallest and the largest, to be printed."""
        return f"{min(self._rates[name]):,.1f} to {max(self._rates[name]):,.1f}"


def say(*words: object) -> None:
    """Print at once: a measurement takes minutes."""
    print(*words, flush=True)


class Bench:
    """The sides, their texts and what was measured so far."""

    def __init__(self, sizes: Sizes, folder: pathlib.Path, stack: contextlib.ExitStack) -> None:
        """Opens all sides, warm; `folder` takes the converted models and the large network."""
        self.sizes, self.cache, self.measured = sizes, folder / "models", Measured()
        large = folder / "distilbert-sized"
        self.tutorial, self.tutorial_large = (
            stack.enter_context(apart(sides.Tutorial, model, large)) for model in (classifier.DEFAULT, "large")
        )
        self.network: sides.Network = self.tutorial.ask("network")
        self.tutorial_large.ask("network")  # its folder is there now
        self.ours = stack.enter_context(apart(sides.Ours, classifier.DEFAULT, self.cache))
        self.ours_large = stack.enter_context(apart(sides.Ours, str(large), self.cache))
        self.whole = stack.enter_context(apart(sides.Whole, folder / "whole"))
        self.peak = stack.enter_context(apart(sides.Peak))
        self.ways: dict[str, sides.Way] = {"default": self.ours.ask("way"), "large": self.ours_large.ask("way")}
        made = {"short": texts.short, "long": texts.long}
        self.texts = {kind: made[kind](max(sizes.ours[kind], sizes.stored[kind])) for kind in KINDS}
        self.rows = {kind: texts.even(self.texts[kind], sizes.ours[kind]) for kind in KINDS}

    def rounds(self) -> None:
        """All that is compared on an idle machine, and with a busy core, in turn."""
        pairs = (
            ("tutorial", self.tutorial, self.sizes.tutorial),
            ("ours", self.ours, self.sizes.ours),
            ("ours whole", self.whole, self.sizes.ours),
            ("tutorial large", self.tutorial_large, self.sizes.tutorial_large),
            ("ours large", self.ours_large, self.sizes.ours_large),
        )
        doubled = texts.doubled(self.rows["short"])
        for number in range(self.sizes.rounds + 1):
            measured = self.measured if number else Measured()  # the first round warms all up
            for kind in KINDS:
                for name, side, sizes in pairs:
                    measured.take(f"{name} {kind}", side, texts.even(self.rows[kind], sizes[kind]))
            measured.add("peak", self.peak.ask("operations"))
            # Each beside its own idle rate.
            measured.take("ours beside doubled", self.ours, self.rows["short"])
            measured.take("ours doubled", self.ours, doubled)
            measured.take("ours beside busy", self.ours, self.rows["short"])
            with sides.busy_core():
                measured.take("ours busy", self.ours, self.rows["short"])
            say(f"round {number} of {self.sizes.rounds}" if number else "warm")

    def agreements(self) -> dict[str, Agreement]:
        """Ours against torch in float32."""
        found = {}
        with apart(sides.Ours, classifier.DEFAULT, self.cache, "torch", "float32") as exact:
            for kind in KINDS:
                rows = texts.even(self.rows[kind], self.sizes.compared[kind])
                found[kind] = agreement(self.ours.ask("answers", rows), exact.ask("answers", rows))
        return found

    def memory(self) -> tuple[int, int]:
        """Bytes that a fresh process has resident after the long texts, and the most that it had."""
        with apart(sides.Ours, classifier.DEFAULT, self.cache) as fresh:
            now, most = fresh.ask("memory", self.rows["long"])
        return int(now), int(most)

    def from_database_to_database(self) -> None:
        """A worker's rate beside that of the engine alone."""
        with stored.stored(self.cache) as place:
            say(f"from database to database: a worker, chunks of {place.chunk_rows:,} rows")
            for number in range(self.sizes.stored_rounds + 1):
                measured = self.measured if number else Measured()
                for kind in KINDS:
                    rows = self.texts[kind][: self.sizes.stored[kind] if number else place.chunk_rows]
                    measured.add(f"worker {kind}", place.rate(rows))
                    measured.take(f"ours beside worker {kind}", self.ours, rows)

    def lengths(self) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
        """See `Results.tokens` and `Results.needed`."""
        tokens, needed = {}, {}
        for kind in KINDS:
            counted: list[int] = self.ours.ask("count_tokens", self.rows[kind])
            windows = [window_lengths(count, self.ways["default"].max_length) for count in counted]
            most = sides.TUTORIAL_TOKENS - SPECIAL
            tokens[kind] = {
                "fewest": min(counted),
                "tokens": statistics.mean(counted),
                "most": max(counted),
                "tutorial": statistics.mean(min(count, most) for count in counted),
                "ours": statistics.mean(min(count, classifier.TEXT_TOKENS - SPECIAL) for count in counted),
                "windows": statistics.mean(map(len, windows)),
            }
            needed[kind] = self.network.operations([length for one in windows for length in one]) / len(counted)
        return tokens, needed

    def results(self) -> Results:
        """Measure all of it."""
        tokens, needed = self.lengths()
        self.rounds()
        agreements = self.agreements()
        resident, most = self.memory()
        self.from_database_to_database()
        rates = self.measured.medians()
        peak = rates.pop("peak")
        return Results(rates, tokens, self.ways, peak, needed, agreements, resident, most)


def show(found: Results, spread: Measured) -> None:
    """Print how it runs, what it read and how fast."""
    for name, way in (("default model", found.ways["default"]), (sides.DISTILBERT, found.ways["large"])):
        say(f"ours, {name}: {way}")
    for kind in KINDS:
        sizes = found.tokens[kind]
        say(
            f"{LONG_NAMES[kind]}: {sizes['fewest']:,.0f} to {sizes['most']:,.0f} tokens, {sizes['tokens']:.1f} in the"
            f" mean; the tutorial reads {sizes['tutorial']:.1f} of them, ours {sizes['ours']:.1f} in"
            f" {sizes['windows']:.2f} windows"
        )
    for name, rate in found.rates.items():
        kind = "long" if name.endswith("long") else "short"
        read = found.tokens[kind]["tutorial" if name.startswith("tutorial") else "ours"]
        say(f"{name}: {rate:,.1f} rows/s ({spread.spread(name)}), {rate * read:,.0f} tokens/s")


def ratios(found: Results) -> Iterator[str]:
    """The lines that the measurement is made for, with the goals that the project has set itself."""
    left = 1 - 1 / engines.processors()
    precision = found.ways["default"].precision
    for kind, goal in (("short", 10), ("long", 4.5)):
        yield f"ours / tutorial, {kind}: {found.ratio(f'ours {kind}', f'tutorial {kind}'):.2f} (goal: at least {goal})"
        yield (
            f"ours / tutorial, {kind}, {sides.DISTILBERT}:"
            f" {found.ratio(f'ours large {kind}', f'tutorial large {kind}'):.2f}"
        )
    for kind in KINDS:
        ratio = found.ratio(f"ours {kind}", f"ours whole {kind}")
        yield f"last layer for the first token alone / for all, {kind}: {ratio:.2f}"
    for kind in KINDS:
        yield f"share of the peak of {found.peak / 1e9:,.0f} GFLOP/s, {kind}: {found.share_of_peak(kind):.1%}"
    for kind in KINDS:
        one = found.agreement[kind]
        yield (
            f"labels as in float32, {kind}, {one.rows:,} rows: {one.labels:.2%} (goal: at least 99.5%);"
            f" the furthest probability is {one.furthest:.4f} away; {precision}"
        )
    busy = found.ratio("ours busy", "ours beside busy")
    yield f"one core busy / idle: {busy:.2f}; of what is left: {busy / left if left else 0:.2f} (goal: at least 0.50)"
    doubled = found.ratio("ours doubled", "ours beside doubled")
    yield f"half of the rows duplicates / all different: {doubled:.2f} (goal: 2)"
    now, most = found.resident / 1e6, found.most_resident / 1e6
    yield f"resident memory: {now:,.0f} MB, at most {most:,.0f} MB (goal: under 700)"
    for kind in KINDS:
        ratio = found.ratio(f"worker {kind}", f"ours beside worker {kind}")
        yield f"database to database / engine alone, {kind}: {ratio:.2f} (goal: at least 0.90)"


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench classify", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few texts and rounds: to see that it works")
    parser.add_argument("--json", action="store_true", help="also all numbers, as one line of JSON")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="undertone-bench-") as folder, contextlib.ExitStack() as stack:
        say(f"{platform.processor() or platform.machine()}, {engines.processors()} processors")
        bench = Bench(QUICK if chosen.quick else Sizes(), pathlib.Path(folder), stack)
        found = bench.results()
    show(found, bench.measured)
    if chosen.json:
        say(json.dumps(dataclasses.asdict(found)))
    for line in ratios(found):
        say(line)
