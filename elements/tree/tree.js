// The tree of a database. What it holds comes once, as `data`; what changes (which table is open, favourites, counts) comes
// through ORDERS, a component of its own, so that a click does not send all of it again. Text of a database is only ever set
// as text. Rows are all of one height and only those in view are drawn, however many there are.

const ROW = 30, SPARE = 8, COLUMNS = 3, INDENT = 16
const slot = (globalThis[Symbol.for("undertone.tree")] ??= { state: { search: "", folded: {}, active: null, top: 0 } })
const decoder = new TextDecoder()
const LOCALE = "en-GB"
const whole = new Intl.NumberFormat(LOCALE), short = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 })
const ICONS = {
  fold: "M6 4l4 4-4 4",
  schema: "M2 4h4l1.5 2H14v7H2z",
  table: "M2 3h12v10H2zM2 6.5h12M6 6.5V13",
  "partitioned table": "M2 3h5v4H2zM9 3h5v4H9zM2 9h5v4H2zM9 9h5v4H9z",
  view: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  "materialised view": "M2 3h12v10H2zM8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  "foreign table": "M2 3h12v10H2zM6 10l4-4M7 6h3v3",
}

function size(bytes) {
  if (bytes == null) return ""
  for (const unit of ["B", "kB", "MB"]) {
    if (bytes < 999.5) return `${bytes < 9.95 && unit !== "B" ? bytes.toFixed(1) : bytes.toFixed(0)} ${unit}`
    bytes /= 1000
  }
  return `${bytes < 9.95 ? bytes.toFixed(1) : whole.format(Math.round(bytes))} GB`
}

function ago(seconds, now) {
  const passed = now - seconds
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]])
    if (passed >= length) return `${whole.format(Math.floor(passed / length))} ${unit} ago`
  return "just now"
}

function unpack(bytes) {
  const found = JSON.parse(decoder.decode(bytes))
  found.nodes = found.nodes.map(([schema, name, label, kind, rows, bytes, comment, analysed, parent, columns, comments], index) => ({
    index, schema, name, label, kind: found.kinds[kind], rows, bytes, comment, analysed, parent, below: [],
    columns: columns.map((one, at) => at % 2 ? null : { name: one, type: found.types[columns[at + 1]], comment: comments[at / 2] })
      .filter(Boolean),
    own: `${found.schemas[schema].name}.${name}`.toLowerCase(), bare: name.toLowerCase(),
    short: label.slice(found.schemas[schema].prefix.length),
  }))
  for (const schema of found.schemas) schema.top = []
  for (const node of found.nodes) {
    (node.parent === null ? found.schemas[node.schema].top : found.nodes[node.parent].below).push(node.index)
    node.about = (node.comment ?? "").toLowerCase()
    node.inside = node.columns.map((one) => `${one.name} ${one.comment ?? ""}`.toLowerCase())
  }
  found.byLabel = new Map(found.nodes.map((node) => [node.label, node]))
  return found
}

