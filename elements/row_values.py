"""The values of a row, one below the other, each as what it is, with links to the rows that it refers to.

All that comes from a database goes to the browser as JSON and becomes text nodes there: nothing ever parses it as HTML
or Markdown. Addresses are made here, of our own pages only.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from elements import highlights, row_cells
from undertone import errors, looks, references, rows

HTML = "<table><tbody></tbody></table>"
CSS = """
table {
  width: 100%; border-collapse: collapse; table-layout: fixed; color: var(--st-text-color);
  font-family: var(--st-font); font-size: var(--st-base-font-size);
}
tr { border-bottom: 1px solid var(--st-border-color); }
tr:first-child { border-top: 1px solid var(--st-border-color); }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.5rem; font-weight: 400; overflow-wrap: anywhere; }
th { width: 30%; padding-left: 0; }
th .name { font-weight: 600; white-space: pre-wrap; unicode-bidi: plaintext; }
small, .note, .nothing { color: color-mix(in srgb, var(--st-text-color) 65%, transparent); font-size: 0.82rem; }
th small { display: block; }
.nothing { font-style: italic; font-size: inherit; }
.text, .json { white-space: pre-wrap; }
.each { unicode-bidi: plaintext; }
.long { max-height: 15rem; overflow-y: auto; }
.number { font-variant-numeric: tabular-nums; }
.bytes { margin: 0; font-family: var(--st-code-font); font-size: 0.78rem; white-space: pre; overflow: auto; }
.note { display: block; margin-top: 0.15rem; }
.links { display: block; margin-top: 0.15rem; font-size: 0.9rem; }
.key::before { content: "key · "; }
.time { border-bottom: 1px dotted color-mix(in srgb, var(--st-text-color) 45%, transparent); cursor: help; }
a { color: var(--st-link-color); text-decoration: underline; text-underline-offset: 0.15em; }
.json { font-family: var(--st-code-font); font-size: 0.85rem; }
details > div, details > details { padding-left: 1.1rem; }
summary { cursor: pointer; }
summary::marker { color: color-mix(in srgb, var(--st-text-color) 55%, transparent); }
.json .count { color: color-mix(in srgb, var(--st-text-color) 60%, transparent); }
.json .named { font-weight: 600; }
:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""
JS = """
const made = (tag, text, kind) => {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (kind) element.className = kind
  return element
}
const named = (element, name) => {
  if (name !== undefined) element.append(made("span", JSON.stringify(name), "named"), ": ")
  return element
}
// What is folded is made when it is unfolded first.
const node = (tree, name, depth) => {
  const inner = tree.object ?? tree.array
  if (!inner || !inner.length) {
    const line = named(made("div"), name)
    line.append(made("span", inner ? (tree.object ? "{}" : "[]") : tree.is, tree.kind))
    return line
  }
  const fold = made("details")
  const summary = named(made("summary"), name)
  const signs = tree.object ? ["{", "}"] : ["[", "]"]
  summary.append(made("span", `${signs[0]} ${inner.length} ${signs[1]}`, "count"))
  fold.append(summary)
  const fill = () => {
    if (fold.childElementCount > 1) return
    for (const [place, one] of inner.entries())
      fold.append(tree.object ? node(one[1], one[0], depth + 1) : node(one, undefined, depth + 1))
  }
  fold.addEventListener("toggle", fill)
  if (depth < 2 && inner.length <= 50) { fill(); fold.open = true }
  return fold
}
const value = (cell) => {
  if (cell.kind === "null" || cell.kind === "empty") return made("span", cell.text, "nothing")
  if (cell.tree) {
    const tree = made("div", undefined, "json long")
    tree.append(node(cell.tree, undefined, 0))
    return tree
  }
  const element = made(cell.kind === "bytes" ? "pre" : cell.kind === "time" ? "span" : "div", cell.text, cell.kind)
  // Every line in its own direction, which takes a browser the square of a text's length: 12 s for a million letters.
  if (cell.text.length <= 20_000) element.classList.add("each")
  if (cell.exact) element.title = cell.exact
  if (cell.kind !== "time" && cell.kind !== "number") {
    element.classList.add("long")
    element.dir = cell.kind === "bytes" ? "ltr" : "auto"
    if (cell.text.length > 400) {  // it scrolls, so the keyboard has to come there
      element.tabIndex = 0
      element.setAttribute("role", "group")
      element.setAttribute("aria-label", cell.name)
    }
  }
  return element
}
export default function ({ data, parentElement, setTriggerValue }) {
  const link = (one) => {
    const element = made("a", one.text)
    element.href = one.address
    element.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
      event.preventDefault()
      setTriggerValue("followed", one.number)
    }
    return element
  }
  const lines = data.cells.map((cell) => {
    const line = made("tr"), head = made("th"), body = made("td")
    head.scope = "row"
    head.append(made("span", cell.name, "name"), made("small", cell.type, cell.key ? "key" : ""))
    if (cell.comment) head.append(made("small", cell.comment))
    body.append(value(cell))
    if (cell.note) body.append(made("span", cell.note, "note"))
    for (const one of cell.links ?? []) {
      const place = made("span", "→ ", "links")
      place.append(link(one), one.words ? ` ${one.words}` : "")
      body.append(place)
    }
    line.append(head, body)
    return line
  })
  const table = parentElement.querySelector("table")
  table.setAttribute("aria-label", data.title)
  table.tBodies[0].replaceChildren(...lines)
}
"""
_mount = st.components.v2.component("undertone_row_values", html=HTML, css=CSS, js=JS)


