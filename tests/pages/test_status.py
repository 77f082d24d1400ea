"""The Status page: the proof, and a warning that cannot be missed where an account can do harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy

from tests.pages import conftest
from undertone import attempts, doctor, embedded


def test_the_proof_is_shown_for_every_database_that_can_be_asked(shop: conftest.Open) -> None:
    app = shop("status")
    assert not app.exception
    assert not app.error
    said = [str(element.value) for element in app.success]
    assert sum("can read and nothing else" in each for each in said) == 2
    assert sum("no attempt left a trace" in each for each in said) == 2
    headings = [expander.label for expander in app.expander]
    assert len(headings) == 2 * len(attempts.GROUPS)
    for heading, group in zip(headings, 2 * list(attempts.GROUPS), strict=True):
        of_it = [attempt for attempt in attempts.ATTEMPTS if attempt.group == group]
        count = len(of_it) + sum(attempt.deeper for attempt in of_it)
        assert heading == f"{doctor.GROUPS[group]}: {count} of {count} held"
    rows = [row for table in app.table for row in table.value.itertuples(index=False)]
    assert len(rows) == 2 * len(attempts.ATTEMPTS)
    assert all(row[0] == "✓" and row[2] for row in rows)
    assert "permission denied for function pg" in " ".join(row[3] for row in rows)


def test_an_account_that_writes_is_an_error_at_the_top(
    place: Callable[[str], sqlalchemy.URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = place(embedded.OWNER).render_as_string()
    app = conftest.opener(monkeypatch, DATABASE_URL=address, STORE_URL=address)("status")
    conftest.release()
    assert not app.exception
    assert "undertone\\_owner" in app.error[0].value
    assert "use an account that only reads" in app.error[0].value.replace("\\", "")
    assert [expander.label.split(": ")[0] for expander in app.expander] == [
        doctor.GROUPS[group] for group in attempts.GROUPS
    ]


def test_an_attempt_that_went_through_is_open_and_in_red(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        attempts, "ATTEMPTS", (attempts.Attempt("see", "read <b>*this*</b>", "SELECT '<b>'", deeper=False),)
    )
    app = shop("status")
    assert len(app.error) == 2
    assert "it went through" in app.error[0].value
    assert app.expander[0].proto.expanded
    assert [row[0] for table in app.table for row in table.value.itertuples(index=False)] == ["✗", "✗"]
    assert "<b>" not in conftest.texts(app)
