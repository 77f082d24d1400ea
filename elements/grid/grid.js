// A page of rows. Whatever comes from the database becomes text nodes and attributes of text, never HTML.
const made = (tag, text, kind) => {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (kind) element.className = kind
  return element
}

const filled = (cell) => {
  const element = made("td")
  element.tabIndex = -1
  if (cell === null) {
    element.className = "nothing"
    element.textContent = "null"
  } else if (cell === "") {
    element.className = "nothing"
    element.textContent = "empty"
  } else if (typeof cell === "string") {
    element.textContent = cell
  } else {
    element.className = cell.kind
    if (cell.kind === "true" || cell.kind === "false") element.append(made("span", cell.text))
    else element.textContent = cell.text
    if (cell.exact) element.title = cell.exact
  }
  return element
}

const heading = (column, number, send) => {
  const cell = made("th"), button = made("button")
  cell.scope = "col"
  if (column.right) cell.classList.add("right")
  if (column.key) cell.classList.add("key")
  cell.setAttribute("aria-sort", column.order ?? "none")
  button.type = "button"
  button.title = `${column.about}\n\nClick to sort by it, with Shift beside what is sorted by.`
  button.append(made("span", column.name, "name"))
  if (column.order) {
    const sign = column.order === "ascending" ? "▲" : "▼"
    button.append(made("span", column.place ? `${sign}${column.place}` : sign, "order"))
  }
  button.onclick = (event) => send("sorted", { column: number, more: event.shiftKey })
  cell.append(button)
  return cell
}

// The columns that stay where they are begin where those before them end.
const pin = (table, count) => {
  let left = 0
  const heads = table.tHead.rows[0].cells
  for (let place = 0; place < count; place += 1) {
    for (const row of table.rows) {
      const cell = row.cells[place]
      if (!cell) continue
      cell.classList.add("pinned")
      cell.classList.toggle("last-pinned", place === count - 1)
      cell.style.left = `${left}px`
    }
    left += heads[place].offsetWidth
  }
}

const move = (table, cell, key, openable) => {
  const row = cell.parentElement
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }
  const [down, right] = steps[key]
  const next = table.rows[row.rowIndex + down]?.cells[cell.cellIndex + right]
  if (next && next.tagName === "TD" && next.cellIndex >= openable && !next.matches(".rest")) {
    cell.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  }
}

// As Back and Forward go: Streamlit's own way would leave an address in between that no page has.
const follow = (event) => {
  event.stopPropagation()
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
  event.preventDefault()
  history.pushState({}, "", event.currentTarget.href)
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }))
}

// Scroll no more than needed, and nothing but the view: the page stays where it is.
const show = (view, cell) => {
  const head = view.querySelector("thead").offsetHeight
  const above = cell.offsetTop - head - view.scrollTop
  const below = cell.offsetTop + cell.offsetHeight - view.clientHeight - view.scrollTop
  view.scrollTop += above < 0 ? above : Math.max(below, 0)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const view = parentElement.querySelector(".view")
  const table = made("table")
  const send = (name, value) => setTriggerValue(name, { ...value, page: data.page })
  const openable = data.openable ? 1 : 0
  table.setAttribute("role", "grid")
  table.setAttribute("aria-label", data.label)

  const head = table.createTHead().insertRow()
  if (openable) {
    const corner = made("th", undefined, "open")
    corner.append(made("span", ""))
    corner.setAttribute("aria-label", "Row")
    head.append(corner)
  }
  // The last cell of each line has what the columns leave free, so that they are no wider than their values.
  head.append(...data.columns.map((column, number) => heading(column, number, send)), made("th", undefined, "rest"))

  const body = table.createTBody()
  const rows = data.rows.map((cells, number) => {
    const row = made("tr")
    if (openable) {
      const place = made("td", undefined, "open"), link = made("a", "↗")
      link.href = data.links[number]
      link.title = "Open this row"
      link.setAttribute("aria-label", "Open this row")
      link.onclick = follow
      place.append(link)
      row.append(place)
    }
    row.append(...cells.map((cell, at) => {
      const element = filled(cell)
      if (data.columns[at].right) element.classList.add("right")
      return element
    }), made("td", undefined, "rest"))
    return row
  })
  body.append(...rows)
  const choose = (cell) => {
    for (const before of table.querySelectorAll(".chosen")) before.classList.remove("chosen")
    cell.classList.add("chosen")
    send("chosen", { row: cell.parentElement.sectionRowIndex, column: cell.cellIndex - openable })
  }
  body.onclick = (event) => {
    const cell = event.target.closest("td")
    // Whoever selects a text does not mean the cell.
    if (!cell || cell.matches(".open, .rest") || String(document.getSelection()).length) return
    choose(cell)
  }
  body.onkeydown = (event) => {
    const cell = event.target.closest("td")
    if (!cell || cell.matches(".open, .rest")) return
    if (event.key.startsWith("Arrow")) {
      event.preventDefault()
      move(table, cell, event.key, openable)
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      choose(cell)
    }
  }
  const chosen = data.chosen && rows[data.chosen[0]]?.cells[data.chosen[1] + openable]
  chosen?.classList.add("chosen")
  const first = chosen ?? rows[0]?.cells[openable]
  if (first) first.tabIndex = 0

  const focused = Boolean(parentElement.page === data.page && view.getRootNode().activeElement?.closest("td"))
  const top = parentElement.page === data.page ? view.scrollTop : 0
  const left = parentElement.table === data.label ? view.scrollLeft : 0
  parentElement.page = data.page
  parentElement.table = data.label
  view.replaceChildren(table)
  view.classList.toggle("beside", Boolean(chosen))
  pin(table, openable + data.pinned)
  view.scrollTop = top
  view.scrollLeft = left
  if (chosen) show(view, chosen)
  if (focused && first) first.focus({ preventScroll: true })
}
