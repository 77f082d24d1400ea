// A statement laid out anew. Only white space may change: the pieces before and after are compared.
import { formatDialect, postgresql } from "sql-formatter"
import { tokens } from "./lexer.js"

const LONGEST = 20_000 // characters: longer ones would keep the browser busy for seconds

export class FormatError extends Error {}

const pieces = (text) =>
  tokens(text).map((one) => {
    const piece = text.slice(one.start, one.end)
    return `${one.kind} ${one.kind === "comment" ? piece.replace(/\s+/g, " ").trim() : piece}`
  })

// The text laid out; FormatError, which says why, where it cannot be.
export const format = (text) => {
  if (text.length > LONGEST)
    throw new FormatError(`Only texts of up to ${LONGEST.toLocaleString("en")} characters are formatted.`)
  let made
  try {
    made = formatDialect(text, {
      dialect: postgresql,
      paramTypes: { named: [":"], numbered: ["$"] },
      tabWidth: 2,
      expressionWidth: 80,
      linesBetweenQueries: 1,
    })
  } catch {
    throw new FormatError("This could not be formatted; the text is as it was.")
  }
  const before = pieces(text)
  const after = pieces(made)
  if (before.length !== after.length || before.some((piece, index) => piece !== after[index]))
    throw new FormatError("This could not be formatted without changing it; the text is as it was.")
  return made
}
