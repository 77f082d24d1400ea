"""Check everything that Undertone rests on, and prove the read-only promise by trying to break it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from undertone import console, database, embedded, errors, queries, scoring, services, settings

SQL = queries.load("doctor")
# What somebody might send to harm the data; none of it may leave a trace, whoever the account is.
ATTEMPTS = {
    "create a table": "CREATE TABLE undertone_was_here (i int)",
    "create a table from a query": "SELECT 1 AS i INTO undertone_was_here",
    "write behind a second statement": "SELECT 1; CREATE TABLE undertone_was_here (i int)",
    "leave the read-only transaction": "SELECT 1; COMMIT; CREATE TABLE undertone_was_here (i int)",
    "write while explaining": "EXPLAIN ANALYZE CREATE TABLE undertone_was_here AS SELECT 1",
    "write in a common table expression": "WITH x AS (DELETE FROM pg_class RETURNING 1) SELECT * FROM x",
    "make a large object": "SELECT lo_create(0)",
    "send a notification": "SELECT pg_notify('undertone', 'was here')",
    "hold a lock": "SELECT pg_advisory_lock(1)",
    "end other sessions": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "lift the time limit": "SELECT set_config('statement_timeout', '0', false)",
    "read a file of the server": "SELECT pg_read_file('/etc/passwd')",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "stay for ever": "SELECT count(*) FROM generate_series(1, 1000000000000)",
}
LIMITS = console.Limits(seconds=1.0, rows=10, bytes=10_000)


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, whether it is as it should be, and what was found, in a sentence without secrets."""

    what: str
    good: bool
    found: str


def examine(chosen: settings.Settings) -> Iterator[Finding]:
    """Check everything, opening what the settings name; a service that cannot be opened is a finding, not an error."""
    yield Finding("settings", True, f"home {chosen.home}, model {chosen.model}")
    try:
        opened = services.open_services(chosen)
    except errors.UndertoneError as error:
        yield Finding("services", False, str(error))
        return
    with contextlib.closing(opened):
        yield from examine_services(opened)
        yield _checked("model", _model, chosen)


def examine_services(opened: services.Services) -> list[Finding]:
    """Check what is open: the server, both databases, the rights of the account, the lane, the workers."""
    findings = []
    if opened.server is not None:
        findings.append(_checked("embedded server", _server, opened.server))
    findings.append(_checked("data", _reachable, opened.data))
    findings.append(_checked("store", _reachable, opened.store))
    findings.append(_checked("account", _account, opened.data))
    findings.append(_checked("reading", _readable, opened.data))
    findings += [_checked(f"attempt to {name}", _attempt, opened.console, sql) for name, sql in ATTEMPTS.items()]
    findings.append(_checked("nothing was left behind", _untouched, opened.data))
    findings.append(_checked("workers", _workers, opened.store))
    return findings


def _checked(what: str, check: Callable[..., tuple[bool, str]], *arguments: object) -> Finding:
    try:
        good, found = check(*arguments)
    except errors.UndertoneError as error:
        return Finding(what, False, str(error))
    return Finding(what, good, found)


def _server(server: embedded.EmbeddedServer) -> tuple[bool, str]:
    return server.running(), f"in {server.directory}"


def _reachable(pool: database.Database) -> tuple[bool, str]:
    return True, f"PostgreSQL {pool.ask(SQL.version)} as {pool.place}"


def _account(pool: database.Database) -> tuple[bool, str]:
    """The weakest account that does the job can do nothing but read."""
    name, superuser, *more = pool.ask(SQL.account)
    if superuser:
        return False, f"{name} is a superuser: use an account that only reads (sql/reader_role.sql)"
    powers = [
        word for word, has in zip(("createdb", "createrole", "replication", "bypassrls"), more, strict=True) if has
    ]
    writable = [row[0] for row in pool.ask(SQL.writable)]
    creatable = [row[0] for row in pool.ask(SQL.creatable)]
    parts = [f"has {', '.join(powers)}"] if powers else []
    parts += [f"may change {', '.join(writable)}"] if writable else []
    parts += [f"may create in {', '.join(creatable)}"] if creatable else []
    if parts:
        return False, f"{name} {'; '.join(parts)}: use an account that only reads (sql/reader_role.sql)"
    return True, f"{name} can read and nothing else"


def _readable(pool: database.Database) -> tuple[bool, str]:
    count = pool.ask(SQL.readable)
    return count > 0, f"{count:,} tables and views" if count else "this account may read no table"


def _attempt(pool: database.Database, statement: str) -> tuple[bool, str]:
    try:
        console.run(pool, statement, LIMITS)
    except console.StatementError as error:
        return True, f"turned away: {error}"
    return False, "it went through"


def _untouched(pool: database.Database) -> tuple[bool, str]:
    def look(connection: database.Connection) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('undertone_was_here') IS NULL")
            (clean,) = cursor.fetchone()
            return bool(clean)

    return (True, "no attempt left a trace") if pool.ask(look) else (False, "a table undertone_was_here is there")


def _workers(pool: database.Database) -> tuple[bool, str]:
    found = pool.ask(scoring.workers)
    waiting = any(run.state in ("planned", "running") for run in pool.ask(scoring.runs))
    if not found and waiting:
        return False, "runs wait and no worker is at work: python -m undertone worker"
    return True, f"{len(found)} at work" if found else "none at work, and nothing to do"


def _model(chosen: settings.Settings) -> tuple[bool, str]:
    from undertone import classifier

    loaded = classifier.from_settings(chosen)
    prediction = loaded.classify(["This is wonderful, thank you!"])[0]
    return (
        prediction.label is not None,
        f"{loaded.model_id} with {loaded.engine} on {loaded.device}, {loaded.precision}",
    )
