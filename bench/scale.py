"""Many workers on one store: two against one here, and as many as the store carries where the model only sleeps.

First the real thing: a worker on one thread against two of them, each held to a processor of its own, the same texts in
turn. Then workers that are real in
all but the model, which sleeps as long as it would have computed: how many of them one store keeps busy. Rows a second
are those between two moments while all are at work; a chunk that is under way counts by the part that lies between
them. Store and simulated workers share this machine's processors, so the shares of either are told.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import tempfile
from dataclasses import dataclass

from bench import carrying, stored, texts
from undertone import engines, planning

BOTH, ALONE = planning.QUEUE, "alone"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int = 5
    rows: int = 20_000  # of the real thing, in every round
    workers: tuple[int, ...] = (1, 8, 32, 100)
    seconds: float = 60.0  # of the simulation, for each number of workers


QUICK = Sizes(rounds=1, rows=3_000, workers=(1, 8), seconds=15.0)


def say(*words: object) -> None:
    """Print at once: a measurement takes minutes."""
    print(*words, flush=True)


def real(sizes: Sizes, cache: pathlib.Path) -> tuple[float, float]:
    """Rows a second of one worker and of two, the median of the rounds; each on one thread and its own processor."""
    one_thread = ["--threads", "1", "--queue", BOTH]
    rates: dict[str, list[float]] = {ALONE: [], BOTH: []}
    rows = texts.short(sizes.rows)
    with stored.stored(cache, [*one_thread, "--queue", ALONE], one_thread, apart=True) as place:
        # Warm: enough chunks for either worker to load the model.
        place.rate(texts.short(8 * carrying.CHUNK_ROWS, seed=1), BOTH)
        place.rate(texts.short(carrying.CHUNK_ROWS, seed=1), ALONE)
        for number in range(sizes.rounds):
            for queue in rates:
                rates[queue].append(place.rate(rows, queue))
            say(
                f"round {number + 1} of {sizes.rounds}: one worker {rates[ALONE][-1]:,.0f} rows/s,"
                f" two {rates[BOTH][-1]:,.0f}"
            )
    return statistics.median(rates[ALONE]), statistics.median(rates[BOTH])


def show(found: carrying.Carried, one: carrying.Carried) -> None:
    """Print what was carried."""
    waits = ", ".join(f"{name} {number:.1f}" for name, number in found.waits)
    say(
        f"{found.workers} workers: {found.chunks:,.1f} chunks/s, {found.rows:,.0f} rows/s, efficiency"
        f" {efficiency(found, one):.1%}; of the processors the server took {found.server:.0%}, the simulated workers"
        f" {found.simulated:.0%}; {found.connections} connections,"
        f" {found.data_connections} of them to the data, {found.log_bytes:,.0f} bytes of log a row,"
        f" {found.planned_rows:,} rows planned in {found.planning:.1f} s; in the mean: {waits}"
    )


def efficiency(found: carrying.Carried, one: carrying.Carried) -> float:
    """Of what so many workers would do if each did as much as one alone."""
    return found.rows / (found.workers / one.workers * one.rows)


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows and workers: to see that it works")
    parser.add_argument("--json", action="store_true", help="also all numbers, as one line of JSON")
    parser.add_argument("--chunk-seconds", type=float, help="how long a chunk takes in the simulation, not measured")
    parser.add_argument("--workers", type=int, nargs="+", help="of the simulation, the first to compare with")
    parser.add_argument("--seconds", type=float, help="of the simulation, for each number of workers")
    chosen = parser.parse_args(arguments)
    sizes = QUICK if chosen.quick else Sizes()
    if chosen.seconds:
        sizes = dataclasses.replace(sizes, seconds=chosen.seconds)
    if chosen.workers:
        sizes = dataclasses.replace(sizes, workers=tuple(chosen.workers))
    say(f"{engines.processors()} processors")
    ratio = None
    chunk_seconds = chosen.chunk_seconds
    if chunk_seconds is None:
        with tempfile.TemporaryDirectory(prefix="undertone-bench-") as folder:
            one, two = real(sizes, pathlib.Path(folder) / "models")
        ratio, chunk_seconds = two / one, carrying.CHUNK_ROWS / one
        say(f"one worker on one thread: {one:,.0f} rows/s; two: {two:,.0f} rows/s")
    say(f"simulation: chunks of {carrying.CHUNK_ROWS:,} rows that take {chunk_seconds:.2f} s")
    carried = []
    with carrying.simulation(chunk_seconds) as simulated:
        for workers in sizes.workers:
            carried.append(simulated.carry(workers, sizes.seconds))
            show(carried[-1], carried[0])
    if chosen.json:
        say(json.dumps({"ratio": ratio, "chunk_seconds": chunk_seconds, "carried": list(map(vars, carried))}))
    for one_size in carried[1:]:
        goal = " (goal: at least 95%)" if one_size.workers == 32 else ""
        say(
            f"{one_size.workers} workers, of {one_size.workers} times one: {efficiency(one_size, carried[0]):.1%}{goal}"
        )
    if ratio is not None:
        say(f"two workers / one, a thread each: {ratio:.2f} (goal: at least 1.9)")


if __name__ == "__main__":
    main(*sys.argv[1:])
