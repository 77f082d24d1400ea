// A problem marked at its place, until the text is changed.
import { setDiagnostics, setDiagnosticsEffect } from "@codemirror/lint"
import { EditorState } from "@codemirror/state"
import { fromPython, toPython } from "./places.js"

// What is underlined for a problem at `at`: the word there, or one character; at the end, the last one that is seen.
const part = (text, at) => {
  let from = Math.min(at, text.length)
  if (!text.slice(from).trim()) {
    const seen = text.trimEnd()
    from = seen.length - ([...seen.slice(-2)].pop()?.length ?? 0)
  }
  const word = /^(?:[\p{L}_][\p{L}\p{N}_$]*|"[^"\n]*"|\d[\d.]*|.)/su.exec(text.slice(from, from + 200))
  return [from, from + (word ? word[0].length : 0)]
}

// Marks `problem`, {position, message} in Python's counting; the words that say where and what.
export const mark = (view, problem) => {
  const [from, to] = part(view.state.doc.toString(), fromPython(view.state.doc.toString(), problem.position))
  view.dispatch(setDiagnostics(view.state, [{ from, to, severity: "error", message: problem.message }]))
  const line = view.state.doc.lineAt(from)
  const block = view.lineBlockAt(from)
  const { scrollTop, clientHeight } = view.scrollDOM
  if (block.top < scrollTop || block.bottom > scrollTop + clientHeight) view.scrollDOM.scrollTop = block.top
  return `Line ${line.number}, column ${toPython(line.text, from - line.from) + 1}: ${problem.message}`
}

export const unmark = (view) => view.dispatch(setDiagnostics(view.state, []))

// With any change of the text marks go.
export const untilChanged = EditorState.transactionExtender.of((transaction) =>
  transaction.docChanged && !transaction.effects.some((one) => one.is(setDiagnosticsEffect))
    ? { effects: setDiagnosticsEffect.of([]) }
    : null,
)
