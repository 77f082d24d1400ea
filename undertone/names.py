"""Names of relations and columns: how SQL writes them, what a person may mean by one, and which look alike."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

# The words that cannot be a name without quotes: pg_get_keywords() of PostgreSQL 18, catcode R and T.
_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role current_schema
    current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch
    for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral
    leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer
    overlaps placing primary references returning right select session_user similar some symmetric system_user
    table tablesample then to trailing true union unique user using variadic verbose when where window with
"""
RESERVED = frozenset(re.findall(r"\w+", _WORDS))
WRITTEN = re.compile(r'\s*(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)\s*')


def quoted(name: str) -> str:
    """A name as SQL needs it: bare where it can be. Letters of any script are letters, as they are to the server."""
    bare = (
        all(character in "_$" or unicodedata.category(character)[0] in "LMN" for character in name)
        and not (name[:1].isnumeric() or name[:1] == "$")
        and name == name.lower()
        and name not in RESERVED
    )
    return name if name and bare else '"' + name.replace('"', '""') + '"'


def readings(text: str) -> Iterator[tuple[str | None, str]]:
    """What a text may mean as the name of a relation: (schema or None, name), the likeliest first."""
    if "\0" in text or text.encode(errors="ignore").decode() != text:
        return  # no name on any server
    parts = WRITTEN.fullmatch(text)
    if parts:
        yield _part(parts[1], fold=False), _part(parts[2], fold=False) or ""
    yield None, text
    for dot in re.finditer(r"\.", text):
        yield text[: dot.start()], text[dot.end() :]
    if parts:
        yield _part(parts[1], fold=True), _part(parts[2], fold=True) or ""


def nearest(name: str, among: Iterable[str]) -> list[str]:
    """Up to five of the names that look like this one, the nearest first."""
    folded = {other.casefold(): other for other in among}
    return [folded[other] for other in difflib.get_close_matches(name.casefold(), folded, n=5, cutoff=0.6)]


def unique(names: Sequence[str], mark: str = " ({})") -> list[str]:
    """The names, told apart by a number in `mark` where they are equal, and called `column` where they are empty.

    Answers may have columns of one name or of none; a grid, a JSON object and a Parquet file hold each name once.
    """
    taken: set[str] = set()
    copies: dict[str, int] = {}
    found = []
    for name in names:
        name = candidate = name or "column"
        while candidate in taken:
            copies[name] = copies.get(name, 1) + 1
            candidate = name + mark.format(copies[name])
        taken.add(candidate)
        found.append(candidate)
    return found


def line(name: str) -> str:
    """A name that somebody gave, in quotes, as it can stand in a message of one line."""
    return '"' + " ".join(name.split()).encode(errors="replace").decode().replace("\0", "?")[:80] + '"'


def _part(text: str | None, *, fold: bool) -> str | None:
    if text and text.startswith('"'):
        return text[1:-1].replace('""', '"')
    return text.strip().lower() if text and fold else text
