"""Every question that a page asks, in one place: the answers are kept for a while and shared by all sessions.

They stand here and not in the pages because a cached function's identity is its module, name and source, and all pages
run as `__main__`. A failure is raised, never kept. What a run is doing is asked anew each time.
"""

from __future__ import annotations

import streamlit as st

from resources import database, model
from undertone import again, catalog, classifier, doctor, explaining, names_for_editor, scores
from undertone import database as pools

SECONDS = 60


@st.cache_data(ttl=SECONDS, show_spinner=False)
def get_relations() -> list[catalog.Relation]:
    """What there is to look at."""
    return database.get_database().ask(catalog.relations)


@st.cache_data(ttl=10 * SECONDS, max_entries=500, show_spinner=False)
def get_text_columns(relation: catalog.Relation) -> list[str]:
    """The columns of a relation in which people write, most likely first."""
    return database.get_database().ask(catalog.text_columns, relation)


@st.cache_data(ttl=SECONDS, max_entries=500, show_spinner=False)
def get_context(relation: catalog.Relation, text_column: str) -> list[str]:
    """Columns worth keeping beside the scores of a text column."""
    return database.get_database().ask(catalog.propose_context, relation, text_column)


@st.cache_resource(ttl=5 * SECONDS, show_spinner=False)
def get_names(target: str) -> names_for_editor.CatalogNames:
    """What an editor may propose for a database that people ask. One copy for everybody, and nobody changes it."""
    return _about(target).ask(names_for_editor.read)


@st.cache_data(ttl=5 * SECONDS, show_spinner=False)
def get_warnings(target: str) -> list[str]:
    """What somebody must know before they let others ask this database, a sentence each; empty where all is well."""
    return doctor.warnings(_about(target))


def _about(target: str) -> pools.Database:
    """A pool to ask about a database. The data has one of the same account that waits for nobody's statement."""
    opened = database.get_services()
    return opened.data if target == "data" else opened.consoles[target]


@st.cache_data(ttl=5, max_entries=200, show_spinner=False)
def get_summary(source: scores.Source, state: object = None) -> scores.Summary:
    """How many rows of a source have which label. Another `state`, such as how far its run is, is another question."""
    return database.get_store().ask(scores.summary, source)


@st.cache_data(ttl=5, max_entries=200, show_spinner=False)
def get_models(source: scores.Source, state: object = None) -> list[scores.Line]:
    """The models that have scores of a source. `state` as of `get_summary`."""
    return database.get_store().ask(scores.models, source)


@st.cache_data(ttl=5, max_entries=200, show_spinner="Reading the texts …")
def get_extremes(
    source: scores.Source, label: str, most: int, state: object = None
) -> list[tuple[str, float, str | None]]:
    """The rows of a label that the model is surest of: key, confidence, text. The text is None when the row is gone.

    `state` as of `get_summary`.
    """
    found = database.get_store().ask(scores.extremes, source, label, most)
    keys = [(tuple(map(str, key)), confidence) for key, confidence in found]  # a key is never null
    texts = again.texts(database.get_services().reader, source, [key for key, _ in keys])
    return [(", ".join(key), confidence, texts.get(key)) for key, confidence in keys]


@st.cache_data(ttl=10 * SECONDS, max_entries=1000, show_spinner="Reading the text …")
def get_prediction(text: str) -> classifier.Prediction:
    """What the model says of one text."""
    return model.get_classifier().classify([text])[0]


@st.cache_data(ttl=10 * SECONDS, max_entries=200, show_spinner="Looking for the words that mattered …")
def get_explanation(text: str) -> explaining.Explanation:
    """Which words of one text carried what the model says of it."""
    return model.get_classifier().explain(text)


@st.cache_data(ttl=10, show_spinner="Checking …")
def get_findings() -> list[doctor.Finding]:
    """What `doctor` finds."""
    return doctor.examine_services(database.get_services())
