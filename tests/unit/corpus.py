"""The corpus: statements that must not pass, statements that must, and the database that they are asked of.

tests/corpus has them, one a line under their group: ⏎ is the end of a line in the statement, ⟨00A0⟩ a character
by its number. `statements.py` has the first of both kinds.

refused.txt   must end in an error, whoever asks
sneaky.txt    behind a name of the account's own that the server calls harmless: asked or not, nothing may be left of it
hidden.txt    behind functions that hide what they call: must be refused, and otherwise ends others' sessions
memory.txt    would fill the memory: an error, or cut short, and the app does not grow
answered.txt  must be answered as PostgreSQL answers without us
varying.txt   must be answered; what with is not the same twice
world.sql     the database
"""

from __future__ import annotations

import itertools
import pathlib
import re
from collections.abc import Iterator

from tests.unit import statements

FOLDER = pathlib.Path(__file__).parents[1] / "corpus"
WORLD = statements.SHOP + (FOLDER / "world.sql").read_text(encoding="utf-8")
_CODE = re.compile("⟨([0-9A-F]{4,6})⟩")

# What keeps a parser, a planner or a lexer busy: an answer or an error, but in time and without a trace.
BOMBS = [
    "SELECT " + "(" * 15_000,
    "SELECT " + "(" * 8_000 + "1" + ")" * 8_000,
    "(" * 15_000 + "SELECT 1" + ")" * 15_000,
    "SELECT " + "+1" * 20_000,
    "SELECT 1" + "+1" * 20_000,
    "SELECT " + "-" * 3 + "1" * 40_000,
    "SELECT " + "- " * 20_000 + "1",
    "SELECT " + "NOT " * 10_000 + "true",
    "SELECT " + "a(" * 20_000,
    "SELECT " + "abs(" * 8_000 + "1" + ")" * 8_000,
    "SELECT " + "ARRAY[" * 6_000 + "1" + "]" * 6_000,
    "SELECT " + "ROW(" * 8_000 + "1" + ")" * 8_000,
    "SELECT " + "(SELECT " * 4_000 + "1" + ")" * 4_000,
    "SELECT " + "CASE WHEN true THEN " * 1_800 + "1" + " END" * 1_800,
    "SELECT 1" + " UNION ALL SELECT 1" * 2_400,
    "SELECT 1" + " UNION SELECT 1" * 3_000,
    "SELECT * FROM items" + ", items" * 6_000,
    "SELECT * FROM (" * 2_500 + "SELECT 1" + ") x" * 2_500,
    "SELECT 1 FROM items a" + " NATURAL JOIN items b" * 20,
    "SELECT count(*) FROM items" + "".join(f" JOIN items a{n} USING (id)" for n in range(199)),
    "WITH " + ", ".join(f"x{n} AS (SELECT 1)" for n in range(2_000)) + " SELECT 1",
    "WITH a AS (SELECT 1), "
    + ", ".join(f"a{n} AS (SELECT * FROM a{n - 1 or ''} UNION ALL SELECT * FROM a{n - 1 or ''})" for n in range(1, 30))
    + " SELECT count(*) FROM a29",
    "SELECT " + ",".join("1" * 1 for _ in range(20_000)),
    "SELECT 1 WHERE 1 IN (" + ",".join(map(str, range(9_000))) + ")",
    "SELECT id FROM items WHERE " + " OR ".join("id = 1" for _ in range(4_000)),
    "SELECT id FROM items WHERE " + " AND ".join("(id = 1 OR id = 2)" for _ in range(2_000)),
    "SELECT '" + "[" * 45_000 + "'::jsonb",
    "SELECT '" + "{" * 45_000 + "'::int[]",
    "SELECT 1e" + "9" * 40_000,
    "SELECT " + "9" * 48_000 + "::numeric ^ 99999",
    'SELECT "' + "x" * 45_000 + '"',
    "SELECT $" + "x" * 45_000 + "$",
    "SELECT " + "$a$" * 15_000,
    "SELECT " + "'a'\n" * 12_000,
    "SELECT " + "E'\\''\n" * 8_000,
    "SELECT '" + "''" * 23_000,
    "SELECT " + "/*" * 20_000,
    "SELECT " + "/*" * 150 + "*/" * 150 + " 1",
    "SELECT " + "--\n" * 16_000 + "1",
    "SELECT 1" + ";" * 48_000,
    "SELECT 1::" + "int::" * 8_000 + "int",
    "SELECT (items)" + ".name" * 8_000 + " FROM items",
    "SELECT a" + "[1]" * 12_000 + " FROM (SELECT 1) AS t(a)",
    "SELECT 'x' ~ '" + "(" * 20_000 + ")" * 20_000 + "'",
    "SELECT 'x' ~ '" + "(x*)*" * 5_000 + "'",
    "SELECT 'a' SIMILAR TO '" + "%a" * 20_000 + "'",
    "SELECT repeat('a', 10000) LIKE '" + "%a" * 10_000 + "b'",
    "SELECT to_tsquery('" + "a & " * 11_000 + "a')",
    "SELECT '" + "a|" * 20_000 + "a'::tsquery",
    "SELECT '$" + ".a" * 20_000 + "'::jsonpath",
    "SELECT '$ ? (" + "(" * 20_000 + "'::jsonpath",
    "SELECT format('" + "%1$s" * 11_000 + "', repeat('x', 1000))",
    "EXPLAIN SELECT '" + "x" * 48_000 + "'",
    "EXPLAIN VERBOSE SELECT " + ", ".join(f"repeat('x', {n})" for n in range(1_600)),
    "SELECT " + ", ".join(f"lag(id, {n}) OVER (ORDER BY id + {n})" for n in range(800)) + " FROM items",
    "SELECT count(*) FROM items GROUP BY CUBE (" + ", ".join(f"id + {n}" for n in range(12)) + ")",
    "SELECT count(*) FROM items GROUP BY " + ", ".join(f"ROLLUP (id + {n}, id - {n})" for n in range(8)),
    "SELECT " + "x" * 70_000,
]


def read(name: str) -> dict[str, list[str]]:
    """The statements of a file, by their group."""
    found: dict[str, list[str]] = {}
    group = ""
    for line in (FOLDER / name).read_text(encoding="utf-8").split("\n"):
        if line.startswith("# "):
            group = line.removeprefix("# ")
        elif line:
            found.setdefault(group, []).append(_decoded(line))
    return found


def refused() -> dict[str, list[str]]:
    """What must not pass, each statement once."""
    first = {
        "the first: escapes": statements.lines(statements.ESCAPES),
        "the first: functions": statements.lines(statements.FUNCTIONS),
    }
    seen: set[str] = set()
    return {group: list(_new(found, seen)) for group, found in (first | read("refused.txt")).items()}


def answered() -> dict[str, list[str]]:
    """What must pass, and is the same each time."""
    seen = {statement for statement, _ in statements.ANSWERED}
    return {group: list(_new(found, seen)) for group, found in read("answered.txt").items()}


def flat(groups: dict[str, list[str]]) -> list[str]:
    """The statements of all groups."""
    return list(itertools.chain.from_iterable(groups.values()))


def _new(found: list[str], seen: set[str]) -> Iterator[str]:
    for statement in found:
        if statement not in seen:
            seen.add(statement)
            yield statement


def _decoded(line: str) -> str:
    return _CODE.sub(lambda code: chr(int(code[1], 16)), line.replace("⏎", "\n"))
