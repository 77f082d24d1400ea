// npm ci && npm run build: build/editor.js and the licences of what is in it.
//
// The first line of the build tells what it was made from, and of what it consists: tests/unit/test_editor_build.py
// compares both, so that neither a source nor the build is changed alone.
import { createHash } from "node:crypto"
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { build } from "esbuild"

const here = new URL(".", import.meta.url).pathname
const hash = (parts) => parts.reduce((sum, part) => sum.update(part), createHash("sha256")).digest("hex")
const sources = [
  "build.mjs",
  "package-lock.json",
  "package.json",
  ...readdirSync(`${here}src`)
    .sort()
    .map((name) => `src/${name}`),
]
const of = hash(sources.flatMap((name) => [name, "\0", readFileSync(here + name), "\0"]))

const made = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  loader: { ".css": "text" },
  legalComments: "none",
  metafile: true,
  write: false,
})
// At least one line's end: to Streamlit a text without one is the name of a file.
const program = made.outputFiles[0].text
writeFileSync(
  `${here}build/editor.js`,
  `/* Undertone's editor, see ../src. sources ${of} program ${hash([program])} */\n${program}`,
)

const packages = new Set()
for (const name of Object.keys(made.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)
  if (found) packages.add(found[1])
}
const licences = [...packages].sort().map((name) => {
  const folder = `${here}node_modules/${name}/`
  const { version, license } = JSON.parse(readFileSync(`${folder}package.json`))
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one))
  return `${name} ${version} (${license})\n\n${readFileSync(folder + file, "utf8").trim()}\n`
})
writeFileSync(
  `${here}build/LICENCES.txt`,
  `build/editor.js holds these packages.\n\n${licences.join(`\n${"-".repeat(80)}\n\n`)}`,
)
console.log(`${program.length.toLocaleString("en")} characters from ${packages.size} packages`)
