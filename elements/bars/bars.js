// Values with bars, and histograms: a click on a value or a bin picks it, a drag over bins picks a range of them.
// Text of a database is only ever set as text.

const make = (tag, kind, text) => {
  const element = document.createElement(tag)
  if (kind) element.className = kind
  if (text !== undefined && text !== null) element.textContent = text
  return element
}

function line(one, data, pick) {
  const row = make(data.clickable && one.clickable ? "button" : "div", "row")
  if (one.chosen) row.classList.add("chosen")
  if (row.tagName === "BUTTON") {
    row.setAttribute("aria-pressed", String(Boolean(one.chosen)))
    row.addEventListener("click", () => pick(one.number, one.number))
  }
  const fill = make("span", "fill")
  fill.style.width = `${Math.max(0, Math.min(1, one.share)) * 100}%`
  const text = make("span", one.quiet ? "text quiet" : "text", one.text)
  text.dir = "auto"
  row.title = one.hint ?? one.text
  row.append(fill, text, make("span", "amount", one.amount))
  return row
}

function histogram(data, pick) {
  const box = make("div", "histogram"), plot = make("div", "plot"), scale = make("div", "scale")
  const ends = [make("span", "", data.low), make("span", "said"), make("span", "", data.high)]
  const bins = data.bins, most = Math.max(...bins.map((one) => one.share), 0)
  const tell = (first, last) => {
    ends[1].textContent = first === last ? `${bins[first].text}: ${bins[first].amount}` : `${bins[first].text} … ${bins[last].text}`
    scale.classList.add("telling")
  }
  const hush = () => { ends[1].textContent = data.unit ?? ""; scale.classList.remove("telling") }
  let start = null, now = null
  const parts = bins.map((one, place) => {
    const bin = make(data.clickable ? "button" : "span", "bin")
    const bar = make("span", "bar")
    // What is there at all is seen, however little it is.
    bar.style.height = one.share ? `max(2px, ${(one.share / most) * 100}%)` : "0"
    bin.append(bar)
    bin.setAttribute("aria-label", `${one.text}: ${one.amount}`)
    if (one.chosen) bin.classList.add("chosen")
    if (data.clickable) {
      bin.tabIndex = place ? -1 : 0
      bin.addEventListener("focus", () => tell(place, place))
      bin.addEventListener("blur", hush)
      bin.addEventListener("keydown", (event) => {
        const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: bins.length - 1 }[event.key]
        if (next === undefined || !parts[next]) return
        event.preventDefault()
        bin.tabIndex = -1
        parts[next].tabIndex = 0
        parts[next].focus()
      })
      // A click by the keyboard has no pointer.
      bin.addEventListener("click", (event) => { if (event.detail === 0) pick(bins[place].number, bins[place].number) })
    }
    return bin
  })
  const mark = () => {
    const [low, high] = start === null ? [1, 0] : [Math.min(start, now), Math.max(start, now)]
    parts.forEach((part, place) => part.classList.toggle("marked", place >= low && place <= high))
    if (start !== null) tell(low, high)
  }
  const under = (event) => {
    const { left, width } = plot.getBoundingClientRect()
    return Math.max(0, Math.min(bins.length - 1, Math.floor(((event.clientX - left) / width) * bins.length)))
  }
  plot.addEventListener("pointermove", (event) => {
    if (start === null) return tell(under(event), under(event))
    now = under(event)
    mark()
  })
  plot.addEventListener("pointerleave", () => { if (start === null) hush() })
  if (data.clickable) {
    plot.addEventListener("pointerdown", (event) => {
      if (event.button) return
      start = now = under(event)
      plot.setPointerCapture(event.pointerId)
      mark()
    })
    plot.addEventListener("pointerup", () => {
      if (start === null) return
      const [low, high] = [Math.min(start, now), Math.max(start, now)]
      start = null
      mark()
      pick(bins[low].number, bins[high].number)
    })
    plot.addEventListener("pointercancel", () => { start = null; mark(); hush() })
  }
  hush()
  plot.append(...parts)
  scale.append(...ends)
  box.append(plot, scale)
  return box
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".bars")
  const pick = (first, last) => setTriggerValue("picked", { first, last })
  const found = []
  if (data.title) {
    const head = make("div", "head")
    const name = make("span", "title", data.title)
    name.dir = "auto"
    name.title = data.title
    head.append(name, make("span", "note", data.note))
    if (data.clear) {
      const clear = make("button", "clear", "Clear")
      clear.setAttribute("aria-label", `Clear the filter on ${data.title}`)
      clear.addEventListener("click", () => setTriggerValue("cleared", true))
      head.append(clear)
    }
    found.push(head)
  }
  root.classList.toggle("tall", Boolean(data.tall))
  if (data.bins.length) found.push(histogram(data, pick))
  if (data.rows.length) {
    const list = make("div", "list")
    list.append(...data.rows.map((one) => line(one, data, pick)))
    found.push(list)
  }
  if (data.foot) found.push(make("div", "foot", data.foot))
  root.setAttribute("role", "group")
  root.setAttribute("aria-label", data.title ?? "")
  root.replaceChildren(...found)
}
