// The statements of a text, for completion: its runs of pieces between semicolons, from their first piece, comments
// included, to their last. What holds only comments is none. Which one is run Python says: undertone/statements.py.
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
