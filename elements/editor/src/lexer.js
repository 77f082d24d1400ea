// A statement in pieces, as PostgreSQL's lexer takes it apart with standard_conforming_strings = on. One lexer for
// highlighting (line by line), for finding statements, for completion and for the check behind formatting.

const SPACE = /[ \t\n\r\f\v]+/y
const LINE_COMMENT = /--[^\n\r]*/y
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z_0-9$\u0080-\uffff]*/y
const NUMBER =
  /(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)/y
const PREFIXED = /(?:[eEbBxXnN]|[uU]&)?'/y
const QUOTED = /(?:[uU]&)?"/y
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*)?\$/y
const NUMBERED = /\$\d+/y
const PARAMETER = /:[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*/y
const CAST = /::|:=|\.\./y
const OPERATOR = /(?:(?!--|\/\*)[-+*/<>=~!@#%^&|`?])+/y

// `mode`: what is open at the end of a line: "'" a literal, "e" one with backslashes, '"' a name, "/" a comment of
// `depth`, or the dollar tag that ends it. `ended`: the mode of a literal that goes on behind a line's end. `operand`:
// whether a value came last, `square`: how many [ are open, and `bare`: whether one was opened just now.
export const start = () => ({ mode: "", depth: 0, ended: "", line: false, operand: false, square: 0, bare: false })
export const copy = (state) => ({ ...state })

const matched = (pattern, text, at) => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

const closing = (text, at, mark, backslash) => {
  for (let i = at; i < text.length; i++) {
    const one = text[i]
    if (backslash && one === "\\") i++
    else if (one === mark) {
      if (text[i + 1] !== mark) return i + 1
      i++
    } else if (!backslash) {
      const next = text.indexOf(mark, i)
      if (next < 0) return -1
      i = next - 1
    }
  }
  return -1
}

// The end of what `state.mode` says is open, or of the text. A literal that ended may go on: see `scan`.
const rest = (text, at, state) => {
  if (state.mode === "/") {
    const marks = /\/\*|\*\//g
    marks.lastIndex = at
    for (let found; (found = marks.exec(text));) {
      state.depth += found[0] === "/*" ? 1 : -1
      if (state.depth === 0) {
        state.mode = ""
        return marks.lastIndex
      }
    }
    return text.length
  }
  const literal = state.mode === "'" || state.mode === "e"
  let end
  if (literal || state.mode === '"') end = closing(text, at, state.mode === '"' ? '"' : "'", state.mode === "e")
  else {
    end = text.indexOf(state.mode, at)
    if (end >= 0) end += state.mode.length
  }
  if (end < 0) return text.length
  state.ended = literal ? state.mode : ""
  state.line = false
  state.mode = ""
  return end
}

const kindOf = (mode) => (mode === "/" ? "comment" : mode === '"' ? "quoted" : "string")

// One piece of `text` from `at` on: [kind, its end]. `state` is changed. `text` may be one line: what it leaves open
// is in `state.mode`, and whoever goes line by line calls `newline` between them.
export const scan = (text, at, state) => {
  if (state.mode) {
    const kind = kindOf(state.mode)
    const end = rest(text, at, state)
    if (kind !== "comment") value(state)
    return [kind, end]
  }
  let end = matched(SPACE, text, at)
  if (end >= 0) {
    if (/[\n\r]/.test(text.slice(at, end))) state.line = true
    return ["space", end]
  }
  if ((end = matched(LINE_COMMENT, text, at)) >= 0) return ["comment", end]
  const { ended, line, operand, bare } = state
  state.ended = ""
  state.line = false
  if (text.startsWith("/*", at)) return open(text, at + 2, state, "/", 1)
  if ((end = matched(PREFIXED, text, at)) >= 0) {
    const escape = /[eE]/.test(text[at]) || (ended === "e" && line && end === at + 1)
    return open(text, end, state, escape ? "e" : "'")
  }
  if ((end = matched(QUOTED, text, at)) >= 0) return open(text, end, state, '"')
  if ((end = matched(DOLLAR, text, at)) >= 0) return open(text, end, state, text.slice(at, end))
  for (const [kind, pattern] of [
    ["word", WORD],
    ["number", NUMBER],
    ["numbered", NUMBERED],
  ])
    if ((end = matched(pattern, text, at)) >= 0) {
      value(state)
      return [kind, end]
    }
  if ((end = matched(CAST, text, at)) >= 0) return other(state, "operator", end)
  if ((end = matched(PARAMETER, text, at)) >= 0) {
    // a[1:n] and a[:n] are slices
    if (state.square && (operand || bare)) return other(state, "operator", at + 1)
    value(state)
    return ["parameter", end]
  }
  if ((end = matched(OPERATOR, text, at)) >= 0) return other(state, "operator", end)
  const one = text[at]
  state.bare = one === "["
  if (one === "[") state.square++
  if (one === "]" && state.square) state.square--
  if (one === ";") state.square = 0
  state.operand = one === ")" || one === "]"
  return ["mark", at + 1]
}

export const newline = (state) => {
  state.line = true
}

const value = (state) => {
  state.operand = true
  state.bare = false
}

const other = (state, kind, end) => {
  state.operand = state.bare = false
  return [kind, end]
}

const open = (text, at, state, mode, depth = 0) => {
  state.mode = mode
  state.depth = depth
  const kind = kindOf(mode)
  const end = rest(text, at, state)
  if (kind !== "comment") value(state)
  return [kind, end]
}

// The pieces of a text, without white space: {kind, start, end, open}. `open`: it never ends.
export const tokens = (text, from = 0, to = text.length) => {
  const part = from || to < text.length ? text.slice(from, to) : text
  const state = start()
  const found = []
  for (let at = 0; at < part.length;) {
    const [kind, end] = scan(part, at, state)
    if (kind !== "space") found.push({ kind, start: from + at, end: from + end, open: Boolean(state.mode) })
    at = end
  }
  return found
}
