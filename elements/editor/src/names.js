// What there is to name in the database, and how a name is written.

// PostgreSQL 18: select word from pg_get_keywords() where catcode <> 'U'. As a name, each wants quotes.
export const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
  char character check coalesce collate collation column concurrently constraint create cross current_catalog
  current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
  desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
  grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array
  json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
  lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not
  notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real
  references returning right row select session_user setof similar smallint some substring symmetric system_user table
  tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose
  when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
  xmlserialize xmltable`.split(/\s+/),
)

// What PostgreSQL's grammar calls like functions; the catalogue does not have all of them.
const CALLED = ["coalesce", "exists", "greatest", "grouping", "least", "nullif", "cast"]

// A name as it has to stand in a statement; `always` with quotes.
export const written = (name, always = false) =>
  !always && /^[a-z_][a-z0-9_$]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`

// The name that a piece of a statement stands for: unquoted ones are folded, as the server does.
export const meant = (text) =>
  text.startsWith('"')
    ? text.slice(1, text.length > 1 && text.endsWith('"') ? -1 : undefined).replaceAll('""', '"')
    : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

// `given` as Python sends it: {schemas: {schema: {relation: [[column, type], …]}}, functions: […], path: […]}.
export const catalogue = (given) => {
  const schemas = new Map(
    Object.entries(given?.schemas ?? {}).map(([name, relations]) => [name, new Map(Object.entries(relations))]),
  )
  const path = (given?.path ?? []).filter((name) => schemas.has(name))
  const functions = [...new Set([...(given?.functions ?? []), ...CALLED])].map((name) =>
    name
      .split(".")
      .map((part) => functionName(part))
      .join("."),
  )
  return {
    schemas,
    path,
    functions,
    // The columns of a relation, [[name, type], …]; null where there is none of that name.
    columns: (relation, schema = null) => {
      for (const one of schema === null ? path : [schema]) {
        const found = schemas.get(one)?.get(relation)
        if (found) return found
      }
      return null
    },
  }
}

// coalesce and others are keywords, but functions are called by them without quotes.
const functionName = (name) => (RESERVED.has(name) ? name : written(name))
