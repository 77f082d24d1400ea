"""Status: what is running, what was found, and the proof that nothing can be written."""

import psutil
import streamlit as st

from elements import grids, messages, proof, workers
from resources import results, worker
from undertone import doctor, errors, units

st.title("Status")
try:
    findings = results.get_findings()
except errors.UndertoneError as error:
    messages.error(error)
    st.button("Try again", icon=":material/refresh:")
    st.stop()

for finding in findings:
    if not finding.good:
        st.error(f"{messages.plain(finding.what)}: {messages.plain(finding.found)}", icon=":material/gpp_maybe:")

st.subheader("Workers")
workers.show(worker.get_worker())

st.subheader("Checks")
columns = st.columns(4)
columns[0].metric("Not in order", f"{sum(not finding.good for finding in findings):,}")
columns[1].metric("Memory of this app", units.size(psutil.Process().memory_info().rss))
checks = [finding for finding in findings if finding.group == doctor.SERVICES]
grids.show(
    ("good", "check", "found"),
    [("✓" if finding.good else "✗", finding.what, finding.found) for finding in checks],
    key="status_findings",
)

st.subheader("Proof")
st.caption(
    "What people ask on SQL goes through several layers. These attempts to do harm were made just now, in each database"
    " that can be asked: first as everybody asks, then most of them past the word gate, to see that what is below it"
    " holds by itself. The same as `python -m undertone doctor`."
)
proof.show(findings)
st.button("Check again", icon=":material/refresh:", on_click=results.get_findings.clear)
