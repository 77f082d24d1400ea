"""Rows of texts as they are found in the wild, made of numbers alone: most plain, some twice, some empty or hostile."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

from psycopg2 import sql

from undertone import database, writing

# Of a thousand rows. The rest are texts that stand in no other row.
TWICE, EMPTY, HOSTILE = 300, 10, 1
OFTEN = 400  # texts that stand in many rows
VOCABULARY = (
    "good bad fine slow kind broken late lovely awful the kettle parcel never came again twice blue lid box "
    "screen asked nobody answered refund promised today week cold handle works doesn't"
)
WORDS = VOCABULARY.split()
BLANKS: list[str | None] = [None, "", " ", "\n\t ", "\r\n"]
# Letters of many scripts, and marks, joiners, overrides and planes that break what takes a text for bytes or columns.
SCRIPTS = (
    "русский ελληνικά עברית العربية हिन्दी বাংলা தமிழ் ไทย မြန်မာ ქართული հայերեն 한국어 日本語 中文 ትግርኛ ᏣᎳᎩ ᐃᓄᒃᑎᑐᑦ "
    "𐍈𐍄 𓀀𓂀 𝕲𝖔𝖔𝖉 👩\u200d👩\u200d👧 🇺🇳 ﷽ Z̸̡̛͕a̷͙͝l̶̰̀g̸͎̓o̵̯͝ \u202egnorw\u202c \ufeff \ufffd \uffff \U0010ffff"
)
CONTROLS = "".join(map(chr, [*range(1, 32), 127, *range(128, 160)]))
ESCAPES = (
    r"\x00 \0 \u0000 \N \. \\N \b %00 &#0; \ud800 \udfff \ud83d\ude00 "
    r"'; DROP TABLE texts; -- $$ $1 %s %(x)s {} {0} :name ${HOME} `ls` <script>alert(1)</script> [x](javascript:1)"
)
MEGABYTE = 1_000_000
EVERY = [chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x110000))]  # what a text may hold


def texts(rows: int, seed: int = 1) -> Iterator[str | None]:
    """Texts for so many rows, the same ones for the same numbers."""
    chance = random.Random(seed)
    often = [_plain(chance, f"often {number}") for number in range(OFTEN)]
    for number in range(rows):
        place = number * 617 % 1000  # all kinds are spread over the table
        if place < HOSTILE:
            yield _hostile(number // 1000, chance)
        elif place < HOSTILE + EMPTY:
            yield BLANKS[number % len(BLANKS)]
        elif place < HOSTILE + EMPTY + TWICE:
            yield chance.choice(often)
        else:
            yield _plain(chance, f"row {number} of {seed}")


def fill(store: database.Database, table: str, rows: int, seed: int = 1) -> None:
    """Make a table of such rows in `public`: id, body."""
    lines = io.StringIO()
    for number, text in enumerate(texts(rows, seed), 1):
        lines.write(writing.copy_line((str(number), text)))
    lines.seek(0)
    name = sql.Identifier("public", table)
    with store.lend() as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {} (id bigint PRIMARY KEY, body text)").format(name))
        cursor.copy_expert(sql.SQL("COPY {} FROM STDIN").format(name).as_string(connection), lines)
        connection.commit()


def _plain(chance: random.Random, last: str) -> str:
    return " ".join([*chance.choices(WORDS, k=chance.randint(4, 25)), last])


def _hostile(number: int, chance: random.Random) -> str:
    kinds = (
        ESCAPES,
        SCRIPTS,
        CONTROLS,
        "\t\n\r\\" * 50 + "good",
        "good " + chance.choice("a字🙂\\\n") * MEGABYTE,  # a word without an end, or a void
        "good and bad " * (MEGABYTE // 13),
        "\u0301" * 5000,
        "".join(chance.choices(EVERY, k=2000)),
    )
    return f"{number} {kinds[number % len(kinds)]} {number}"
