"""What is to be scored: the form. What is chosen in it stands in the page's address, so a reload loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from elements import messages, overview, score_place, score_schedule, visitor
from resources import browsing, database, results, runs
from undertone import catalog, names, planning, template

KINDS = {"table": "Table or view", "query": "Saved query"}
WAYS = {"text": "One column", "template": "Several columns"}


@dataclass(frozen=True)
class Texts:
    """Where texts may come from: a relation, or a saved query. `name` is what a wish calls it."""

    name: str
    relation: catalog.Relation | None
    columns: tuple[catalog.Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """All columns."""
        return [column.name for column in self.columns]

    @property
    def readable(self) -> list[str]:
        """The columns that can be scored."""
        return [column.name for column in self.columns if column.category in planning.TEXTS]


def show() -> planning.Wish | None:
    """The form; the wish, None while something is missing, which it says. Raises the errors of the questions asked."""
    relations = results.get_relations()
    if database.get_services().one_database:
        relations = [relation for relation in relations if relation.schema != "scores"]  # not what came out
    queries = runs.get_queries() if relations else []
    if not relations:
        messages.empty("There is no table to score. Bring a file on Tables first.")
        st.page_link("pages/tables.py", label="Tables", icon=":material/table:")
        return None
    kinds = list(KINDS) if queries else ["table"]
    if "score_new_kind" not in st.session_state and "query" in st.query_params and queries:
        st.session_state["score_new_kind"] = "query"
    left, right = st.columns(2)
    with left, st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Score texts of a",
            kinds,
            format_func=lambda name: KINDS[name],
            default=None if "score_new_kind" in st.session_state else "table",
            required=True,
            key="score_new_kind",
        )
    with right:
        texts = _relation(relations) if kind == "table" else _query([query.name for query in queries])
    if not texts.readable:
        messages.empty("It has no column of texts. Choose another one.")
        return None
    return _wish(texts)


def _relation(relations: Sequence[catalog.Relation]) -> Texts:
    with st.spinner("Looking for texts …"):
        found = overview.text_columns(relations)
    by_label = {relation.label: relation for relation in relations}
    # The texts that people would score first come first.
    options = sorted(by_label, key=lambda label: not found.get(label))
    named = st.query_params.get("table")
    for relation in relations:
        if named is not None and named in (_address(relation), relation.label):
            st.session_state.setdefault("score_new_table", relation.label)
    if named is not None and "score_new_table" not in st.session_state:
        st.warning(f"There is no table {messages.plain(named)} any more, or this account may not read it.")
    label = st.selectbox("Table", options, key="score_new_table")
    score_place.keep("table", label)
    score_place.keep("query", None)
    relation = by_label[label]
    # What people write in comes first.
    prose = found.get(label, [])
    about = browsing.get_about(relation)
    columns = sorted(
        (field.column for field in about.fields), key=lambda one: prose.index(one.name) if one.name in prose else 999
    )
    return Texts(label, relation, tuple(columns), about.key)


def _query(queries: Sequence[str]) -> Texts:
    score_place.begin("score_new_query", "query", queries)
    named = st.query_params.get("query")
    if named is not None and named not in queries:
        st.warning(f"There is no saved query {messages.plain(named)} that can be scored.")
    name = st.selectbox(
        "Saved query", queries, key="score_new_query", help="Those that ask the data, without parameters"
    )
    score_place.keep("query", name)
    score_place.keep("table", None)
    return Texts(name, None, tuple(runs.get_query_columns(name)), ())


def _wish(texts: Texts) -> planning.Wish | None:
    own = f"{texts.name}_{'query' if texts.relation is None else 'table'}"
    left, right = st.columns(2)
    with left:
        text, is_template = _text(texts, own)
    with right:
        if texts.key:
            st.text_input(
                "Key", ", ".join(texts.key), disabled=True, key=f"score_new_own_{own}", help="The table's own."
            )
            key: list[str] = []
        else:
            key = _several(
                "Key", "key", texts.names, (), own, "Columns that together tell every row apart. Plan checks it."
            )
    proposed: Sequence[str] = ()
    first = _first(text, is_template)
    if texts.relation is not None and first in texts.names:
        proposed = results.get_context(texts.relation, first)
    context = _several(
        "Keep beside each score",
        "context",
        [name for name in texts.names if name not in (text, *(texts.key or key))],
        proposed,
        f"{own}_{first}",
        "Columns to chart by later: a time, a few categories, a rating. Proposed from the table.",
    )
    chosen = database.get_settings()
    given = any(st.query_params.get(name) for name in ("where", "new_by")) or (
        st.query_params.get("model", chosen.model) != chosen.model
    )
    with st.expander("Filter, model, only new rows", icon=":material/tune:", expanded=given):
        left, right = st.columns(2)
        with left:
            condition = _line("Only rows where", "where", "", own, "A condition in SQL, such as `rating <= 2`.")
            model = _line(
                "Model",
                "model",
                chosen.model,
                "",
                "`default` ships with Undertone. Or the name of a Hugging Face text-classification model, or a folder.",
            )
        with right:
            score_place.begin(f"score_new_by_{own}", "new_by")
            candidates = runs.get_new_by(texts.relation) if texts.relation is not None else []
            before = st.session_state.get(f"score_new_by_{own}")
            if before not in candidates:
                st.session_state.pop(f"score_new_by_{own}", None)
            new_by = score_schedule.choose_new_by(candidates, None, key=f"score_new_by_{own}")
            score_place.keep("new_by", new_by)
            queue = _line("Queue", "queue", planning.QUEUE, "", "Which workers do it: those of this queue.")
    if not text:
        messages.empty("Write which columns are joined, such as {title}: {body}.".replace("{", "`{").replace("}", "}`"))
        return None
    if not texts.key and not key:
        messages.empty("Choose the columns that together tell every row apart: there is no key of its own.")
        return None
    return planning.Wish(
        texts.name,
        text,
        model=model or chosen.model,
        chunk_rows=chosen.chunk_rows,
        key=tuple(key),
        context=tuple(context),
        saved=texts.relation is None,
        template=is_template,
        condition=condition,
        queue=queue or planning.QUEUE,
        new_by=new_by,
        who=visitor.who(),
    )


def _first(text: str, is_template: bool) -> str:
    """The column with the texts, of a template the first; empty where it names none."""
    if not is_template:
        return text
    try:
        return template.columns(text)[0]
    except template.TemplateError:
        return ""  # Plan says what is wrong with it


def _text(texts: Texts, own: str) -> tuple[str, bool]:
    """The column with the texts, or a template; and whether it is one."""
    key = f"score_new_way_{own}"
    if key not in st.session_state and st.query_params.get("template"):
        st.session_state[key] = "template"
    way = st.segmented_control(
        "Texts are in",
        list(WAYS),
        format_func=lambda name: WAYS[name],
        default=None if key in st.session_state else "text",
        required=True,
        key=key,
    )
    if way == "template":
        score_place.keep("text", None)
        first = " ".join(f"{{{name}}}" for name in texts.readable[:2])
        return _line("Template", "template", first, own, "Columns in braces, joined as you write them."), True
    score_place.keep("template", None)
    key = f"score_new_text_{own}"
    score_place.begin(key, "text", texts.readable)
    text = st.selectbox("Column with the texts", texts.readable, key=key)
    score_place.keep("text", text)
    return text, False


def _line(label: str, name: str, default: str, own: str, help: str) -> str:
    key = f"score_new_{name}_{own}"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(name, default)
    value = st.text_input(label, key=key, help=help).replace("\0", "").strip()
    score_place.keep(name, value if value != default else None)
    return value


def _several(label: str, name: str, options: Sequence[str], default: Sequence[str], own: str, help: str) -> list[str]:
    key = f"score_new_{name}_{own}"
    if key not in st.session_state:
        wanted = st.query_params.get_all(name) or default
        st.session_state[key] = [value for value in wanted if value in options]
    chosen = st.multiselect(label, options, key=key, help=help)
    if chosen == list(default):
        score_place.keep(name, None)
    elif st.query_params.get_all(name) != (chosen or [""]):
        st.query_params[name] = chosen or [""]
    return chosen


def _address(relation: catalog.Relation) -> str:
    """A relation as a source's address names it."""
    return f"{names.quoted(relation.schema)}.{names.quoted(relation.name)}"
