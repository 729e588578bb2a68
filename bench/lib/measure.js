'use strict';
// Timing and numbers.

const now = process.hrtime.bigint;

// What reading the clock twice costs, in nanoseconds.
function clockCost() {
  const costs = [];
  for (let i = 0; i < 2000; i++) {
    const before = now();
    costs.push(Number(now() - before));
  }
  return quantile(costs, 0.5);
}

function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

// A loop of its own for each function that is measured: a shared one would see many callees and be compiled for none of them.
function makeLoop(parameters, isAsync) {
  const args = parameters.join(', ');
  const source = isAsync
    ? `return async (n) => { const t = now(); for (let i = 0; i < n; i++) await f(${args}); return Number(now() - t); }`
    : `return (n) => { const t = now(); for (let i = 0; i < n; i++) f(${args}); return Number(now() - t); }`;
  return (f) => new Function('f', 'now', source)(f, now);
}

// Runs for about `milliseconds`: batches of `batch` calls (their mean), and between them one call timed alone.
async function sample(loop, batch, milliseconds, into, cost) {
  const end = now() + BigInt(milliseconds) * 1000000n;
  while (now() < end) {
    into.batches.push(Math.max(0, (await loop(batch)) - cost) / batch);
    into.singles.push(Math.max(0, (await loop(1)) - cost));
  }
}

function sampleSync(loop, batch, milliseconds, into, cost) {
  const end = now() + BigInt(milliseconds) * 1000000n;
  while (now() < end) {
    into.batches.push(Math.max(0, loop(batch) - cost) / batch);
    into.singles.push(Math.max(0, loop(1) - cost));
  }
}

function formatTime(ns) {
  if (!Number.isFinite(ns)) return '-';
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(2)} us`;
  return `${(ns / 1e6).toFixed(2)} ms`;
}

function formatTable(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('   ');
  return [line(head), widths.map((width) => '-'.repeat(width)).join('   '), ...rows.map(line)].join('\n');
}

module.exports = { clockCost, quantile, makeLoop, sample, sampleSync, formatTime, formatTable };
