"""The proof that what people ask cannot do harm: what the account may do, and what live attempts were answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from elements import messages
from undertone import attempts, doctor

LABELS = {"data": "Data", "scores": "Scores"}
HELD, NOT_HELD = ":material/check_circle:", ":material/error:"


def show(findings: Sequence[doctor.Finding]) -> None:
    """The proof for each of the databases that can be asked. What is not in order is open, the rest folded up."""
    for target in dict.fromkeys(finding.target for finding in findings if finding.target):
        st.markdown(f"**{messages.plain(LABELS.get(target, target))}**")
        about = [finding for finding in findings if finding.target == target]
        for finding in _of(about, doctor.RIGHTS):
            box = st.success if finding.good else st.error
            box(messages.plain(finding.found), icon=HELD if finding.good else ":material/gpp_maybe:")
        for group in attempts.GROUPS:
            _attempts(group, _of(about, group))
        for finding in _of(about, doctor.LEFT):
            box = st.success if finding.good else st.error
            box(messages.plain(f"Afterwards: {finding.found}."), icon=HELD if finding.good else NOT_HELD)


def _attempts(group: str, findings: list[doctor.Finding]) -> None:
    """One row for each attempt: as a person asked it, and past the gate."""
    if not findings:
        return
    found = {finding.what: finding for finding in findings}
    firsts = [finding for finding in findings if not finding.what.endswith(doctor.DEEPER)]
    held = sum(finding.good for finding in findings)
    good = held == len(findings)
    label = f"{doctor.GROUPS[group]}: {held:,} of {len(findings):,} held"
    with st.expander(label, expanded=not good, icon=HELD if good else NOT_HELD):
        rows = []
        for finding in firsts:
            deeper = found.get(finding.what + doctor.DEEPER)
            rows.append(
                (
                    _sign((finding, deeper)),
                    messages.plain(finding.what.split("attempt to ")[-1]),
                    messages.plain(finding.found),
                    messages.plain(deeper.found) if deeper else "",
                )
            )
        columns = ("", "attempt", "as everybody asks", "past the word gate")
        st.table(pd.DataFrame(rows, columns=columns), hide_index=True, border="horizontal", alt=doctor.GROUPS[group])


def _sign(findings: Iterable[doctor.Finding | None]) -> str:
    return "✓" if all(finding.good for finding in findings if finding) else "✗"


def _of(findings: Iterable[doctor.Finding], group: str) -> list[doctor.Finding]:
    return [finding for finding in findings if finding.group == group]
