'use strict';
// Makes a program smaller as long as it still shows what it was found for.

/** All calls of a program as [function, call]. */
const placesOf = (program) => program.functions.flatMap(({ calls }, f) => calls.map((_, c) => [f, c]));

function withoutCalls(program, removed) {
  const gone = new Set(removed.map(([f, c]) => `${f} ${c}`));
  return { ...program, functions: program.functions.map((one, f) => ({ ...one, calls: one.calls.filter((_, c) => !gone.has(`${f} ${c}`)) })) };
}

/** Delta debugging: leaves out pieces of half the calls, of a quarter, and so on down to single ones. */
async function shrinkCalls(program, fails) {
  let current = program;
  for (let size = Math.ceil(placesOf(current).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < placesOf(current).length;) {
      const candidate = withoutCalls(current, placesOf(current).slice(at, at + size));
      if (await fails(candidate)) current = candidate;
      else at += size;
    }
  }
  return current;
}

const changed = (program, f, more) => ({ ...program, functions: program.functions.map((one, i) => (i === f ? { ...one, ...more } : one)) });
function withCall(program, f, c, more) {
  const { calls } = program.functions[f];
  return changed(program, f, { calls: calls.with(c, { ...calls[c], ...more }) });
}
function withArgument(program, f, c, a, words) {
  return withCall(program, f, c, { args: program.functions[f].calls[c].args.with(a, words) });
}

/** Smaller forms of one argument's words: a list without its items, each word 0. */
function* simplerArguments(words) {
  if (words.length > 2 && words[0] > 0) yield [0, 0];
  if (words.some((word) => word !== 0) && words.length <= 2) yield words.map(() => 0);
  for (let i = words.length > 2 ? 2 : 0; i < words.length; i++) if (words[i] !== 0) yield words.with(i, 0);
}

/** Simpler programs of the same length, one change each. */
function* simplifications(program) {
  for (let i = 0; i < program.world.length; i++) if (program.world[i] !== 0) yield { ...program, world: program.world.with(i, 0) };
  if (program.bits !== 0) yield { ...program, bits: 0 };
  for (let f = 0; f < program.functions.length; f++) {
    const { returns, bits, calls } = program.functions[f];
    if (returns >= 0) yield changed(program, f, { returns: -1 });
    for (const bit of [1, 2]) if (bits & bit) yield changed(program, f, { bits: bits & ~bit });
    for (let c = 0; c < calls.length; c++) {
      for (const bit of [1, 2, 8, 16]) if (calls[c].bits & bit) yield withCall(program, f, c, { bits: calls[c].bits & ~bit });
      if (calls[c].bits !== 0) yield withCall(program, f, c, { bits: 0 });
      for (let a = 0; a < calls[c].args.length; a++) {
        for (const words of simplerArguments(calls[c].args[a])) yield withArgument(program, f, c, a, words);
      }
    }
  }
}

async function simplify(program, fails) {
  let current = program;
  for (let round = 0; round < 4; round++) {
    let better = false;
    const tried = new Set();
    for (let again = true; again;) {
      again = false;
      for (const candidate of simplifications(current)) {
        const key = JSON.stringify(candidate);
        if (tried.has(key)) continue;
        tried.add(key);
        if (await fails(candidate)) {
          current = candidate;
          again = better = true;
          break;
        }
      }
    }
    if (!better) break;
    current = await shrinkCalls(current, fails);
  }
  return current;
}

/** The smallest program found of which `fails(program)`, which may be async, says true. */
async function shrink(program, fails) {
  return simplify(await shrinkCalls(program, fails), fails);
}

module.exports = { shrink };
