// Python counts characters, JavaScript halves of those beyond the first 65,536.

const isPair = (text, at) => {
  const code = text.charCodeAt(at)
  if (code < 0xd800 || code > 0xdbff) return false
  const next = text.charCodeAt(at + 1)
  return next >= 0xdc00 && next <= 0xdfff
}

// Python's number for the place `at` in JavaScript's.
export const toPython = (text, at) => {
  let count = 0
  for (let i = 0; i < at; i += isPair(text, i) ? 2 : 1) count++
  return count
}

// JavaScript's place for Python's number, at most the text's end.
export const fromPython = (text, number) => {
  let at = 0
  for (let count = 0; count < number && at < text.length; count++) at += isPair(text, at) ? 2 : 1
  return at
}
