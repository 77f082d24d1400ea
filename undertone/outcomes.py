"""How a person's statement may end without an answer."""

from __future__ import annotations

from undertone import errors


class StatementError(errors.UndertoneError):
    """A person's statement brought no result."""


class StatementRefused(StatementError):
    """Not sent, or not a question: the message says what may be asked."""


class StatementLimited(StatementError):
    """Stopped by a limit: the message says which, and how to raise it."""


class StatementCancelled(StatementLimited):
    """Stopped because somebody asked for it."""


class StatementFailed(StatementError):
    """The server's own words: the message in one line, and what else it said.

    `position` is the character in the statement, counted from 1, that the server pointed at.
    """

    def __init__(
        self,
        message: str,
        *,
        position: int | None = None,
        detail: str | None = None,
        hint: str | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message)
        self.position = position
        self.detail = detail
        self.hint = hint
        self.sqlstate = sqlstate


def overstayed(seconds: float) -> StatementLimited:
    """The error for a statement that took longer than `seconds`."""
    return StatementLimited(
        f"The statement was stopped after {seconds:g} seconds; ask for less (a WHERE, a LIMIT), or raise"
        " UNDERTONE_QUERY_SECONDS."
    )


def overflowed(size: int) -> StatementLimited:
    """The error for a statement of whose answer not even the first row fits, or whose error message is too long."""
    return StatementLimited(
        f"The statement was stopped: one row of its answer, or a message, is larger than {size:,} bytes; ask for less"
        " of it (left(…), fewer columns), or raise UNDERTONE_QUERY_BYTES."
    )
