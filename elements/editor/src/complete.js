// What may be written next: names of the database, of the statement itself, and words of SQL.
import { tokens } from "./lexer.js"
import { meant, RESERVED, written } from "./names.js"
import { Scope } from "./scope.js"
import { statements } from "./statements.js"

const LONGEST = 200_000 // characters: in a longer text nobody waits for this
// The likelier ones first.
const AFTER_VALUE = `FROM;WHERE;JOIN;LEFT JOIN;ON;USING;GROUP BY;ORDER BY;LIMIT;AND;OR;AS;ASC;DESC;IN;LIKE;ILIKE;IS NULL;
IS NOT NULL;IS DISTINCT FROM;BETWEEN;HAVING;OVER;OFFSET;UNION;UNION ALL;THEN;ELSE;END;WHEN;NOT IN;NOT LIKE;NULLS FIRST;
NULLS LAST;FILTER;INNER JOIN;RIGHT JOIN;FULL JOIN;CROSS JOIN;CROSS JOIN LATERAL;LEFT JOIN LATERAL;AT TIME ZONE;COLLATE;
EXCEPT;INTERSECT;FETCH FIRST;FOR;SIMILAR TO;TABLESAMPLE;WINDOW;WITH ORDINALITY;WITHIN GROUP`
const BEFORE_VALUE = `ALL;ANY;ARRAY;BY;CASE;CAST;CURRENT_DATE;CURRENT_TIMESTAMP;DISTINCT;DISTINCT ON;EXISTS;EXPLAIN;
EXPLAIN ANALYZE;FALSE;GROUPING SETS;CUBE;ROLLUP;INTERVAL;LATERAL;MATERIALIZED;NOT;NOT EXISTS;NULL;ONLY;PARTITION BY;
PRECEDING;FOLLOWING;UNBOUNDED;CURRENT ROW;RANGE;RECURSIVE;ROW;ROWS;SELECT;SHOW;SOME;TABLE;TRUE;VALUES;WITH;WITH RECURSIVE`
const words = (list) => list.split(/;\s*/)
const AFTER = words(AFTER_VALUE)
const EVERY = [...new Set([...words(BEFORE_VALUE), ...AFTER])].filter((word) => !/ LATERAL$/.test(word))
const FIRST = ["SELECT", "WITH", "WITH RECURSIVE", "VALUES", "TABLE", "EXPLAIN", "EXPLAIN ANALYZE", "SHOW"]
// Behind these words a value begins, behind others (NULL, TRUE, END) one has just ended.
const BEGINS = `select distinct all from join on where and or not in like ilike between by having limit offset when then
else case using set any some only lateral with is union intersect except over filter values as returning array explain
recursive partition materialized`
const OPEN = new Set(BEGINS.split(/\s+/))
const RELATION = new Set(["from", "join", "update", "into", "table", "only"])

// `names` gives the catalogue of now: names.catalogue.
export const completion = (names) => (context) => {
  const { state, pos, explicit } = context
  if (state.doc.length > LONGEST) return null
  const place = placeOf(state.doc.toString(), pos)
  if (!place) return null
  const { text, pieces, parents, from, prefix, quoted, before } = place
  if (!prefix && !explicit && !parents.length) return null
  const scope = new Scope(text, pieces, pos, names().columns)
  const to = quoted && state.sliceDoc(pos, pos + 1) === '"' ? pos + 1 : pos
  const always = quoted
  const answer = (options) => {
    if (!options.length) return null
    const validFor = quoted ? /^"[^"]*$/ : /^[\p{L}_][\p{L}\p{N}_$]*$/u
    return { from, to: pos, options: options.map((one) => (to > pos ? over(one, to - pos) : one)), validFor }
  }
  if (parents.length) return answer(members(names(), scope, parents, always))
  const lower = inLowerCase(text, pieces)
  if (!before.length && !quoted) return answer(keywords(FIRST, lower))
  if (textOf(text, before.at(-1)) === "::") return quoted ? null : answer(types)
  const behind = behindWhat(text, before)
  if (behind === "alias") return null
  if (behind === "value") {
    // An alias may be written here; only what begins with at least two of its letters is more likely a word of SQL.
    if (quoted || (!explicit && prefix.length < 2)) return null
    const start = prefix.toUpperCase()
    const options = keywords(AFTER, lower).filter((one) => one.label.toUpperCase().startsWith(start))
    return options.length ? { from, options, filter: false } : null
  }
  if (inRelations(text, pieces, before)) {
    const found = [...relations(names(), scope, always), ...schemas(names(), always)]
    if (!quoted)
      found.push(...functions(names(), text, pos, -60), ...keywords(["LATERAL", "ONLY", "SELECT"], lower, -70))
    return answer(found)
  }
  const found = [...columns(names(), scope, always), ...tables(scope, always)]
  if (!quoted) found.push(...functions(names(), text, pos, -30), ...keywords(EVERY, lower, -10))
  return answer([...found, ...relations(names(), scope, always, -50), ...schemas(names(), always, -60)])
}

