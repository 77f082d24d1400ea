"""Status: what is running, what was found, and the proof that nothing can be written."""

import psutil
import streamlit as st

from elements import grids, messages, proof
from resources import database, results, worker
from undertone import doctor, errors, scoring, units

st.title("Status")
try:
    opened = database.get_services()
    findings = results.get_findings()
    workers = opened.store.ask(scoring.workers)
    runs = results.get_runs()
except errors.UndertoneError as error:
    messages.error(error)
    st.button("Try again", icon=":material/refresh:")
    st.stop()

local = worker.get_worker()
columns = st.columns(4)
columns[0].metric("Workers", f"{len(workers):,}", help="Processes that do scoring work, on any machine")
columns[1].metric("Runs under way", f"{sum(not run.ended for run in runs):,}")
columns[2].metric("Memory of this app", units.size(psutil.Process().memory_info().rss))
columns[3].metric("Checks not in order", f"{sum(not finding.good for finding in findings):,}")

for finding in findings:
    if not finding.good:
        st.error(f"{messages.plain(finding.what)}: {messages.plain(finding.found)}", icon=":material/gpp_maybe:")

st.subheader("Workers")
if workers:
    rows = [(each.name, each.last_seen.astimezone().strftime("%H:%M:%S"), each.doing) for each in workers]
    grids.show(("worker", "last seen", "does"), rows, key="status_workers")
elif local is not None:
    messages.empty("The local worker is starting; it will be listed here in a few seconds.")
else:
    messages.empty(
        "No worker is at work. Start one with `python -m undertone worker`, on any machine with the same settings."
    )

st.subheader("Checks")
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
