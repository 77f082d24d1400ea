// SQL as PostgreSQL reads it, for CodeMirror: highlighting, comments, brackets.
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language"
import { tags } from "@lezer/highlight"
import * as lexer from "./lexer.js"
import { KEYWORDS } from "./words.js"

const KINDS = {
  comment: "comment",
  string: "string",
  quoted: "name.special",
  number: "number",
  operator: "operator",
  parameter: "variableName.special",
  numbered: "variableName.special",
}

const sql = StreamLanguage.define({
  name: "sql",
  startState: () => ({ ...lexer.start(), cast: false }),
  copyState: lexer.copy,
  token: (stream, state) => {
    if (stream.sol()) lexer.newline(state)
    const from = stream.pos
    const [kind, end] = lexer.scan(stream.string, from, state)
    stream.pos = end
    if (kind === "space") return null
    const text = stream.string.slice(from, end)
    const cast = state.cast
    state.cast = kind === "operator" && text === "::"
    if (kind !== "word") return KINDS[kind] ?? null
    if (cast) return "typeName"
    if (stream.string[from - 1] !== "." && KEYWORDS.has(text.toLowerCase())) return "keyword"
    return stream.string[end] === "(" ? "variableName.function" : "variableName"
  },
  languageData: {
    commentTokens: { line: "--", block: { open: "/*", close: "*/" } },
    closeBrackets: { brackets: ["(", "[", "'", '"'] },
  },
})

const style = HighlightStyle.define([
  { tag: tags.keyword, class: "tok-keyword" },
  { tag: tags.comment, class: "tok-comment" },
  { tag: tags.string, class: "tok-string" },
  { tag: tags.number, class: "tok-number" },
  { tag: tags.operator, class: "tok-operator" },
  { tag: tags.typeName, class: "tok-type" },
  { tag: tags.special(tags.name), class: "tok-quoted" },
  { tag: tags.special(tags.variableName), class: "tok-parameter" },
  { tag: tags.function(tags.variableName), class: "tok-function" },
])

export const language = () => [sql, syntaxHighlighting(style)]
