"""What the tests of asking share: services on a fresh database, and what their log says."""

from __future__ import annotations

from typing import Any

from undertone import asking, audit, console, database, parameters, services, settings

LIMITS = console.Limits(seconds=30, rows=100)


def opened(data: database.Database, store: database.Database, **chosen: Any) -> services.Services:
    """Services on two pools; the data is asked as the scores, too."""
    return services.Services(settings.load_settings(**chosen), None, data, store, data, data)


def question(statement: str, /, target: str = "data", who: str = "ann", how: str = "page", **values: str | None) -> Any:
    """A question with texts as parameters."""
    given = tuple((name, parameters.Value("text", value)) for name, value in values.items())
    return asking.Question(statement, given, target, who, how)


def entries(store: database.Database, **which: Any) -> list[audit.Entry]:
    """The log, newest first."""
    return store.ask(audit.history, **({"who": None} | which))