// The pieces of the statement at `pos`, the names and dots before it, and what is written of the name at it.
const placeOf = (text, pos) => {
  const whole = statements(text).find((one) => one.start <= pos && (pos < one.stop || one.stop === one.end))
  const pieces = tokens(text, whole?.start ?? pos, whole?.end ?? pos)
  // A name that is being written in quotes would hold all that follows: read on as if it ended here.
  const open = pieces.at(-1)
  if (open?.open && open.kind === "quoted" && open.start < pos && pos < text.length)
    return placeOf(`${text.slice(0, pos)}"${text.slice(pos)}`, pos)
  const inside = pieces.find((one) => one.start < pos && (pos < one.end || (pos === one.end && one.open)))
  if (inside && inside.kind !== "word" && !(inside.kind === "quoted" && inside.open)) {
    if (inside.kind !== "quoted" && inside.kind !== "operator") return null
  }
  const real = pieces.filter((one) => one.kind !== "comment")
  let last = real.findLastIndex((one) => one.start < pos)
  const comment = pieces.findLast((one) => one.start < pos)
  if (comment?.kind === "comment" && comment.end === pos && text.startsWith("--", comment.start)) return null
  let from = pos
  const at = real[last]
  if (at && at.end >= pos) {
    if (at.kind === "word" || at.kind === "quoted") {
      if (at.kind === "quoted" && (!text.startsWith('"', at.start) || (at.end === pos && !at.open))) return null
      from = at.start
      last--
    } else if (["number", "string", "parameter", "numbered"].includes(at.kind)) return null
  }
  const parents = []
  for (; last > 0 && text[real[last].start] === "." && real[last].kind === "mark"; last -= 2) {
    const name = real[last - 1]
    if (name.kind !== "word" && name.kind !== "quoted") return null
    parents.unshift(meant(text.slice(name.start, name.end)))
  }
  const prefix = text.slice(from, pos)
  return { text, pieces: real, parents, from, prefix, quoted: prefix.startsWith('"'), before: real.slice(0, last + 1) }
}

const textOf = (text, piece) => (piece ? text.slice(piece.start, piece.end) : "")
const wordOf = (text, piece) => (piece?.kind === "word" ? text.slice(piece.start, piece.end).toLowerCase() : "")

// "alias" behind AS, "value" behind what ends a value, else "".
const behindWhat = (text, before) => {
  const last = before.at(-1)
  if (!last) return ""
  const word = wordOf(text, last)
  // CAST(x AS type) and WITH x AS (…) are no aliases, but nothing in the lists helps there either.
  if (word === "as") return "alias"
  if (word) return OPEN.has(word) || RELATION.has(word) || wordEndsClause(word) ? "" : "value"
  if (["number", "string", "quoted", "parameter", "numbered"].includes(last.kind)) return "value"
  return last.kind === "mark" && ")]".includes(text[last.start]) ? "value" : ""
}

const wordEndsClause = (word) => RESERVED.has(word) && !["null", "true", "false", "end", "asc", "desc"].includes(word)

// Whether a relation may be named behind the pieces `before`.
const inRelations = (text, pieces, before) => {
  const last = before.at(-1)
  const word = wordOf(text, last)
  if (RELATION.has(word)) return !(word === "from" && wordOf(text, before.at(-2)) === "distinct")
  if (word === "lateral") return true
  if (!last || text[last.start] !== "," || last.kind !== "mark") return false
  let depth = 0
  for (const piece of before.toReversed()) {
    const mark = piece.kind === "mark" ? text[piece.start] : ""
    if (mark === ")") depth++
    else if (mark === "(" && depth-- === 0) return false
    else if (depth === 0) {
      const found = wordOf(text, piece)
      if (["from", "join"].includes(found)) return true
      if (["select", "where", "on", "by", "having", "set", "values", "using", "with", "returning"].includes(found))
        return false
    }
  }
  return false
}

