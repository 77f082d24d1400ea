// The statements of a text: its runs of pieces between semicolons, from their first piece, comments included, to
// their last. What holds only comments is none.
import { tokens } from "./lexer.js"

// [{start, end, stop}]: `end` is behind the last piece, `stop` behind the semicolon, if there is one.
export const statements = (text) => {
  const found = []
  let one = null
  for (const token of tokens(text)) {
    if (token.kind === "mark" && text[token.start] === ";") {
      if (one?.real) found.push({ ...one, stop: token.end })
      one = null
      continue
    }
    one ??= { start: token.start, end: token.end, real: false }
    one.end = token.end
    one.real ||= token.kind !== "comment"
  }
  if (one?.real) found.push({ ...one, stop: one.end })
  return found
}

// The statement that a cursor at `position` means: the one it stands in or right behind on the same line, else the
// next, else the last; null where there is none.
export const statementAt = (text, position) => {
  const found = statements(text)
  let before = null
  for (const one of found) {
    if (position <= one.stop && position >= one.start) return one
    if (position < one.start) return before && !text.slice(before.stop, position).includes("\n") ? before : one
    before = one
  }
  return before
}

// What is to be run: the selection without the white space around it, if it holds any, else the statement at the cursor.
export const chosen = (text, from, to) => {
  const selected = text.slice(from, to)
  if (selected.trim()) {
    const start = from + selected.length - selected.trimStart().length
    return { start, statement: selected.trim() }
  }
  const one = statementAt(text, to)
  return one && { start: one.start, statement: text.slice(one.start, one.end) }
}
