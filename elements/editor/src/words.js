// Words that are shown as words of SQL: those that PostgreSQL reserves, and those that are seldom names of columns.
import { RESERVED } from "./names.js"

const MORE = `at begin by commit copy create cube current delete drop escape exclude explain filter first following groups
if insert last lateral materialized next no nulls ordinality others over partition preceding range recursive revoke
rollback rollup rows set sets show ties time truncate unbounded update within without zone alter grant`
// Reserved, or nearly, but written like functions.
const CALLED = `coalesce exists extract greatest grouping json_array json_arrayagg json_exists json_object json_objectagg
json_query json_scalar json_serialize json_value least normalize nullif overlay position substring treat trim xmlelement
xmlagg xmlforest`
const called = new Set(CALLED.split(/\s+/))

export const KEYWORDS = new Set([...RESERVED, ...MORE.split(/\s+/)].filter((word) => !called.has(word)))
KEYWORDS.add("exists")