function matches(tree, words) {
  const found = []
  for (const node of tree.nodes) {
    const named = words.every((word) => node.own.includes(word))
    let columns = []
    if (!named) {
      const rest = words.filter((word) => !node.own.includes(word) && !node.about.includes(word))
      if (rest.length) {
        columns = node.columns.filter((_, at) => rest.some((word) => node.inside[at].includes(word)))
        if (!rest.every((word) => node.inside.some((one) => one.includes(word)))) continue
      }
    }
    const rank = !named ? 3 : node.bare === words.join(" ") ? 0 : node.bare.startsWith(words[0]) ? 1 : 2
    found.push({ node, columns, rank: rank * 2 + (node.parent === null ? 0 : 1) })
  }
  return found.sort((one, other) => one.rank - other.rank || one.node.index - other.node.index)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".tree"), input = root.querySelector("input"), said = root.querySelector(".said")
  const view = root.querySelector(".view"), rows = root.querySelector(".rows"), note = root.querySelector(".note")
  const state = slot.state
  if (slot.bytes !== data) { slot.tree = unpack(data instanceof Uint8Array ? data : new Uint8Array(data)); slot.bytes = data }
  const tree = slot.tree
  let items = [], orders = null, words = []
  input.value = state.search

  const isOpen = (key, usual) => state.folded[key] ?? usual
  const make = (tag, name, text) => {
    const element = document.createElement(tag)
    if (name) element.className = name
    if (text !== undefined) element.textContent = text
    return element
  }
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
    svg.setAttribute("viewBox", "0 0 16 16")
    svg.setAttribute("aria-hidden", "true")
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
    path.setAttribute("d", ICONS[name] ?? ICONS.table)
    svg.append(path)
    return svg
  }
  const marked = (element, text) => {
    const low = text.toLowerCase()
    // A letter may have a longer small one; then places differ, and nothing is marked.
    const places = low.length === text.length
      ? words.flatMap((word) => { const at = low.indexOf(word); return at < 0 ? [] : [[at, at + word.length]] }) : []
    places.sort((one, other) => one[0] - other[0])
    let done = 0
    for (const [start, end] of places) {
      if (start < done) continue
      element.append(text.slice(done, start), make("mark", "", text.slice(start, end)))
      done = end
    }
    element.append(text.slice(done))
    return element
  }

  const branch = (index, level, prefix, favourite) => {
    const node = tree.nodes[index], key = `${prefix}${index}`
    const open = isOpen(key, opened().has(index) && !favourite)
    items.push({ key, node, level, folds: node.below.length > 0, open, favourite })
    if (open) for (const one of node.below) branch(one, level + 1, prefix, favourite)
  }
  // The open table's parents are unfolded for it.
  const opened = () => {
    if (opened.of !== orders.table) {
      opened.of = orders.table
      opened.above = new Set()
      for (let node = tree.byLabel.get(orders.table); node && node.parent !== null; node = tree.nodes[node.parent])
        opened.above.add(node.parent)
    }
    return opened.above
  }

  const arrange = () => {
    words = state.search.toLowerCase().split(/\s+/).filter(Boolean)
    items = []
    if (words.length) {
      const found = matches(tree, words)
      for (const { node, columns } of found) {
        items.push({ key: `m${node.index}`, node, level: 1, found: true })
        for (const column of columns.slice(0, COLUMNS)) items.push({ key: `m${node.index}.${column.name}`, node, column, level: 2 })
        if (columns.length > COLUMNS)
          items.push({ key: `m${node.index}…`, node, level: 2, words: `and ${columns.length - COLUMNS} more columns` })
      }
      said.textContent = `${whole.format(found.length)} of ${whole.format(tree.nodes.length)}`
    } else {
      said.textContent = ""
      if (orders.favourites.length) {
        const open = isOpen("favourites", true)
        items.push({ key: "favourites", head: "Favourites", number: orders.favourites.length, level: 1, folds: true, open })
        if (open) for (const label of orders.favourites) {
          const node = tree.byLabel.get(label)
          if (node) branch(node.index, 2, "f", true)
          else items.push({ key: `g${label}`, gone: label, level: 2 })
        }
      }
      for (const { name, top, system } of tree.schemas) {
        if (!top.length) continue  // all of it stands below tables of others
        const key = `s${name}`
        const open = isOpen(key, !system || top.some((index) => tree.nodes[index].label === orders.table))
        items.push({ key, head: name, schema: true, number: top.length, level: 1, folds: true, open })
        if (open) for (const index of top) branch(index, 2, "n", false)
      }
    }
    let text = ""
    if (words.length && !items.length) text = "No table or column is called so."
    if (words.length && !tree.complete) text += " There are too many columns to search all of them; tables are found by their names."
    note.textContent = text.trim()
    rows.style.height = `${items.length * ROW}px`
    if (!items.some((item) => item.key === state.active)) state.active = null
    draw()
  }

  const figure = (node) => {
    const exact = orders.counts[node.label]
    if (orders.counting === node.label) return "…"
    if (exact !== undefined) return orders.wide ? whole.format(exact) : short.format(exact)
    if (node.rows === null) return ""
    return node.rows === 0 ? "0" : `≈ ${orders.wide ? whole.format(node.rows) : short.format(node.rows)}`
  }
  const tooltip = (node) => [
    node.label, node.kind,
    orders.counts[node.label] !== undefined ? `${whole.format(orders.counts[node.label])} rows`
      : node.rows === null ? null : `about ${whole.format(node.rows)} rows`,
    size(node.bytes) || null,
    node.analysed === null ? null : `analysed ${new Date(node.analysed * 1000).toLocaleString(LOCALE)}`,
    node.comment,
  ].filter(Boolean).join("\n")

  const drawn = (item, index, now) => {
    const row = make("div", "row")
    row.id = `row-${index}`
    row.style.top = `${index * ROW}px`
    row.setAttribute("role", "treeitem")
    row.setAttribute("aria-level", item.level)
    if (item.folds) row.setAttribute("aria-expanded", item.open)
    row.classList.toggle("open", Boolean(item.open))
    row.classList.toggle("active", item.key === state.active)
    row.dataset.index = index
    const name = make("div", "name")
    name.style.paddingLeft = `${(item.level - 1) * (orders.wide ? INDENT : INDENT / 2)}px`
    const fold = make("span", "fold")
    if (item.folds) fold.append(icon("fold"))
    name.append(fold)
    row.append(name)
    if (item.head) {
      row.classList.add("schema")
      if (item.schema) name.append(icon("schema"))
      name.append(make("span", "text", item.head), make("span", "muted type", whole.format(item.number)))
      return row
    }
    if (item.gone) {
      row.classList.add("gone")
      name.append(make("span", "text muted", item.gone), make("span", "muted type", "gone"), star(item.gone, true))
      row.title = `${item.gone} is no longer there, or this account may no longer read it`
      return row
    }
    const node = item.node
    if (item.words || item.column) {
      name.append(item.words ? make("span", "muted type", item.words) : marked(make("span", "text muted"), item.column.name))
      if (item.column) {
        name.append(make("span", "muted type", item.column.type))
        row.title = item.column.comment ?? ""
        if (item.column.comment) name.append(marked(make("span", "text muted type"), item.column.comment))
      }
      return row
    }
    const link = make("a", "text")
    link.href = `?${new URLSearchParams({ table: node.label, ...orders.keep })}`
    link.tabIndex = -1
    // Below its own schema the name alone; among favourites and what was found its schema, too.
    const above = node.parent === null ? node : tree.nodes[node.parent]
    const bare = !item.found && !item.favourite && above.schema === node.schema
    marked(link, bare ? node.short : node.label)
    name.append(icon(node.kind), link, star(node.label, orders.starred.has(node.label)))
    row.setAttribute("aria-selected", node.label === orders.table)
    row.title = tooltip(node)
    row.append(make("div", "cell muted kind", node.kind))
    const number = make("div", "cell number rows-cell")
    if (orders.wide && orders.counting === null && orders.counts[node.label] === undefined) {
      const count = make("button", "count", "count")
      count.type = "button"
      count.tabIndex = -1
      count.title = "Count its rows exactly, which takes as long as reading them"
      count.dataset.count = node.label
      number.append(count)
    }
    number.append(make("span", "figure", figure(node)))
    row.append(number, make("div", "cell number size muted", size(node.bytes)))
    row.append(make("div", "cell muted analysed", node.analysed === null ? "" : ago(node.analysed, now)))
    row.append(marked(make("div", "cell muted comment"), (node.comment ?? "").replace(/\s+/g, " ")))
    return row
  }
  const star = (label, on) => {
    const button = make("button", "star", on ? "★" : "☆")
    button.type = "button"
    button.tabIndex = -1
    button.setAttribute("aria-pressed", on)
    button.setAttribute("aria-label", `${on ? "Remove from" : "Add to"} favourites: ${label}`)
    button.title = on ? "Remove from favourites (f)" : "Add to favourites (f)"
    button.dataset.star = label
    return button
  }
  const draw = () => {
    const height = view.clientHeight || 620
    const first = Math.max(0, Math.floor(view.scrollTop / ROW) - SPARE)
    const last = Math.min(items.length, Math.ceil((view.scrollTop + height) / ROW) + SPARE)
    const now = Date.now() / 1000
    rows.replaceChildren(...items.slice(first, last).map((item, at) => drawn(item, first + at, now)))
    const at = items.findIndex((item) => item.key === state.active)
    for (const element of [input, view]) {
      if (at < 0) element.removeAttribute("aria-activedescendant")
      else element.setAttribute("aria-activedescendant", `row-${at}`)
    }
    rows.dataset.count = items.length
  }
  const reveal = (at) => {
    const top = at * ROW, height = view.clientHeight
    if (top < view.scrollTop) view.scrollTop = top
    else if (top + ROW > view.scrollTop + height) view.scrollTop = top + ROW - height
  }
  const activate = (at) => {
    if (!items.length) return
    at = Math.min(Math.max(at, 0), items.length - 1)
    state.active = items[at].key
    reveal(at)
    draw()
  }
  const fold = (item, open) => { state.folded[item.key] = open; arrange() }
  const mark = (label) => {
    const on = !orders.starred.has(label)
    // At once; the answer of the app follows.
    if (on) orders.favourites = [...orders.favourites, label]
    else orders.favourites = orders.favourites.filter((one) => one !== label)
    orders.starred = new Set(orders.favourites)
    arrange()
    setTriggerValue("star", { label, on })
  }
  const choose = (item) => {
    if (item.gone || item.words) return
    if (item.node) setTriggerValue("open", { label: item.node.label })
    else if (item.folds) fold(item, !item.open)
  }
  const key = (event) => {
    const typing = event.target === input
    const at = items.findIndex((item) => item.key === state.active), item = items[at]
    if (event.key !== "Tab") event.stopPropagation()  // Streamlit has keys of its own
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = Math.max(1, Math.floor(view.clientHeight / ROW) - 1)
    if (event.key === "ArrowDown") activate(at + 1)
    else if (event.key === "ArrowUp") activate(at < 0 ? items.length - 1 : at - 1)
    else if (event.key === "PageDown") activate(at + step)
    else if (event.key === "PageUp") activate(at - step)
    else if (event.key === "Enter") { const wanted = item ?? (typing && words.length ? items[0] : null); if (wanted) choose(wanted) }
    else if (event.key === "Escape" && state.search) { input.value = state.search = ""; arrange() }
    else if (typing) return
    else if (event.key === "Home") activate(0)
    else if (event.key === "End") activate(items.length - 1)
    else if (event.key === "ArrowRight" && item) item.folds && !item.open ? fold(item, true) : item.folds && activate(at + 1)
    else if (event.key === "ArrowLeft" && item) {
      if (item.folds && item.open) fold(item, false)
      else activate(items.slice(0, at).findLastIndex((one) => one.level < item.level))
    } else if (event.key === "f" && item && (item.gone || (item.node && !item.column))) mark(item.gone ?? item.node.label)
    else return
    event.preventDefault()
  }

  root.onkeydown = key
  input.oninput = () => { state.search = input.value; state.active = null; view.scrollTop = 0; arrange() }
  view.onscroll = () => { state.top = view.scrollTop; draw() }
  rows.onclick = (event) => {
    const row = event.target.closest(".row")
    if (!row) return
    const item = items[Number(row.dataset.index)]
    if (event.target.dataset.star !== undefined) { event.preventDefault(); mark(event.target.dataset.star); return }
    if (event.target.dataset.count !== undefined) { setTriggerValue("count", { label: event.target.dataset.count }); return }
    // A link opens elsewhere by the keys that do that everywhere.
    if (event.target.closest("a") && (event.ctrlKey || event.metaKey || event.shiftKey)) return
    event.preventDefault()
    state.active = item.key
    if (item.folds && event.target.closest(".fold")) fold(item, !item.open)
    else { draw(); choose(item) }
  }
  const obey = (given) => {
    orders = { ...given, starred: new Set(given.favourites) }
    root.classList.toggle("wide", orders.wide)
    arrange()
    if (slot.shown !== orders.table) {
      slot.shown = orders.table
      const at = items.findIndex((item) => item.node?.label === orders.table && !item.favourite)
      if (at >= 0) reveal(at)
    }
  }
  slot.obey = obey
  if (slot.orders) { obey(slot.orders); view.scrollTop = state.top }
  // Its height is not known before it is laid out.
  const watching = new ResizeObserver(() => orders && draw())
  watching.observe(view)
  return () => { watching.disconnect(); if (slot.obey === obey) slot.obey = null }
}
