"""What the columns of a relation hold: all at once from statistics, and one at a time exactly, from the rows."""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Hashable, Sequence

import pyarrow as pa
import streamlit as st

from elements import bars, facets, grids, highlights, messages, place, waiting
from resources import facets as answers
from resources import jobs
from undertone import catalog, errors, facet_clicks, looks, names, profiles, units

JOB, EXACT = "tables_profile", "tables_profile_exact"
COLUMN = "column"  # in the address
MOST_KEPT = 50  # exact profiles of a session
NO_STATISTICS = (
    "Nothing is known yet of these columns: the server has not analysed this {kind}. Choose a column and **Count"
    " exactly** to read its rows, or have the owner run ANALYZE."
)
NO_STATISTICS_EVER = (
    "The server keeps no statistics of a {kind}. Choose a column and **Count exactly** to read its rows."
)
CONFIG = {
    "Column": st.column_config.TextColumn(pinned=True, width=150),
    "Type": st.column_config.TextColumn(width="small"),
    "No value": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=100),
    "Distinct": st.column_config.NumberColumn(format="localized", width="small"),
    "Lowest": st.column_config.TextColumn(width="small"),
    "Highest": st.column_config.TextColumn(width="small"),
    "Mean": st.column_config.NumberColumn(format="localized", width="small"),
    "Spread": st.column_config.BarChartColumn(y_min=0, width="small"),
    "Most common": st.column_config.TextColumn(width="large"),
}


def show(look: looks.Look, relation: catalog.Relation) -> None:
    """All columns in a table; below it the one that is chosen."""
    look = dataclasses.replace(look, table=relation.label)
    zone = st.context.timezone
    try:
        known = answers.get_profile(relation, zone)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    if not known:
        messages.empty("Its columns will be described here; this account may read none.", icon=":material/view_column:")
        return
    exact = st.session_state.get(EXACT, {})
    shown = [exact.get(_identity(look, relation, one.field.column.name, zone), one) for one in known]
    _about(known, look, relation)
    selected = _table(shown, relation)
    _detail(shown[selected], look, relation, zone)


def _about(known: Sequence[profiles.ColumnProfile], look: looks.Look, relation: catalog.Relation) -> None:
    analysed = [one for one in known if one.is_known]
    if not analysed:
        stored = relation.kind in ("table", "partitioned table", "materialised view", "foreign table")
        messages.empty((NO_STATISTICS if stored else NO_STATISTICS_EVER).format(kind=relation.kind))
    else:
        at = analysed[0].at
        when = "at a time that is not known" if at is None else _ago(at)
        st.caption(f"Estimates from statistics that the server made {when}; no row is read for them.")
    if look.where or look.search.strip():
        st.caption("Filters are set: estimates are of all rows, an exact count is of those that the filters let pass.")


def _table(shown: Sequence[profiles.ColumnProfile], relation: catalog.Relation) -> int:
    """The columns; the index of the one that is chosen, the first at first. Which one that is stands in the address."""
    st.html(grids.NO_FILE)
    names = [one.field.column.name for one in shown]
    key = place.key("profile", relation.label, names)
    wanted = st.query_params.get(COLUMN)
    at = [names.index(wanted)] if wanted in names else []
    grids.select(key, at)  # after Back, or at a link
    st.dataframe(
        table(shown),
        hide_index=True,
        column_config=CONFIG,
        key=key,
        placeholder="",
        lazy=False,
        height=min(36 * (len(shown) + 1) + 4, 330),
        on_select=functools.partial(_choose, key, names),
        selection_mode="single-row",
    )
    return at[0] if at else 0


def _choose(key: str, names: Sequence[str]) -> None:
    rows = grids.selected(key)
    if rows and rows[0] < len(names):
        st.query_params[COLUMN] = names[rows[0]]
    else:
        st.query_params.pop(COLUMN, None)


def table(shown: Sequence[profiles.ColumnProfile]) -> pa.Table:
    """A row for each column."""
    columns = {
        "Column": pa.array([highlights.whole(one.field.column.name) for one in shown], pa.string()),
        "Type": pa.array([one.field.column.type for one in shown], pa.string()),
        "No value": pa.array([one.nulls for one in shown], pa.float64()),
        "Distinct": pa.array([one.distinct for one in shown], pa.float64()),
        "Lowest": pa.array([_word(one.low) for one in shown], pa.string()),
        "Highest": pa.array([_word(one.high) for one in shown], pa.string()),
        "Mean": pa.array([None if one.mean is None else _rounded(one.mean) for one in shown], pa.float64()),
        "Spread": pa.array([[part.share for part in one.bins] for one in shown], pa.list_(pa.float64())),
        "Most common": pa.array([_common(one) for one in shown], pa.string()),
    }
    return pa.table(columns)


def _detail(one: profiles.ColumnProfile, look: looks.Look, relation: catalog.Relation, zone: str | None) -> None:
    column = one.field.column
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(messages.plain(column.name), anchor=False, width="content")
        st.caption(messages.plain(column.type), width="content")
        st.space("stretch")
        _exactly(one, look, relation, zone)
    if column.comment:
        st.text(column.comment)
    if one.is_known:
        key = place.key("profile_detail", relation.label, column.name)
        left, middle, right = st.columns([1, 1.3, 1.1], gap="medium")
        with left:
            grids.show(("Figure", "Value"), figures(one), key=f"{key}_figures", missing="")
        with middle:
            _charts(one, key)
        with right:
            _values(one, key)


