// What Streamlit calls whenever the editor's data have changed, and what keeps the text in step with Python.
//
// The program and the names are large and stay the same from run to run, so that Streamlit sends them once. What changes
// often comes by a small component of its own, "orders" (see __init__.py); both meet in a slot, one for each key.
import { Editor } from "./editor.js"
import { catalogue } from "./names.js"
import { fromPython, toPython } from "./places.js"

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
    this.kept = null // the text and what is selected in it, while the editor is out of the page
    this.untold = false // whether the text is another than Python knows
    this.told = [0, 0] // what is selected in it, as Python knows it
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
    const outside = { changed: () => this.changed(), moved: () => this.wait(), left: () => this.flush(), run: () => this.run() }
    this.editor = new Editor(parentElement, data, outside, () => this.names)
    this.fresh = true
    if (this.orders) this.obey(this.orders)
  }

  close() {
    if (!this.editor) return
    clearTimeout(this.timer)
    this.timer = 0
    this.kept = { text: this.editor.text, at: this.editor.selected }
    this.editor.destroy()
    this.editor = null
    this.problem = ""
  }

  // `orders`: {text, known, replace, at, heard, insert, problem, history}. `known`: Python has this text from here
  // already. `at`: what is selected in a text that is put in. `heard`: the number of the last event that Python knows.
  obey(orders) {
    this.orders = orders
    if (!this.editor) return
    const { text, known, replace, at, heard, insert, problem, history } = orders
    if (this.event && heard >= this.event.number) this.event.text = null
    if (this.fresh) {
      // Out of the page for a moment, as its layout changed: nothing that was typed is lost.
      const kept = this.touched && known && replace === this.replace && this.kept !== null
      if (kept) {
        this.editor.set(this.kept.text, "replace", this.kept.at)
        this.wait()
      } else this.put(text, at)
      this.fresh = false
    } else if (replace !== this.replace || (!this.touched && !known && text !== this.editor.text)) {
      this.put(text, at)
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

  // What Python says, instead of all that was typed.
  put(text, at) {
    clearTimeout(this.timer)
    this.timer = 0
    this.touched = this.untold = false
    this.editor.set(
      text,
      "replace",
      at.map((place) => fromPython(text, place)),
    )
    this.told = this.editor.selected
  }

  changed() {
    this.touched = this.untold = true
    this.wait()
  }

  wait() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), QUIET)
  }

  // Tells Python what it does not know yet.
  flush() {
    if (!this.timer || !this.orders) return
    clearTimeout(this.timer)
    this.timer = 0
    if (this.untold || this.elsewhere()) this.tell()
  }

  // Whether another part of the text may be meant than Python knows: of one statement a cursor always means all.
  elsewhere() {
    const [start, end] = this.editor.selected
    const [before, behind] = this.told
    if (start === before && end === behind) return false
    return start < end || before < behind || this.editor.text.includes(";")
  }

  run() {
    clearTimeout(this.timer)
    this.timer = 0
    this.problem = "" // the same one may come again
    const { text } = this.editor
    const [start, end] = this.editor.selected.map((place) => toPython(text, place))
    this.event = { number: Math.max((this.event?.number ?? 0) + 1, Date.now()), text, start, end }
    this.tell()
  }

  tell() {
    if (!this.orders) return
    this.touched = true
    this.untold = false
    const { text } = this.editor
    this.told = this.editor.selected
    const [start, end] = this.told.map((place) => toPython(text, place))
    // It comes once where it is the same; more may have been typed before Python has heard of the event.
    const event = this.event && { ...this.event, text: this.event.text === text ? null : this.event.text }
    this.component.setStateValue("now", { text, replace: this.replace, start, end, event })
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