@dataclass(frozen=True)
class Link:
    """Where a foreign key leads: a page of ours and the parameters of its address."""

    page: str  # "row" or "tables"
    parameters: dict[str, str]

    @property
    def address(self) -> str:
        """As the browser takes it, relative to the page of a row."""
        return f"{self.page}?{urllib.parse.urlencode(self.parameters)}"


def show(row: rows.Row, targets: Sequence[references.Target], *, key: str) -> Link | None:
    """Show all values; the link that was followed this moment, if any."""
    found = links(targets)
    answer = _mount(data=described(row, targets, found), key=key, on_followed_change=lambda: None)
    number = answer.followed
    # It comes from the browser: it is only a number of ours.
    return found[number] if isinstance(number, int) and number in found else None


def links(targets: Sequence[references.Target]) -> dict[int, Link]:
    """Where each of the targets is looked at, by its number; nothing of one whose key is too long for an address."""
    found = {}
    for number, target in enumerate(targets):
        if target.key is not None:
            found[number] = Link("row", looks.row_parameters(target.relation.label, target.key))
            continue
        try:
            found[number] = Link("tables", looks.parameters(target.look))
        except errors.UndertoneError:
            continue
    return found


def described(
    row: rows.Row, targets: Sequence[references.Target], found: dict[int, Link], timezone: str | None = None
) -> dict[str, Any]:
    """What the browser gets."""
    zone = row_cells.zone(timezone or st.context.timezone)
    cells = []
    for cell in row.cells:
        column = cell.field.column
        about = row_cells.described(cell, zone) | {
            "name": highlights.whole(column.name),
            "type": column.type,
            "key": column.name in row.key_names,
        }
        if column.comment:
            about["comment"] = column.comment
        about["links"] = [
            {
                "number": number,
                "text": _title(target),
                "words": target.words,
                "address": found[number].address,
            }
            for number, target in enumerate(targets)
            if column.name in target.columns and number in found
        ]
        cells.append(about)
    return {"title": f"Values of a row of {row.relation.label}", "cells": cells}


def _title(target: references.Target) -> str:
    if len(target.columns) == 1 or target.key is None:
        return target.relation.label
    return f"{target.relation.label} ({', '.join(target.key)})"