def _exactly(one: profiles.ColumnProfile, look: looks.Look, relation: catalog.Relation, zone: str | None) -> None:
    """A button that counts the rows, or how far that is; the answer is kept, and the page made anew with it."""
    column = one.field.column.name
    identity = _identity(look, relation, column, zone)
    job = jobs.find(JOB, identity)
    if job is None:
        label = "Count again" if one.is_exact else "Count exactly"
        rows = "" if relation.rows is None or look.where or look.search else f" about {relation.rows:,}"
        help = f"Reads{rows} rows; this may take a while, and can be cancelled"
        if st.button(
            label, icon=":material/calculate:", key=place.key("profile_exact", relation.label, column), help=help
        ):
            try:
                jobs.start(JOB, identity, answers.ask_exact, relation, answers.of_rows(look), column, zone)
            except errors.UndertoneError as error:
                messages.error(error)
                return
            st.rerun()
        return
    if not waiting.wait(job, f"Counting {names.line(column)}", key=JOB):
        return
    jobs.forget(JOB)
    if job.error is not None:
        messages.error(job.error)
        return
    kept = {known: found for known, found in st.session_state.get(EXACT, {}).items() if known != identity}
    st.session_state[EXACT] = dict([*kept.items(), (identity, job.result)][-MOST_KEPT:])
    st.rerun()


def figures(one: profiles.ColumnProfile) -> list[tuple[str, str]]:
    """What is known, in words and numbers."""
    found = [("counted" if one.is_exact else "rows, about", None if one.rows is None else f"{one.rows:,}")]
    if one.nulls is not None:
        found.append((bars.NO_VALUE, facets.percent(one.nulls)))
    if one.empty is not None:
        found.append((bars.EMPTY, facets.percent(one.empty)))
    if one.distinct is not None:
        found.append(("distinct values", f"{one.distinct:,.0f}"))
    found += [("lowest", one.low), ("highest", one.high)]
    if one.mean is not None:
        found.append(("mean", f"{_rounded(one.mean):,}"))
    found += [(f"{share:.0%} are at most" if share != 0.5 else "median", text) for share, text in one.quantiles]
    if one.lengths is not None:
        unit = f"{one.lengths.unit}s"
        found.append((f"{unit}, fewest", f"{one.lengths.shortest:,}"))
        found.append((f"{unit}, mean", f"{_rounded(one.lengths.mean):,}"))
        found.append((f"{unit}, most", f"{one.lengths.longest:,}"))
    if one.width is not None:
        found.append(("bytes of a value, mean", f"{one.width:,}"))
    if one.correlation is not None:
        found.append(("rows lie in this order", f"{one.correlation:+.2f} of ±1"))
    return [(name, value) for name, value in found if value is not None]


def _charts(one: profiles.ColumnProfile, key: str) -> None:
    drawn = False
    for title, parts in (("Values", one.bins), ("Lengths", one.lengths.bins if one.lengths else ())):
        if parts:
            drawn = True
            found = [
                bars.Bar(part.text, part.share, facets.percent(part.share), is_bin=part.ends is not None)
                for part in parts
            ]
            ends = [part.ends for part in parts if part.ends]
            picture = bars.Picture(found, title, low=ends[0][0], high=ends[-1][1], is_tall=True)
            bars.show(picture, key=f"{key}_{title}")
    if not drawn:
        st.caption("Values of this type are not put in bins." if one.is_exact else "Count exactly for more.")


def _values(one: profiles.ColumnProfile, key: str) -> None:
    """The most common values; a click shows the rows that have one."""
    found = []
    repeated = one.common if not one.is_exact or any(common.entry.count > 1 for common in one.common) else ()
    for number, common in enumerate(repeated):
        amount = f"{common.entry.count:,}" if one.is_exact else facets.percent(common.share)
        found.append(
            bars.Bar(common.entry.text, common.share, amount, number, is_clickable=bool(common.entry.conditions))
        )
    foot = "" if found else "No value is more common than the others."
    bars.show(
        bars.Picture(found, "Most common values", foot=foot, is_clickable=True),
        key=f"{key}_common",
        on_picked=lambda first, _: _pick(one, first),
    )


def _pick(one: profiles.ColumnProfile, number: int) -> None:
    look = place.now()
    where = facet_clicks.narrowed(look.where, one.common[number].entry.conditions)
    place.go(look.among(part="rows", where=where))


def _identity(look: looks.Look, relation: catalog.Relation, column: str, zone: str | None) -> Hashable:
    return relation.label, answers.of_rows(look), column, zone


def _common(one: profiles.ColumnProfile) -> str | None:
    listed = [f"{_word(common.entry.text)} {facets.percent(common.share)}" for common in one.common[:4]]
    return " · ".join(listed) or None


def _word(text: str | None) -> str | None:
    """A value in one short line."""
    return None if text is None else highlights.whole(" ".join(text.split()))[:60] or bars.EMPTY


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")


def _ago(at: datetime.datetime) -> str:
    return f"{units.duration((datetime.datetime.now(datetime.UTC) - at).total_seconds())} ago"
