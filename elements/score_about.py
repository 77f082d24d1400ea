"""What a run was to do, exactly, and the button that does the same again."""

from __future__ import annotations

import datetime

import streamlit as st

from elements import grids, score_place
from undertone import again, scoring


def show(run: scoring.Run) -> None:
    """The facts about a run."""
    source = run.source
    facts = [
        ("texts", source.text_column + (" (template)" if source.template else "")),
        ("of", source.address if source.schema else f"the saved query {source.relation}"),
        ("in", source.database),
        ("key", ", ".join(kept.name for kept in source.key)),
        ("kept beside the scores", ", ".join(kept.name for kept in source.context)),
        ("only rows where", run.condition),
        ("only new rows by", run.new_by or ""),
        ("model", run.model),
        ("what was loaded under that name", run.model_id or ""),
        ("table of scores", source.scores),
        ("view of the current ones", source.current),
        ("queue", run.queue),
        ("rows in a chunk", f"{run.chunk_rows:,}"),
        ("chunks", f"{run.chunks_done:,} of {run.chunks:,} done, {run.chunks_failed:,} failed"),
        ("planned", _time(run.created_at)),
        ("started", _time(run.started_at)),
        ("ended", _time(run.finished_at)),
        ("by", f"watch {run.watch}, set up by {run.who}" if run.watch is not None else run.who),
    ]
    grids.show(("what", "is"), [fact for fact in facts if fact[1]], key=f"score_about_{run.id}")
    if st.button(
        "Plan it again",
        icon=":material/replay:",
        key=f"score_again_{run.id}",
        help="A new run over the same texts: it does what is new or has changed",
    ):
        score_place.go("new", **address(run))


def address(run: scoring.Run) -> dict[str, str | list[str]]:
    """What the form begins with to start such a run again."""
    wish = again.wish(run)
    values: dict[str, str | list[str]] = {
        "query" if wish.saved else "table": wish.relation,
        "template" if wish.template else "text": wish.text,
        "where": wish.condition,
        "model": wish.model,
        "new_by": wish.new_by or "",
        "queue": wish.queue,
        "key": list(wish.key),
        "context": list(wish.context or ("",)),  # none at all, which is not the proposed ones
    }
    return {name: value for name, value in values.items() if value}


def _time(at: datetime.datetime | None) -> str:
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
