"""Twenty-four people ask at once, half of them to do harm: every honest answer is right and none is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit import aftermath, corpus, worlds
from undertone import console

SESSIONS, SECONDS = 24, 60.0  # half of the sessions are honest
HOSTILE = console.Limits(seconds=1.0, rows=1_000, bytes=1_000_000)
PAUSE = 0.02  # between asking again, where all slots are busy: a person needs longer
BUSY = "All slots are busy"
HONEST: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("SELECT 1", [(1,)]),
    ("SELECT count(*) FROM items", [(3,)]),
    ("SELECT name FROM items WHERE id = 2", [("pine; soap",)]),
    ("SELECT g FROM generate_series(1, 3000) g", [(g,) for g in range(1, 3001)]),
    ("SELECT sum(amount) FROM depot.stock", [(20100,)]),
    ("SELECT item, sum(amount) FROM depot.stock GROUP BY item ORDER BY item", [(1, 6633), (2, 6700), (3, 6767)]),
    ("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT sum(i) FROM n", [(5050,)]),
    ("SELECT part FROM parts ORDER BY part", [("handle",), ("lid",)]),
    ("SELECT doc #>> '{a,b,1}' FROM items WHERE id = 1", [("2",)]),
    ("SELECT md5(repeat('x', 100000))", [("d5816f35916d1d9482fb0f1ec201101d",)]),
    ("SELECT count(*) FROM depot.stock a, depot.stock b WHERE a.id <= b.id", [(20100,)]),
    ("SHOW transaction_read_only", [("on",)]),
    ("SELECT 7 % 4, ':x', $$;$$", [(3, ":x", ";")]),
]


@dataclass
class Told:
    """What a session has seen."""

    answered: int = 0
    ended: int = 0
    busy: int = 0
    wrong: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[aftermath.Watched]]:
    """The embedded server and somebody's own, each with the app's own pools of the default sizes."""
    with (
        worlds.embedded() as embedded,
        worlds.somebodys_server() as server,
        worlds.brought(server, tmp_path_factory.mktemp("brought")) as brought,
    ):
        yield [embedded, brought]


def until_answered(world: aftermath.Watched, statement: str, told: Told) -> list[tuple[object, ...]]:
    """What a person does whom the lane asks to wait."""
    assert world.pool is not None
    while True:
        try:
            return console.run(world.pool, statement).rows
        except console.StatementLimited as error:
            if not str(error).startswith(BUSY):
                raise
            told.busy += 1
            time.sleep(PAUSE)


def honest(world: aftermath.Watched, told: Told, chance: random.Random, until: float) -> None:
    while time.monotonic() < until:
        statement, rows = chance.choice(HONEST)
        try:
            found = until_answered(world, statement, told)
        except Exception as error:  # whatever it is, the answer is lost
            told.wrong.append(f"{statement!r} was lost: {type(error).__name__} {error}")
        else:
            told.answered += 1
            if found != rows:
                told.wrong.append(f"{statement!r} gave {found}")


def hostile(world: aftermath.Watched, told: Told, chance: random.Random, until: float) -> None:
    files = (corpus.refused(), corpus.read("sneaky.txt"), corpus.read("memory.txt"))
    groups = [group for file in files for group in file.values()]
    while time.monotonic() < until:
        statement = chance.choice(chance.choice(groups))
        try:
            assert world.pool is not None
            console.run(world.pool, statement, HOSTILE)
        except console.StatementError as error:
            told.busy += str(error).startswith(BUSY)
        except Exception as error:
            told.wrong.append(f"{statement!r} ended in {type(error).__name__} {error}")
        told.ended += 1


def test_every_honest_answer_is_right_and_none_is_lost(asked: list[aftermath.Watched]) -> None:
    until = time.monotonic() + SECONDS
    told = [Told() for _ in range(SESSIONS)]
    threads = []
    for number, one in enumerate(told):
        ask = honest if number % 4 < 2 else hostile
        arguments = (asked[number % 2], one, random.Random(number), until)
        threads.append(threading.Thread(target=ask, args=arguments, name=f"{ask.__name__} {number}"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 60)
    assert [thread.name for thread in threads if thread.is_alive()] == []
    print(*told, sep="\n")
    assert [wrong for one in told for wrong in one.wrong] == []
    assert all(one.answered or one.ended for one in told), "somebody never had a turn"
    assert [world.left() for world in asked] == [[], []]
    # Nothing of it goes on, and every slot is free again.
    for world in asked:
        assert world.pool is not None
        assert [console.run(world.pool, "SELECT 7").rows for _ in range(5)] == [[(7,)]] * 5
