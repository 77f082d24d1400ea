"""Check everything that Undertone rests on, and prove the read-only promise by trying to break it."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from undertone import attempts, database, embedded, errors, queries, rights, scoring, services, settings

SQL = queries.load("doctor")
SERVICES, RIGHTS, LEFT = "services", "rights", "left"
DEEPER = ", past the gate"  # ends the name of an attempt that was asked there
# What is checked, in the order in which it is shown, each as a heading.
GROUPS = {
    SERVICES: "Services",
    RIGHTS: "What the account may do",
    **{group: f"Attempts {words}" for group, words in attempts.GROUPS.items()},
    LEFT: "What the attempts have left behind",
}
warnings = rights.warnings


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, whether it is as it should be, and what was found, in a sentence without secrets.

    `group` is one of GROUPS; `target` which of the databases that can be asked it is about, if it is about one.
    """

    what: str
    good: bool
    found: str
    group: str = SERVICES
    target: str = ""


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
    """Check what is open: the server, both databases, the workers; then each of the databases that people can ask."""
    findings = []
    if opened.server is not None:
        findings.append(_checked("embedded server", _server, opened.server))
    findings.append(_checked("data", _reachable, opened.data))
    findings.append(_checked("store", _reachable, opened.store))
    findings.append(_checked("reading", _readable, opened.data))
    findings.append(_checked("workers", _workers, opened.store))
    return findings + prove(opened)


def prove(opened: services.Services) -> list[Finding]:
    """The proof: for each target what its account may do, and what the live attempts were answered."""
    superuser = opened.settings.query_superuser
    targets = opened.consoles
    # At once: most of the time goes into waiting for the limits of time.
    with concurrent.futures.ThreadPoolExecutor(len(targets), "undertone-doctor") as threads:
        proofs = [threads.submit(_prove, target, pool, superuser) for target, pool in targets.items()]
        return [finding for proof in proofs for finding in proof.result()]


def _prove(target: str, pool: database.Database, superuser: bool) -> list[Finding]:
    def named(what: str) -> str:
        return what if target == "data" else f"{target}: {what}"

    try:
        account = pool.ask(rights.look)
    except errors.UndertoneError as error:
        return [Finding(named("account"), False, str(error), RIGHTS, target)]
    findings = [Finding(named("account"), *_account(account), RIGHTS, target)]
    for attempt in attempts.ATTEMPTS:
        what = named(f"attempt to {attempt.what}")
        findings.append(_checked(what, _asked, pool, attempt, superuser, group=attempt.group, target=target))
        if attempt.deeper and not account.superuser:
            what = f"{what}{DEEPER}"
            findings.append(_checked(what, _asked_deeper, pool, attempt, group=attempt.group, target=target))
    findings.append(_checked(named("nothing was left behind"), _untouched, pool, group=LEFT, target=target))
    return findings


def _checked(
    what: str, check: Callable[..., tuple[bool, str]], *arguments: object, group: str = SERVICES, target: str = ""
) -> Finding:
    try:
        good, found = check(*arguments)
    except errors.UndertoneError as error:
        good, found = False, str(error)
    return Finding(what, good, found, group, target)


def _server(server: embedded.EmbeddedServer) -> tuple[bool, str]:
    return server.running(), f"in {server.directory}"


def _reachable(pool: database.Database) -> tuple[bool, str]:
    return True, f"PostgreSQL {pool.ask(SQL.version)} as {pool.place}"


def _account(account: rights.Rights) -> tuple[bool, str]:
    """The weakest account that does the job can do nothing but read."""
    notes = "".join(f"; {note}, as every account of this server" for note in account.notes())
    if dangers := account.dangers():
        return False, f"{account.account} {'; '.join(dangers)}{notes}: {rights.ADVICE}"
    return True, f"{account.account} can read and nothing else" if not notes else f"{account.account} only reads{notes}"


def _readable(pool: database.Database) -> tuple[bool, str]:
    count = pool.ask(SQL.readable)
    return count > 0, f"{count:,} tables and views" if count else "this account may read no table"


def _asked(pool: database.Database, attempt: attempts.Attempt, superuser: bool) -> tuple[bool, str]:
    outcome = attempts.asked(pool, attempt, superuser=superuser)
    return outcome.held, outcome.said


def _asked_deeper(pool: database.Database, attempt: attempts.Attempt) -> tuple[bool, str]:
    outcome = attempts.asked_past_the_gate(pool, attempt)
    return outcome.held, outcome.said


def _untouched(pool: database.Database) -> tuple[bool, str]:
    found = attempts.traces(pool)
    return not found, f"there is {', '.join(found)}" if found else "no attempt left a trace"


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
