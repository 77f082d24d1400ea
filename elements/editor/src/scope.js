// Which relations a place in a statement can name, found without a parser: a statement that is being written is rarely
// one that could be parsed.
import { meant, RESERVED } from "./names.js"

const CLAUSES = new Set(
  `select from join where on using group order having limit offset fetch window union intersect except set values
  returning with into update for`.split(/\s+/),
)
// What may stand behind a relation and is no alias of it.
const NO_ALIAS = new Set([...RESERVED].filter((word) => word !== "as"))
for (const word of ["set", "within", "rows", "range", "groups"]) NO_ALIAS.add(word)
const OPENING = new Set(["from", "join", "update", "into"])

// A query's parentheses: the relations that it names, [{alias, relation, schema, columns}], and what its names for
// queries of its own (WITH) are. `columns` is null where the database knows them.
class Query {
  constructor(parent) {
    this.parent = parent
    this.tables = []
    this.ctes = new Map()
    this.outputs = []
  }

  cte(name) {
    return this.ctes.get(name) ?? this.parent?.cte(name)
  }

  // All that can be named here: its own first.
  *visible() {
    yield* this.tables
    if (this.parent) yield* this.parent.visible()
  }

  *queries() {
    yield* this.ctes.keys()
    if (this.parent) yield* this.parent.queries()
  }
}

// Reads the pieces of one statement; `at` is the place that is asked about, and `here` becomes the query around it.
export class Scope {
  constructor(text, pieces, at, columns) {
    this.text = text
    this.pieces = pieces
    this.at = at
    this.known = columns
    this.next = 0
    this.here = null
    const whole = this.query(null, 0)
    this.here ??= whole
  }

  word(index = this.next) {
    const piece = this.pieces[index]
    return piece?.kind === "word" ? this.text.slice(piece.start, piece.end).toLowerCase() : ""
  }

  mark(index = this.next) {
    const piece = this.pieces[index]
    return piece?.kind === "mark" ? this.text[piece.start] : ""
  }

  // The name at `index`; null for what is none, such as a reserved word.
  name(index = this.next) {
    const piece = this.pieces[index]
    if (piece?.kind !== "word" && piece?.kind !== "quoted") return null
    return meant(this.text.slice(piece.start, piece.end))
  }

  // To the parenthesis that closes this query, which is read, too.
  query(parent, depth) {
    const query = new Query(parent)
    const begin = this.pieces[this.next - 1]?.end ?? 0
    const clause = { name: "", output: null }
    for (; this.next < this.pieces.length && this.mark() !== ")";) this.step(query, clause, depth)
    const end = this.pieces[this.next]?.start ?? Infinity
    if (!this.here && begin <= this.at && this.at <= end) this.here = query
    if (clause.output) query.outputs.push(clause.output)
    this.next++
    return query
  }

  step(query, clause, depth) {
    const word = this.word()
    if (this.mark() === "(") {
      this.next++
      if (depth < 100) this.query(query, depth + 1)
      clause.output = null
      return
    }
    if (word === "with" && this.word(this.next - 1) !== "timestamp") {
      this.next++
      return this.ctes(query, depth)
    }
    const listed = this.mark() === "," && clause.name === "from"
    // IS DISTINCT FROM, EXTRACT(year FROM x) and SUBSTRING(x FROM 1) name no relation.
    const opens =
      OPENING.has(word) && !(word === "from" && (clause.name === "" || this.word(this.next - 1) === "distinct"))
    if (listed || opens) {
      if (clause.output && word === "from") query.outputs.push(clause.output)
      clause.output = null
      if (opens) clause.name = word === "join" ? "from" : word
      this.next++
      return this.table(query, depth)
    }
    if (CLAUSES.has(word)) {
      clause.name = word
      clause.output = null
    } else if (clause.name === "select") this.output(query, clause)
    this.next++
  }

  // The columns that a query gives, as far as they have names: the last name of each of its outputs.
  output(query, clause) {
    const piece = this.pieces[this.next]
    if (this.mark() === ",") {
      if (clause.output) query.outputs.push(clause.output)
      clause.output = null
    } else if (piece.kind === "operator" && this.text.slice(piece.start, piece.end) === "*") {
      const before = this.text[this.pieces[this.next - 1]?.start] === "." ? this.name(this.next - 2) : null
      clause.output = { all: before }
    } else if (piece.kind === "quoted" || (piece.kind === "word" && !RESERVED.has(this.word())))
      clause.output = { name: this.name() }
    else if (piece.kind !== "mark") clause.output = null
  }

  ctes(query, depth) {
    if (this.word() === "recursive") this.next++
    for (;;) {
      const name = this.name()
      if (name === null) return
      this.next++
      let named = null
      if (this.mark() === "(") named = this.list()
      for (; ["as", "not", "materialized"].includes(this.word());) this.next++
      if (this.mark() !== "(") return
      if (named) query.ctes.set(name, named) // a recursive one names itself
      this.next++
      const inner = this.query(query, depth + 1)
      query.ctes.set(name, named ?? this.columns(inner))
      if (this.mark() !== ",") return
      this.next++
    }
  }

  // The names in parentheses, each with no type.
  list() {
    const found = []
    for (this.next++; this.next < this.pieces.length && this.mark() !== ")"; this.next++) {
      const name = this.name()
      if (name !== null && this.mark(this.next - 1) !== "" && ",(".includes(this.mark(this.next - 1)))
        found.push([name, ""])
    }
    this.next++
    return found
  }

  columns(query) {
    const found = []
    for (const output of query.outputs) {
      if (output.name !== undefined) found.push([output.name, ""])
      else
        for (const table of query.tables)
          if (output.all === null || output.all === table.alias) found.push(...this.columnsOf(table, query))
    }
    return found
  }

  columnsOf(table, query = this.here) {
    if (table.columns) return table.columns
    return (table.schema === null && query.cte(table.relation)) || this.known(table.relation, table.schema) || []
  }

  // A relation, or a query or function in its place, and its alias.
  table(query, depth) {
    for (; ["only", "lateral"].includes(this.word());) this.next++
    const table = { alias: null, relation: null, schema: null, columns: null }
    if (this.mark() === "(") {
      this.next++
      const inner = this.query(query, depth + 1)
      // FROM (a JOIN b ON …) gives its tables to the query around it.
      if (inner.outputs.length) table.columns = this.columns(inner)
      else query.tables.push(...inner.tables)
    } else {
      const piece = this.pieces[this.next]
      const name = this.name()
      if (name === null || (piece.kind === "word" && NO_ALIAS.has(name))) return
      this.next++
      table.relation = name
      for (; this.mark() === "." && this.name(this.next + 1) !== null;) {
        table.schema = table.relation
        table.relation = this.name(this.next + 1)
        this.next += 2
      }
      if (this.mark() === "(") {
        this.next++
        this.query(query, depth + 1)
        table.columns = []
      }
    }
    if (this.word() === "as") this.next++
    const alias = this.name()
    if (alias !== null && !(this.pieces[this.next].kind === "word" && NO_ALIAS.has(this.word())) && !this.touched()) {
      table.alias = alias
      this.next++
      if (this.mark() === "(") table.columns = this.list()
    }
    table.alias ??= table.relation
    if (table.alias !== null) query.tables.push(table)
  }

  // Whether the next piece is what is being written at the moment: it is no alias yet.
  touched() {
    const piece = this.pieces[this.next]
    return piece.start < this.at && this.at <= piece.end
  }
}
