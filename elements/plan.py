"""The plan of a statement: what it came to, what to do about it, and its steps as a tree that anybody can read.

Conditions and names are somebody's texts: they go to the browser as JSON and become text nodes there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from elements import highlights, messages
from undertone import amounts, plans

MOST_STEPS = 150  # drawn; of a longer plan, the costliest
MOST_CHARACTERS = 50_000  # of text shown at once
LINE_CHARACTERS = 300  # of one detail
CODE_HEIGHT, MOST_LINES = 480, 22  # pixels, and the lines that they hold
HOW = (
    "The steps furthest to the right run first, and pass their rows up to the left. Share, time and pages are of a step"
    " alone, without those beneath it. Open a step to see all that the server said of it."
)

HTML = """
<label class="words"><input type="checkbox" checked> Say what each step does</label>
<div class="scroll" tabindex="0" role="group"><table><thead></thead><tbody></tbody></table></div>
"""
CSS = """
.words { display: inline-flex; gap: 0.4rem; align-items: center; margin: 0 0 0.5rem; font-size: 0.875rem;
  color: var(--st-text-color); font-family: var(--st-font); cursor: pointer; }
.words input { accent-color: var(--st-primary-color); }
.scroll { overflow-x: auto; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
table { width: 100%; border-collapse: collapse; color: var(--st-text-color); font-family: var(--st-font);
  font-size: 0.875rem; line-height: 1.4; }
th { text-align: right; font-weight: 600; padding: 0.45rem 0.6rem; white-space: nowrap;
  background: var(--st-secondary-background-color); }
th:first-child { text-align: left; }
td { vertical-align: top; text-align: right; padding: 0.4rem 0.6rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; border-top: 1px solid var(--st-border-color); }
td.step { text-align: left; white-space: normal; min-width: 20rem; overflow-wrap: anywhere; }
td.gap { text-align: left; opacity: 0.75; font-style: italic; }
.in { position: relative; padding-left: calc(var(--depth) * 1.1rem); }
.in.under::before { content: "└"; position: absolute; left: calc((var(--depth) - 1) * 1.1rem + 0.1rem);
  opacity: 0.45; }
.kind { font-weight: 600; }
.about { font-family: var(--st-code-font); font-size: 0.8rem; opacity: 0.85; }
.meaning { display: block; font-size: 0.8rem; opacity: 0.7; }
.plain .meaning { display: none; }
.badge { font-size: 0.7rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-left: 0.4rem; border-radius: 1rem;
  background: var(--st-primary-color); color: var(--st-background-color); white-space: nowrap; }
.warning { display: inline-block; font-size: 0.78rem; padding: 0 0.4rem; margin: 0.15rem 0.4rem 0.1rem 0;
  border-radius: 0.3rem; color: var(--st-orange-text-color); background: var(--st-orange-background-color); }
.share { min-width: 6.5rem; }
.bar { height: 0.35rem; margin-top: 0.2rem; border-radius: 0.2rem; background: var(--st-secondary-background-color); }
.bar div { height: 100%; border-radius: 0.2rem; min-width: 1px; background: var(--st-primary-color); opacity: 0.6; }
tr.costliest td { background: color-mix(in srgb, var(--st-primary-color) 9%, transparent); }
tr.costliest .bar div { opacity: 1; }
tr.unrun td { opacity: 0.6; }
.more { display: block; opacity: 0.7; }
summary { cursor: pointer; }
summary::marker { color: color-mix(in srgb, var(--st-text-color) 45%, transparent); }
div.name, .meaning, .warnings, dl { margin-left: 0.9rem; }
dl { display: grid; grid-template-columns: max-content 1fr;
  gap: 0.1rem 0.8rem; margin-block: 0.2rem; font-size: 0.8rem; }
dt { opacity: 0.7; }
dd { margin: 0; font-family: var(--st-code-font); font-size: 0.78rem; overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
JS = """
const made = (tag, kind, ...inside) => {
  const element = document.createElement(tag)
  if (kind) element.className = kind
  element.append(...inside.map((part) => (part instanceof Node ? part : document.createTextNode(part))))
  return element
}
const named = (row) => {
  const name = made(row.details.length ? "summary" : "div", "name", made("span", "hidden", `Level ${row.level}: `))
  name.append(made("span", "kind", row.kind))
  if (row.about) name.append(" ", made("span", "about", row.about))
  if (row.costliest) name.append(made("span", "badge", "costliest"))
  if (!row.details.length) return name
  const list = made("dl", "")
  for (const [field, value] of row.details) list.append(made("dt", "", field), made("dd", "", value))
  return made("details", "", name, list)
}
const step = (row) => {
  const inside = made("div", row.depth ? "in under" : "in", named(row), made("span", "meaning", row.words))
  inside.style.setProperty("--depth", row.depth)
  const warnings = row.warnings.map((warning) => made("span", "warning", warning))
  if (warnings.length) inside.append(made("div", "warnings", ...warnings))
  return made("td", "step", inside)
}
const share = (row) => {
  const filled = made("div", "")
  filled.style.width = `${100 * row.share}%`
  return made("td", "share", row.percent, made("div", "bar", filled))
}
const cell = ([text, second]) => made("td", "", text, ...(second ? [made("span", "more", second)] : []))
const line = (row, columns) => {
  if (row.gap) {
    const gap = made("td", "gap", made("div", "in", row.gap))
    gap.firstChild.style.setProperty("--depth", row.depth)
    gap.colSpan = columns
    return made("tr", "", gap)
  }
  const kind = [row.costliest && "costliest", row.unrun && "unrun"].filter(Boolean).join(" ")
  return made("tr", kind, step(row), share(row), ...row.cells.map(cell))
}
const drawn = new WeakMap()
export default function ({ data, parentElement }) {
  const table = parentElement.querySelector("table")
  const box = parentElement.querySelector("input")
  box.onchange = () => table.classList.toggle("plain", !box.checked)
  const text = JSON.stringify(data)
  if (drawn.get(table) === text) return // what somebody has opened stays open
  drawn.set(table, text)
  parentElement.querySelector(".scroll").setAttribute("aria-label", data.title)
  const head = data.head.map(([name, hint]) => {
    const heading = made("th", "", name)
    heading.scope = "col"
    if (hint) heading.title = hint
    return heading
  })
  table.tHead.replaceChildren(made("tr", "", ...head))
  table.tBodies[0].replaceChildren(...data.rows.map((row) => line(row, data.head.length)))
}
"""
_mount = st.components.v2.component("undertone_plan", html=HTML, css=CSS, js=JS)


def show(plan: plans.Plan, *, key: str) -> None:
    """The whole, advice, and the steps as a tree, as text and as JSON."""
    st.markdown(_summary(plan))
    _advice(plan)
    tree, text, source = st.tabs(
        [":material/account_tree: Tree", ":material/notes: Text", ":material/data_object: JSON"], key=f"{key}_tabs"
    )
    with tree:
        data = described(plan)
        shown = sum("gap" not in row for row in data["rows"])
        if shown < plan.size:
            st.caption(f"The costliest {shown:,} of {plan.size:,} steps; Text and JSON hold all of them.")
        _mount(data=data, key=f"{key}_tree")
        st.caption(HOW)
    with text:
        _code(lambda: plans.postgres_lines(plan), language=None, name="plan.txt", key=f"{key}_text")
    with source:
        _code(lambda: [plan.json], language="json", name="plan.json", key=f"{key}_json")


def _summary(plan: plans.Plan) -> str:
    """As Markdown."""
    root, worst = plan.root, plan.costliest
    said = []
    if plan.seconds is not None:
        said.append(f"Ran in **{amounts.duration(plan.seconds)}**")
    if plan.planning_seconds is not None:
        said.append(f"planned in {amounts.duration(plan.planning_seconds)}")
    if root.rows is None:
        said.append(f"**about {plans.rows(root.rows_estimated)}** expected")
    else:
        said.append(f"**{plans.rows(root.rows)}**, {amounts.count(root.rows_estimated)} expected")
    what = "cost" if worst.seconds is None else "time"
    said.append(f"costliest **{messages.plain(worst.title)}**, {amounts.percent(worst.share)} of the {what}")
    return " · ".join(said)


def _advice(plan: plans.Plan) -> None:
    said = []
    if plan.advice:
        with st.container(border=True, gap="xsmall"):
            st.markdown("\n".join(f"- {messages.plain(sentence)}" for sentence in plan.advice))
    elif plan.root.rows is not None:
        said.append("Nothing stands out.")
    else:
        said.append("The statement was not run: rows and costs are what the planner expects, not what is.")
    said += filter(None, [plans.about_lane(plan)])
    if said:
        st.caption(" ".join(said))


def described(plan: plans.Plan) -> dict[str, Any]:
    """What the browser gets: headings with hints, and a row for each step or for those left out."""
    picked = plans.pick(plan, MOST_STEPS)
    timed, run = plan.root.seconds is not None, plan.root.rows is not None
    looped = any(row.node and (row.node.loops or 1) > 1 for row in picked)
    paged = any(row.node and row.node.buffers_hit + row.node.buffers_read for row in picked)
    head = [("Step", ""), ("Share", f"Of the {'time' if timed else 'cost'} of all steps")]
    head += [("Time", "Of this step alone, in all its runs")] if timed else []
    head += [] if timed else [("Cost", "Of this step alone, in the planner's own units")]
    head += [("Rows", "That came of it, in all its runs")] if run else []
    head += [("Expected", "Rows that the planner expected to come of it")]
    head += [("Runs", "How often it was run")] if looped else []
    head += [("Pages", "Of the database that it looked at, as a rule of 8 kB each")] if paged else []
    rows: list[dict[str, Any]] = []
    for row in picked:
        depth = min(row.depth, plans.DEEPEST // 2)
        if row.node is None:
            what = (
                f"{row.left_out:,} more step{'' if row.left_out == 1 else 's'}, together {amounts.percent(row.share)}"
            )
            rows.append({"gap": what, "depth": depth})
            continue
        node = row.node
        unrun = node.loops == 0
        cells = [(amounts.duration(node.seconds) if node.seconds is not None else f"{node.cost:,.2f}", "")]
        cells += [("not run" if unrun else amounts.count(node.rows or 0), "")] if run else []
        cells += [(amounts.count(node.rows_estimated), "")]
        cells += [(amounts.count(node.loops or 0), "")] if looped else []
        read = f"{node.buffers_read:,} read" if node.buffers_read else ""
        cells += [(f"{node.buffers_hit + node.buffers_read:,}", read)] if paged else []
        rows.append(
            {
                "depth": depth,
                "level": row.depth + 1,
                "kind": node.kind,
                "about": node.about,
                "words": node.words,
                "warnings": list(node.warnings),
                "details": [(name, _short(value)) for name, value in node.details],
                "share": round(node.share, 4),
                "percent": amounts.percent(node.share),
                "cells": cells,
                "costliest": node is plan.costliest,
                "unrun": unrun,
            }
        )
    return {"title": "The steps of the plan", "head": head, "rows": rows}


def _short(text: str) -> str:
    return text if len(text) <= LINE_CHARACTERS else text[: LINE_CHARACTERS - 1] + "…"


def _code(lines: Callable[[], Iterable[str]], *, language: str | None, name: str, key: str) -> None:
    """The beginning of a text as it is, and the whole as a file where that is not all."""
    begun, size = [], 0
    for line in lines():
        begun.append(line[:MOST_CHARACTERS])
        size += len(line) + 1
        if size > MOST_CHARACTERS:
            break
    text = "\n".join(begun)
    if size > MOST_CHARACTERS:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("This is the beginning.", width="content")
            st.download_button(
                "Download all of it",
                data=lambda: highlights.whole("\n".join(lines())).encode(),
                file_name=name,
                icon=":material/download:",
                on_click="ignore",
                key=key,
            )
    text = highlights.whole(text[:MOST_CHARACTERS])
    st.code(text, language=language, height=CODE_HEIGHT if text.count("\n") > MOST_LINES else "content")
