"""What `score --plan` says: how much work a run would be. Nothing is started."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Sequence

from undertone import estimating, output, planning, services, settings, texts, units


def show(opened: services.Services, wish: planning.Wish, as_json: bool) -> None:
    """Say what a run would be, to a person or, as JSON, to a program. Raises as `estimating.look`."""
    chosen = opened.settings
    found = estimating.look(
        opened.reader,
        opened.store,
        wish,
        place=opened.place,
        most=chosen.text_tokens * texts.CHARACTERS_PER_TOKEN,
        measure=_measure(chosen, wish.model),
    )
    if as_json:
        print(json.dumps(dataclasses.asdict(found) | {"model": wish.model}, indent=2))
        return
    about = "" if found.exact else "about "
    print(output.harmless(f"{wish.relation} · {wish.text}: {about}{units.count(found.rows, 'row')}"))
    print(
        f"scored and unchanged {about}{found.unchanged:,} · to do {about}{found.todo:,}, of them {about}{found.empty:,}"
        " with nothing to read"
    )
    if not found.characters:
        takes = "nothing for the model to do"
    elif found.seconds is None:
        takes = f"nobody knows how long the model {wish.model} takes"
    else:
        takes = f"about {units.duration(found.seconds)} with the model {wish.model}"
    print(output.harmless(takes))
    print(output.harmless(f"key: {', '.join(found.key)}; kept beside the scores: {', '.join(found.context) or '–'}"))


def _measure(chosen: settings.Settings, model: str) -> Callable[[Sequence[str]], float]:
    """How many seconds the model takes for some texts. It is loaded only where that is asked."""

    def measure(some: Sequence[str]) -> float:
        from undertone import classifier

        if sys.stderr.isatty():
            print("measuring the model with a few of the texts …", file=sys.stderr)
        loaded = classifier.from_settings(chosen, model)
        loaded.classify(some[:1])  # the first time takes longer
        begun = time.monotonic()
        loaded.classify(some)
        return time.monotonic() - begun

    return measure
