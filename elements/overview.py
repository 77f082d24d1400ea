"""The parts of the home page."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import streamlit as st

from elements import grids, labels, messages
from resources import results
from undertone import catalog, errors, listing, local_worker, scores, services, units

LOOKED_AT = 40  # relations in which text columns are searched, so that a large database does not keep the page waiting


def numbers(relations: Sequence[catalog.Relation], sources: Sequence[scores.Source]) -> None:
    """The database in four numbers."""
    rows = [relation.rows for relation in relations if relation.rows is not None]
    sizes = [relation.bytes for relation in relations if relation.bytes is not None]
    columns = st.columns(4)
    columns[0].metric("Tables and views", f"{len(relations):,}")
    columns[1].metric("Rows, estimated", f"{sum(rows):,}")
    columns[2].metric("Size", units.size(sum(sizes)))
    columns[3].metric("Text columns scored", f"{len(sources):,}")


def text_columns(relations: Sequence[catalog.Relation]) -> dict[str, list[str]]:
    """Label of a relation -> its columns that hold prose, for the first relations."""
    found = {}
    for relation in relations[:LOOKED_AT]:
        try:
            found[relation.label] = results.get_text_columns(relation)
        except errors.UndertoneError:
            found[relation.label] = []  # it vanished or is locked; it is listed all the same
    return found


def next_step(
    relations: Sequence[catalog.Relation], active: Sequence[listing.Line], sources: Sequence[scores.Source]
) -> None:
    """The one thing to do next. `active` are the runs that are under way, the newest first."""
    scored = {(source.schema, source.relation) for source in sources}
    texts = text_columns(relations)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if active:
            st.markdown(f"Run {active[0].id} over {messages.plain(active[0].title)} is {active[0].state}.")
            st.page_link(
                "pages/score.py",
                label="See how far it is",
                icon=":material/arrow_forward:",
                query_params={"run": str(active[0].id)},
            )
            return
        for relation in relations:
            prose = texts.get(relation.label, [])
            if prose and (relation.schema, relation.name) not in scored:
                st.markdown(
                    f"**{messages.plain(relation.label)}** has texts in {messages.plain(', '.join(prose))}"
                    " that nobody has scored yet."
                )
                st.page_link(
                    "pages/score.py",
                    label="Score them",
                    icon=":material/arrow_forward:",
                    query_params={"table": relation.label},
                )
                return
        if any(texts.values()):
            st.markdown("Everything with texts in it has been scored.")
        else:
            st.markdown("No column of texts was found; any text column can still be chosen on Score.")
        st.page_link("pages/sql.py", label="Ask the database something", icon=":material/arrow_forward:")


def tables(relations: Sequence[catalog.Relation]) -> None:
    """The relations with what they hold."""
    texts = text_columns(relations)
    rows = [
        (
            relation.label,
            relation.kind,
            relation.rows,
            units.size(relation.bytes),
            ", ".join(texts.get(relation.label, [])),
            relation.comment or "",
        )
        for relation in relations
    ]
    grids.show(("table", "kind", "rows (estimate)", "size", "texts in", "what it is"), rows, key="home_tables")
    st.page_link("pages/tables.py", label="Look through the tables", icon=":material/arrow_forward:")


def scored(sources: Sequence[scores.Source]) -> None:
    """The sources with their labels, those that were scored last."""
    if not sources:
        messages.empty("The texts that you score will be summed up here.")
        return
    for source in sources[:5]:
        counts = results.get_summary(source).labels
        known = {label: float(count) for label, count in counts.items() if label is not None}
        st.caption(messages.plain(source.title))
        if known:
            labels.bars(known, axis="rows", form=",d")
        else:
            st.text("no scores yet")


@st.fragment(run_every=5)
def health(opened: services.Services, worker: local_worker.LocalWorker | None) -> None:
    """The resources, a line each."""
    now = datetime.datetime.now().astimezone().strftime("%H:%M:%S")
    with st.container(gap="xsmall"):
        st.badge("Database answers", icon=":material/check:", color="green")
        st.text(opened.data.place if not opened.settings.embedded_data else "embedded PostgreSQL")
        if worker is None:
            st.badge("Workers run elsewhere", icon=":material/dns:", color="grey")
        elif worker.alive:
            st.badge("Worker ready", icon=":material/check:", color="green")
        else:
            st.badge("Worker starting", icon=":material/hourglass_empty:", color="orange")
        st.page_link("pages/status.py", label=f"Status at {now}", icon=":material/arrow_forward:")