// Words of SQL are written as the statement's first one is.
const inLowerCase = (text, pieces) => {
  const first = pieces.find((one) => one.kind === "word")
  return Boolean(first) && /^[a-z]/.test(text[first.start])
}

const TYPES = `bigint;boolean;bytea;char;date;double precision;inet;integer;interval;json;jsonb;numeric;real;regclass;
smallint;text;time;timestamp;timestamptz;tsquery;tsvector;uuid;varchar;xml;text[];integer[]`

const option = (label, type, detail, boost = 0, apply = undefined) => ({ label, type, detail, boost, apply })

// An option that writes over the quotation mark behind the cursor, which was put there as the first was typed.
const over = (one, more) => ({
  ...one,
  apply: (view, _, from, to) =>
    view.dispatch({
      changes: { from, to: to + more, insert: one.label },
      selection: { anchor: from + one.label.length },
      userEvent: "input.complete",
    }),
})

const keywords = (list, lower, boost = 0) =>
  list.map((word) => option(lower ? word.toLowerCase() : word, "keyword", "", boost))

const types = words(TYPES).map((word) => option(word, "keyword", "type"))

const functions = (names, text, pos, boost) => {
  const called = text[pos] === "("
  return names.functions.map((name) => option(name, "function", "function", boost, called ? name : call))
}

const call = (view, completion, from, to) =>
  view.dispatch({
    changes: { from, to, insert: `${completion.label}()` },
    selection: { anchor: from + completion.label.length + 1 },
    userEvent: "input.complete",
  })

// Columns stand in the order of their relation.
const columnOption = ([name, type], always, boost, place, of = "") => ({
  ...option(written(name, always), "property", of ? `${type || "column"} · ${of}` : type || "column", boost),
  sortText: String(place).padStart(5, "0"),
})

const columns = (names, scope, always) => {
  const found = new Map()
  const add = (column, of, boost) => {
    if (!found.has(column[0])) found.set(column[0], columnOption(column, always, boost, found.size, of))
  }
  for (const table of scope.here.visible()) for (const column of scope.columnsOf(table)) add(column, table.alias, 60)
  // Before FROM is written any column may be meant, as long as there are not too many.
  const own = names.path.filter((schema) => !isSystem(schema))
  const path = own.flatMap((schema) => [...names.schemas.get(schema)])
  if (!found.size && path.length <= 60)
    for (const [relation, its] of path) for (const column of its) add(column, relation, 10)
  return [...found.values()]
}

const tables = (scope, always) => {
  const aliases = new Set([...scope.here.visible()].map((table) => table.alias))
  return [...aliases].map((alias) => option(written(alias, always), "variable", "in this statement", 40))
}

const relations = (names, scope, always, boost = 30) => {
  const found = new Map()
  for (const name of scope.here.queries())
    found.set(name, option(written(name, always), "type", "in this statement", boost + 20))
  for (const schema of names.path)
    for (const name of names.schemas.get(schema).keys())
      if (!found.has(name))
        found.set(name, option(written(name, always), "type", schema, isSystem(schema) ? boost - 40 : boost))
  if (always) return [...found.values()]
  const others = [...names.schemas].filter(([schema]) => !names.path.includes(schema) && !isSystem(schema))
  for (const [schema, its] of others)
    for (const name of its.keys()) {
      const label = `${written(schema)}.${written(name)}`
      found.set(label, option(label, "type", "", boost - 20))
    }
  return [...found.values()]
}

const isSystem = (schema) => schema === "information_schema" || schema.startsWith("pg_")

const schemas = (names, always, boost = 0) =>
  [...names.schemas.keys()].map((name) => option(written(name, always), "namespace", "schema", boost))

// What stands behind `parents` and a dot: the columns of an alias or relation, or the relations of a schema.
const members = (names, scope, parents, always) => {
  const [last, schema] = parents.toReversed()
  const found = new Map()
  if (parents.length === 1) {
    for (const table of scope.here.visible())
      if (table.alias === last) {
        for (const column of scope.columnsOf(table)) found.set(column[0], columnOption(column, always, 20, found.size))
        break
      }
    if (!found.size)
      for (const column of names.columns(last) ?? []) found.set(column[0], columnOption(column, always, 20, found.size))
    for (const name of names.schemas.get(last)?.keys() ?? [])
      if (!found.has(name)) found.set(name, option(written(name, always), "type", "table"))
  } else
    for (const column of names.columns(last, schema) ?? [])
      found.set(column[0], columnOption(column, always, 20, found.size))
  return [...found.values()]
}
