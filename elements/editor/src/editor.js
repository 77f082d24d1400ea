// The editor: CodeMirror with what a console wants. It knows nothing of Streamlit: `outside` is told what happens.
import { autocompletion, closeBrackets, closeCompletion } from "@codemirror/autocomplete"
import { history, toggleComment } from "@codemirror/commands"
import { bracketMatching, indentUnit } from "@codemirror/language"
import { openSearchPanel, search } from "@codemirror/search"
import { EditorState } from "@codemirror/state"
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  lineNumbers,
  placeholder,
} from "@codemirror/view"
import { completion } from "./complete.js"
import css from "./editor.css"
import { format, FormatError } from "./format.js"
import { keys } from "./keys.js"
import { language } from "./language.js"
import { mark, unmark, untilChanged } from "./mark.js"
import { Recall } from "./recall.js"

const made = (tag, className, text = "") => {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}
const isMac = /Mac|iP(hone|ad|od)/.test(navigator.platform)

export class Editor {
  // `data`: {label, hint, heights, most}; `outside`: {changed(), moved(), left(), run()}; `names()`: the catalogue.
  constructor(parent, data, outside, names) {
    this.data = data
    this.outside = outside
    this.recall = new Recall()
    this.typed = false // since the focus came: whoever passes by with Tab is not held up
    this.box = made("div", "box")
    this.searched = false // whether the selection is what was searched for
    for (const [name, height] of [
      ["--least", data.heights[0]],
      ["--most", data.heights[1]],
    ])
      this.box.style.setProperty(name, `${height}px`)
    const style = made("style", "", css)
    this.status = made("div", "status")
    this.status.setAttribute("role", "status")
    const keys = made(
      "div",
      "hidden",
      "Control Enter runs the selection, or the statement at the cursor. Control F searches. Escape, then Tab leaves the editor. Alt Up and Alt Down go through earlier statements.",
    )
    keys.id = "keys"
    this.view = new EditorView({ root: parent, state: EditorState.create({ extensions: this.extensions(names) }) })
    const bar = made("div", "bar")
    bar.append(
      this.status,
      this.button("Find", `Search and replace (${isMac ? "⌘" : "Ctrl-"}F)`, () => openSearchPanel(this.view)),
      this.button("Format", "Lay out the selection, or the whole text, anew (Shift-Alt-F)", () => this.format()),
      this.button("Comment", `Make the lines a comment, or none (${isMac ? "⌘" : "Ctrl-"}/)`, () =>
        toggleComment(this.view),
      ),
    )
    this.box.append(this.view.dom, bar, keys)
    // A button of the page may have a shortcut that means something here.
    for (const kind of ["keydown", "keypress", "keyup"])
      this.box.addEventListener(kind, (event) => event.stopPropagation())
    parent.append(style, this.box)
    this.parts = [style, this.box]
    this.say("")
  }

  extensions(names) {
    return [
      keys(this),
      lineNumbers(),
      highlightSpecialChars(),
      history(),
      bracketMatching(),
      search({ top: true, literal: true }),
      closeBrackets(),
      autocompletion({ override: [completion(names)], icons: false, maxRenderedOptions: 60 }),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      indentUnit.of("  "),
      EditorView.lineWrapping,
      EditorState.tabSize.of(4),
      placeholder(this.data.hint),
      language(),
      untilChanged,
      this.bounded(),
      EditorView.contentAttributes.of({
        "aria-label": this.data.label,
        "aria-describedby": "keys",
        spellcheck: "false",
        autocorrect: "off",
        autocapitalize: "off",
        translate: "no",
      }),
      EditorView.updateListener.of((update) => {
        const by = (event) => update.transactions.some((one) => one.isUserEvent(event))
        if (update.docChanged || update.selectionSet) this.searched = by("select.search")
        if (update.docChanged) this.say("")
        if (by("replace")) return
        if (update.docChanged) {
          this.typed = true
          this.outside.changed()
        } else if (update.selectionSet) this.outside.moved()
      }),
      EditorView.domEventHandlers({
        blur: () => {
          this.typed = false
          this.outside.left()
        },
      }),
    ]
  }

