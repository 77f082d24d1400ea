"""The word gate: says in a sentence why a statement is not a question that may be asked.

For clear messages, and for accounts on which Undertone can revoke nothing. It is not the protection: behind it
stand the account's rights, a READ ONLY transaction and a channel that holds one statement (docs/security.md). It
decides from words (`lexer.py`) only what needs no grammar.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from undertone import called, lexer

QUERIES = called.QUERIES
QUESTIONS = (*QUERIES, "show", "explain")
STARTS = "a statement that starts with SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN"
WRITES = ("insert", "update", "delete", "merge")
# The server's parser and planner heed no timeout; these keep them under a second or so.
MOST_COMMENTS, MOST_JOINS, MOST_NATURALS = 200, 200, 20
# Each by itself is harmless in any number. Mixed, 2,000 took the planner 189 seconds and all memory.
MOST_MIXED = 200

# Volatile, and yet of no effect on anybody else: chance, clocks, sizes, and what only looks.
HARMLESS = re.compile(
    r"random|random_normal|normal_rand|setseed|gen_random_uuid|gen_random_bytes|uuidv4|uuidv7|uuid_generate_v\w+"
    r"|array_shuffle|array_sample|clock_timestamp|timeofday|currval|lastval|pg_sequence_last_value|current_query"
    r"|txid_status|pg_xact_status|pg_xact_commit_timestamp\w*|pg_last_\w+|pg_is_\w+|pg_control_\w+|pg_get_\w+"
    r"|pg_stat_get_\w+|pg_stat_have_stats|pg_(\w+_)?size|pg_partition_\w+|pg_lock_status|pg_jit_available"
    r"|pg_\w*collation_actual_version|pg_current_wal_\w+"
)
# Not volatile, and yet they run a text that the gate does not see, use up transaction numbers, or lift a limit.
HARMFUL = re.compile(
    r"\w*_to_xml\w*|txid_current|pg_current_xact_id|crosstab\w*|connectby|xpath_table|dblink\w*|set_config"
    r"|pg_stat_get_activity|pg_stat_get_backend_activity|satisfies_hash_partition"
)
# What other people's sessions are saying, and where the server keeps secrets.
PRIVATE = re.compile(
    r"pg_stat_activity|pg_stat_statements|pg_authid|pg_shadow|pg_user_mappings?|pg_subscription|pg_hba_file_rules"
    r"|pg_ident_file_mappings|pg_file_settings"
)

Overload = called.Overload


def refusal(tokens: Iterable[lexer.Token]) -> str | None:
    """Why this is not one question, in a sentence or two; None if it may be one."""
    tokens = list(tokens)
    if sum(token.kind == "comment" for token in tokens) > MOST_COMMENTS:
        return f"The statement has more than {MOST_COMMENTS} comments; take some out."
    for word, most in (("join", MOST_JOINS), ("natural", MOST_NATURALS)):
        if sum(token.kind == "word" and token.text == word for token in tokens) > most:
            return f"The statement has more than {most} times {word.upper()}; the server would plan it for too long."
    if all(sum(token.kind == "word" and token.text == word for token in tokens) > MOST_MIXED for word in ("and", "or")):
        return (
            f"The statement has more than {MOST_MIXED} times AND as well as OR; the server would plan it for too long."
            " Write id IN (…) instead of many ORs."
        )
    tokens = [token for token in tokens if token.kind != "comment"]
    tokens = list(itertools.dropwhile(lambda token: token.mark == ";", tokens))  # the server, too, ignores them
    body = [token for token in tokens if token.mark != "("]
    if not body:
        return f"There is nothing to ask yet: write {STARTS}."
    first = body[0]
    if first.kind != "word" or first.text not in QUESTIONS:
        return f"Only questions can be asked here: {STARTS}. This one starts with {_shown(first)}."
    for token, following in itertools.pairwise(tokens):
        if token.mark == ";" and following.mark != ";":
            return f"Only one statement can be asked at a time; there is more after the semicolon at {token.start + 1}."
    if any(token.kind == "unicode" for token in tokens):
        return 'Names written as U&"…" cannot be used here; write the name itself, in double quotes.'
    return _explained(tokens) or _writing_with(tokens) or _into(tokens)


def forbidden(
    tokens: Iterable[lexer.Token], functions: Mapping[str, Sequence[Overload]], allowed: Collection[str] = ()
) -> str | None:
    """Why a name in the statement may not be used, in a sentence; None if all may.

    `functions`: those that are not harmless by the server's own account. `allowed`: those that may be called anyway.
    What hides what it calls is found elsewhere (`reach.py`).
    """
    tokens = [token for token in tokens if token.kind != "comment"]
    for token in tokens:
        if token.names and PRIVATE.fullmatch(token.text):
            return (
                f"{token.text} shows what other sessions run or what the server keeps secret; it cannot be read here."
            )
    for call in called.calls(tokens):
        if call.name in allowed:
            continue
        overloads = () if HARMLESS.fullmatch(call.name) else functions.get(call.name, ())
        harmful = HARMFUL.fullmatch(call.name) and not call.of_row  # none of them takes a row
        if harmful or any(overload.takes(call) for overload in overloads):
            return (
                f"The function {call.name} cannot be called here: it may do more than answer, such as wait, lock, write"
                " or run a text."
            )
    return None


def _explained(tokens: Sequence[lexer.Token]) -> str | None:
    """EXPLAIN takes any statement, and ANALYZE runs it: CREATE TABLE AS writes even in a READ ONLY transaction."""
    if tokens[0].text != "explain":
        return None
    rest = list(tokens[1:])
    if len(rest) > 1 and rest[0].mark == "(" and rest[1].text not in (*QUERIES, "("):
        rest = list(itertools.dropwhile(lambda token: token.mark != ")", rest))[1:]
    while rest and rest[0].kind == "word" and rest[0].text in ("analyze", "analyse", "verbose"):
        rest = rest[1:]
    what = next((token for token in rest if token.mark != "("), None)
    if what is None or (what.kind == "word" and what.text in QUERIES):
        return None
    return f"EXPLAIN can be asked of a query only (SELECT, WITH, VALUES or TABLE), not of {_shown(what)}."


def _into(tokens: Sequence[lexer.Token]) -> str | None:
    for before, token in itertools.pairwise(tokens):
        # INTO is reserved: only as a label or after a dot is it a name.
        if token.kind == "word" and token.text == "into" and before.text not in ("as", "."):
            return f"INTO at character {token.start + 1} would write; only what reads can be asked here."
    return None


def _writing_with(tokens: Sequence[lexer.Token]) -> str | None:
    """INSERT, UPDATE, DELETE and MERGE inside or after a WITH. They are names, too, in other places."""
    depth, main_seen = 0, tokens[0].text not in ("with", "explain")
    for index, token in enumerate(tokens):
        depth += (token.mark == "(") - (token.mark == ")")
        if token.kind != "word" or index < 2:
            continue
        before, earlier = tokens[index - 1].text, tokens[index - 2].text
        if token.text in WRITES and (
            (before == "(" and earlier in ("as", "materialized")) or (before == ")" and depth == 0 and not main_seen)
        ):
            return (
                f"{token.text.upper()} at character {token.start + 1} would write; only what reads can be asked here."
            )
        main_seen = main_seen or (depth == 0 and before == ")" and token.text in QUERIES)
    return None


def _shown(token: lexer.Token) -> str:
    if token.kind == "word":
        return token.text.upper()
    return {"string": "a literal", "number": "a number", "quoted": "a name in quotes", "open": "a quote"}.get(
        token.kind, token.text
    )
