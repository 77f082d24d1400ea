// What changes in the tree that is on the page: see tree.js.
const slot = (globalThis[Symbol.for("undertone.tree")] ??= { state: { search: "", folded: {}, active: null, top: 0 } })
export default function ({ data }) {
  slot.orders = data
  slot.obey?.(data)
  return () => { if (slot.orders === data) slot.orders = null }
}