  // More than the lane would ever take is not let in: the browser would suffer first.
  bounded() {
    return EditorState.changeFilter.of((transaction) => {
      if (!transaction.docChanged || transaction.newDoc.length <= this.data.most) return true
      if (transaction.newDoc.length < transaction.startState.doc.length) return true
      this.say(`At most ${this.data.most.toLocaleString("en")} characters fit in here.`, true)
      return false
    })
  }

  button(label, title, act) {
    const button = made("button", "", label)
    button.type = "button"
    button.title = title
    button.addEventListener("mousedown", (event) => event.preventDefault()) // the focus stays where it is
    button.addEventListener("click", act)
    return button
  }

  say(text, wrong = false) {
    const runs = `${isMac ? "⌘" : "Ctrl"}+Enter runs the selection, or the statement at the cursor`
    this.status.textContent = text || runs
    this.status.classList.toggle("wrong", wrong)
  }

  get text() {
    return this.view.state.doc.toString()
  }

  // From where to where the text is selected. What was searched for is no selection: nobody means to run a word alone.
  get selected() {
    const { from, to } = this.view.state.selection.main
    return this.searched ? [to, to] : [from, to]
  }

  // `event`: "replace" for what Python put in, else what a person did. `at`: what is selected then.
  set(text, event, at = [text.length, text.length]) {
    this.view.dispatch({
      changes: text === this.text ? [] : { from: 0, to: this.view.state.doc.length, insert: text },
      selection: { anchor: at[0], head: at[1] },
      userEvent: event,
      scrollIntoView: event !== "replace",
    })
  }

  // At the cursor, apart from names that it would touch.
  insert(text) {
    const { from, to } = this.view.state.selection.main
    const touches = (one, other) => /[\p{L}\p{N}_$"]$/u.test(one) && /^[\p{L}\p{N}_$"]/u.test(other)
    const before = touches(this.view.state.sliceDoc(Math.max(from - 2, 0), from), text) ? " " : ""
    const after = touches(text, this.view.state.sliceDoc(to, to + 2)) ? " " : ""
    const insert = before + text + after
    this.view.dispatch({
      changes: { from, to, insert },
      selection: { anchor: from + insert.length - after.length },
      userEvent: "input.paste",
      scrollIntoView: true,
    })
    this.view.focus()
  }

  run() {
    closeCompletion(this.view)
    if (this.text.trim()) this.outside.run()
    else this.say("There is no statement to run.")
    return true
  }

  format() {
    const { from, to, empty, head } = this.view.state.selection.main
    const whole = empty || !this.view.state.sliceDoc(from, to).trim()
    const text = whole ? this.text : this.view.state.sliceDoc(from, to)
    if (!text.trim()) return true
    try {
      const anew = format(text)
      if (anew === text) return true
      // The cursor stays at its letter.
      let seen = text.slice(0, whole ? head : 0).replace(/\s+/g, "").length
      let at = 0
      for (; at < anew.length && seen > 0; at++) if (!/\s/.test(anew[at])) seen--
      this.view.dispatch({
        changes: { from: whole ? 0 : from, to: whole ? this.view.state.doc.length : to, insert: anew },
        selection: whole ? { anchor: at } : { anchor: from, head: from + anew.length },
        userEvent: "input.format",
        scrollIntoView: true,
      })
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      this.say(error.message, true)
    }
    return true
  }

  step(by) {
    const text = this.recall.step(this.text, by)
    if (text !== null) this.set(text, "input.recall")
    return true
  }

  mark(problem) {
    if (problem) this.say(mark(this.view, problem), true)
    else {
      unmark(this.view)
      this.say("")
    }
  }

  destroy() {
    this.view.destroy()
    for (const part of this.parts) part.remove()
  }
}
