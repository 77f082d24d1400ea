// Earlier statements by arrow keys: Alt-Up and Alt-Down, and plain ones at the text's edges while it is empty or as it
// was recalled.

export class Recall {
  constructor() {
    this.entries = []
    this.index = -1 // -1: what the person writes
    this.draft = ""
    this.shown = null
  }

  // `entries` are the newest first. Whoever stands at one stays there.
  take(entries) {
    if (entries.length === this.entries.length && entries.every((one, index) => one === this.entries[index])) return
    this.entries = entries
    this.index = this.shown === null ? -1 : entries.indexOf(this.shown)
    if (this.index < 0) this.shown = null
  }

  // Whether plain arrow keys may go through the entries.
  untouched(text) {
    return text === "" || (this.index >= 0 && text === this.shown)
  }

  // The entry `by` steps older (1) or newer (-1) than `text`, or the draft; null where there is none.
  step(text, by) {
    const edited = this.index >= 0 && text !== this.shown
    if (this.index < 0 || edited) {
      this.draft = text
      if (edited) this.index = -1
    }
    let index = this.index + by
    while (index >= 0 && index < this.entries.length && this.entries[index] === text) index += by
    if (index >= this.entries.length || (index < 0 && this.index < 0)) return null
    this.index = Math.max(index, -1)
    this.shown = this.index < 0 ? null : this.entries[this.index]
    return this.index < 0 ? this.draft : this.shown
  }
}
