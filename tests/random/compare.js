'use strict';
// Where two transcripts part.

/** `napi_x(...) = status ...` → `napi_x status`; of other lines what they begin with. Tells whether two differences are the same one. */
function sortOf(line) {
  if (line === undefined) return 'nothing';
  const call = /^ *(\w+)\(.* = (\w+)/.exec(line) ?? /^ *(\.\.\.) = (\w+)/.exec(line);
  if (call) return `${call[1]} ${call[2]}`;
  return /^failed/.test(line) ? line : line.trim().split(/[ #:]/)[0];
}

/** { inProcess, isolated, before, sort }: the first lines that differ and some that stand before them; null when all are the same. */
function firstDifference(inProcess, isolated) {
  const [a, b] = [inProcess, isolated].map((text) => text.split('\n'));
  // In one process it must come to its end: this is none of the program's doing.
  if (/^failed/.test(a.at(-1))) return { inProcess: a.at(-1), isolated: b.at(-1), before: [], sort: a.at(-1) };
  if (inProcess === isolated) return null;
  // A host that died left no lines of its own: that says it all.
  if (/^failed/.test(b.at(-1))) {
    return { inProcess: 'went to its end', isolated: b.at(-1), before: [], sort: b.at(-1).replace(/\d+/g, 'N') };
  }
  let at = 0;
  while (a[at] === b[at]) at++;
  return { inProcess: a[at], isolated: b[at], before: a.slice(Math.max(0, at - 5), at), sort: `${sortOf(a[at])} / ${sortOf(b[at])}` };
}

module.exports = { firstDifference };
