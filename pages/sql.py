"""SQL: ask one read-only question, see the answer or the server's own words, keep the question, take both along."""

import streamlit as st

from elements import (
    history,
    messages,
    parameters_form,
    saved,
    schema_browser,
    sql_answer,
    sql_ask,
    sql_asking,
    sql_draft,
    sql_editor,
    sql_share,
)
from resources import database
from undertone import console, errors, units

LABELS = {"data": "Data", "scores": "Scores"}
MEANINGS = "Data: the tables that Undertone looks into. Scores: what it made of them, and its runs."

try:
    opened = database.get_services()
    limits = console.limits(opened.settings)
    targets = list(opened.consoles)
except errors.UndertoneError as error:
    st.title("SQL")
    messages.error(error)
    st.stop()

saved.begin()
draft = sql_draft.begin(targets)

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("SQL", width="content")
    target = st.segmented_control(
        "Ask",
        targets,
        format_func=lambda name: LABELS.get(name, name),
        key=sql_draft.TARGET,
        help=MEANINGS,
        label_visibility="collapsed",
        required=True,
        default=None if sql_draft.TARGET in st.session_state else "data",  # it came with a link
        persist_state="session",
    )
    st.caption(
        f"One statement that only reads: at most {units.duration(limits.seconds)}, {limits.rows:,} rows,"
        f" {units.size(limits.bytes)}, {opened.settings.query_slots} at once. It cannot change anything."
    )
    st.space("stretch")
    st.button(
        "",
        icon=":material/right_panel_close:" if draft.beside else ":material/right_panel_open:",
        key="sql_fold",
        type="tertiary",
        help="Hide schema, saved queries and history" if draft.beside else "Show schema, saved queries and history",
        on_click=sql_draft.fold,
    )
for warning in sql_editor.warnings(target):
    st.error(messages.plain(warning), icon=":material/gpp_maybe:")
if draft.trouble:
    st.error(messages.plain(draft.trouble), icon=":material/link_off:")
if draft.notice:
    st.info(draft.notice, icon=":material/link:")

names = sql_editor.names(target)
left, right = st.columns([3, 1], gap="medium") if draft.beside else (st.container(), None)
with left:
    typed = sql_editor.show(names)
    wanted = sql_ask.wanted(draft.chosen, limits, names)
    values = parameters_form.show(wanted, draft.values, key="sql_parameter")
    sql_draft.fill((parameter.name for parameter in wanted), values)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        run = st.button("Run", type="primary", icon=":material/play_arrow:", key=sql_draft.RUN)
        explain = st.button(
            "Explain", icon=":material/account_tree:", key="sql_explain", help="How it would be answered"
        )
        analyze = st.button("Explain analyze", icon=":material/speed:", key="sql_analyze", help="Run it, and show how")
        st.caption(sql_editor.which(draft.chosen), width="content")
        st.space("stretch")
        save = st.button("Save", icon=":material/bookmark_add:", key="sql_save_open")
        share = st.button("Share", icon=":material/link:", key="sql_share_open")

    if typed is not None:
        sql_ask.start(typed, values, target, limits)
    elif run or explain or analyze:
        sql_ask.start(draft.chosen, values, target, limits, how="rows" if run else "plan" if explain else "analyze")
    if save:
        saved.save(draft.text, sql_draft.filled(limits.length), draft.chart, target)
    elif share:
        sql_share.show(draft.text, sql_draft.filled(limits.length), draft.chart, target)

    if draft.running is None:
        press = "**Run**" if sql_editor.is_plain() else "Ctrl-Enter"
        messages.empty(
            f"The answer will be shown here. Write a statement and press {press}, or open one from **Saved**."
        )
    elif sql_asking.wait(draft.running, limits):
        sql_answer.show(draft.running, lambda: sql_ask.again(limits))

if right is not None:
    with right:  # last, so that the history has what was asked just now
        schema, kept, past = st.tabs(["Schema", "Saved", "History"], key=sql_draft.SIDE, on_change="rerun")
        for tab, element in (
            (schema, lambda: schema_browser.show(names, lambda statement: sql_ask.preview(statement, target, limits))),
            (kept, saved.show),
            (past, history.show),
        ):
            if tab.open:
                with tab:
                    element()
