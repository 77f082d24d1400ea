// What Streamlit calls whenever the editor's data have changed, and what keeps the text in step with Python.
//
// The program and the names are large and stay the same from run to run, so that Streamlit sends them once. What changes
// often comes by a small component of its own, "orders" (see __init__.py); both meet in a slot, one for each key.
import { Editor } from "./editor.js"
import { catalogue } from "./names.js"
import { toPython } from "./places.js"

const QUIET = 400 // ms after the last letter

const slots = (globalThis[Symbol.for("undertone.editors")] ??= new Map())

class Slot {
  constructor() {
    this.editor = null
    this.orders = null
    this.names = catalogue(null)
    this.touched = false // whether a person has changed the text since Python last put one in
    this.replace = null
    this.inserted = null
    this.event = null
    this.kept = null // the text, while the editor is out of the page
    this.problem = ""
    this.timer = 0
    this.sent = null
  }

  open(component) {
    this.component = component
    const { data, parentElement } = component
    if (data.names !== this.given) this.names = catalogue((this.given = data.names))
    if (this.editor && this.parent === parentElement) {
      this.editor.data = data
      return
    }
    this.close()
    this.parent = parentElement
    const outside = { changed: () => this.changed(), left: () => this.flush(), run: (one) => this.run(one) }
    this.editor = new Editor(parentElement, data, outside, () => this.names)
    this.fresh = true
    if (this.orders) this.obey(this.orders)
  }

  close() {
    if (!this.editor) return
    clearTimeout(this.timer)
    this.timer = 0
    this.kept = this.editor.text
    this.editor.destroy()
    this.editor = null
    this.problem = ""
  }

  // `orders`: {text, known, replace, insert, problem, history}. `known`: Python has this text from here already.
  obey(orders) {
    this.orders = orders
    if (!this.editor) return
    const { text, known, replace, insert, problem, history } = orders
    if (this.fresh) {
      // Out of the page for a moment, as its layout changed: nothing that was typed is lost.
      const kept = this.touched && known && replace === this.replace && this.kept !== null
      this.touched = kept
      this.put(kept ? this.kept : text)
      this.fresh = false
    } else if (replace !== this.replace || (!this.touched && !known && text !== this.editor.text)) {
      this.touched = false
      this.put(text)
    }
    this.replace = replace
    this.editor.recall.take(history)
    const mark = problem ? JSON.stringify(problem) : ""
    if (mark !== this.problem) {
      this.problem = mark
      this.editor.mark(problem)
    }
    if (insert && insert[0] !== this.inserted) {
      this.inserted = insert[0]
      this.editor.insert(insert[1])
      this.flush()
    }
  }

  put(text) {
    clearTimeout(this.timer)
    this.timer = 0
    if (text !== this.editor.text) this.editor.set(text, "replace")
  }

  changed() {
    this.touched = true
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), QUIET)
  }

  // Tells Python the text, if it does not know it yet.
  flush() {
    if (!this.timer || !this.orders) return
    clearTimeout(this.timer)
    this.timer = 0
    this.tell()
  }

  run({ start, statement }) {
    clearTimeout(this.timer)
    this.timer = 0
    this.problem = "" // the same one may come again
    const number = Math.max((this.event?.number ?? 0) + 1, Date.now())
    this.event = { number, action: "run", statement, start: toPython(this.editor.text, start) }
    this.touched = true
    this.tell()
  }

  tell() {
    if (!this.orders) return
    this.component.setStateValue("now", { text: this.editor.text, replace: this.replace, event: this.event })
  }
}

export default function (component) {
  const { key } = component.data
  let slot = slots.get(key)
  if (!(slot instanceof Slot)) {
    const orders = slot?.orders ?? null
    slots.set(key, (slot = new Slot()))
    slot.orders = orders
  }
  slot.open(component)
  return () => {
    if (slot.parent === component.parentElement) slot.close()
  }
}
