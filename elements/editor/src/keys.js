// What keys do.
import {
  acceptCompletion,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  selectedCompletion,
} from "@codemirror/autocomplete"
import { defaultKeymap, historyKeymap, indentLess, indentMore } from "@codemirror/commands"
import { closeSearchPanel, findNext, findPrevious, openSearchPanel } from "@codemirror/search"
import { Prec } from "@codemirror/state"
import { keymap } from "@codemirror/view"

// In the editor and in the panel for searching.
const scope = "editor search-panel"
const searchKeys = [
  { key: "Mod-f", run: openSearchPanel, scope },
  { key: "F3", run: findNext, shift: findPrevious, scope, preventDefault: true },
  { key: "Mod-g", run: findNext, shift: findPrevious, scope, preventDefault: true },
  { key: "Escape", run: closeSearchPanel, scope },
]

// For an Editor, see editor.js.
export const keys = (editor) => {
  const run = () => editor.run()
  const own = [
    { key: "Mod-Enter", run },
    { key: "Ctrl-Enter", run },
    // A word that stands there already is not what Enter is pressed for.
    { key: "Enter", run: (view) => isWritten(view) && closeCompletion(view) && false },
    {
      key: "Tab",
      run: (view) => acceptCompletion(view) || (editor.typed && indent(view)),
      shift: (view) => editor.typed && indentLess(view),
    },
    { key: "Shift-Alt-f", run: () => editor.format() },
    { key: "Alt-ArrowUp", run: () => editor.step(1) },
    { key: "Alt-ArrowDown", run: () => editor.step(-1) },
    { key: "ArrowUp", run: (view) => leaves(view, editor, false) && editor.step(1) },
    { key: "ArrowDown", run: (view) => leaves(view, editor, true) && editor.step(-1) },
  ]
  return [
    Prec.highest(keymap.of(own)),
    keymap.of([...closeBracketsKeymap, ...searchKeys, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
  ]
}

// To the next even column, in spaces: a tab is as wide as whoever shows it likes.
const indent = (view) => {
  const { state } = view
  const { empty, head } = state.selection.main
  if (!empty) return indentMore(view)
  const spaces = " ".repeat(2 - ((head - state.doc.lineAt(head).from) % 2))
  view.dispatch(state.update(state.replaceSelection(spaces), { userEvent: "input", scrollIntoView: true }))
  return true
}

const isWritten = (view) => {
  const label = completionStatus(view.state) === "active" && selectedCompletion(view.state)?.label
  if (!label) return false
  const head = view.state.selection.main.head
  const before = view.state.sliceDoc(Math.max(head - label.length, 0), head)
  return before.toLowerCase() === label.toLowerCase()
}

// Whether an arrow key would leave the text, and earlier statements may come instead.
const leaves = (view, editor, down) => {
  const { main } = view.state.selection
  if (!main.empty || completionStatus(view.state) === "active" || !editor.recall.untouched(editor.text)) return false
  const edge = view.coordsAtPos(down ? view.state.doc.length : 0)
  const here = view.coordsAtPos(main.head)
  return Boolean(edge && here) && Math.abs(edge.top - here.top) < 3
}
