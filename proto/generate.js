'use strict';
// node proto/generate.js --out DIR [--headers DIR] [--table FILE]
//
// Joins the table (napi.proto) with the prototypes of the official headers (and experimental.h) and writes what both processes are built from: opcodes.h, opcodes.c,
// client-stubs.c, handlers.h, server-handlers.c, and functions.json for the test that no function is missing.
const fs = require('node:fs');
const path = require('node:path');
const { readHeaders } = require('./generator/headers.js');
const { parseTable, BASES } = require('./generator/table.js');
const { planRow } = require('./generator/plan.js');
const { clientStubs } = require('./generator/client.js');
const { serverHandlers, handlersHeader } = require('./generator/server.js');
const { opcodesHeader, opcodesSource } = require('./generator/opcodes.js');

const ROWS_OF_A_SERVICE = 0x100;

function readArguments(argv) {
  const options = { table: path.join(__dirname, 'napi.proto') };
  for (let i = 0; i < argv.length; i += 2) {
    if (!['--out', '--headers', '--table'].includes(argv[i]) || argv[i + 1] === undefined) {
      throw new Error('usage: node proto/generate.js --out DIR [--headers DIR] [--table FILE]');
    }
    options[argv[i].slice(2)] = argv[i + 1];
  }
  if (options.out === undefined) throw new Error('--out DIR is missing');
  options.headers ??= require('node-api-headers').include_dir;
  return options;
}

/** Everything that is generated, by file name. Throws when the table and the headers disagree. */
function generate(tableSource, prototypes, file) {
  const { rows, messages } = parseTable(tableSource, file);
  const byName = new Map(rows.map((row) => [row.name, row]));
  for (const name of prototypes.keys()) {
    if (!byName.has(name)) throw new Error(`${file}: the function ${name} of ${prototypes.get(name).file} has no row`);
  }
  for (const row of rows) {
    if (row.words.has('internal') === prototypes.has(row.name)) {
      throw new Error(`${row.where}: ${row.name} is ${prototypes.has(row.name) ? 'a function of the headers, not internal' : 'no function of the headers'}`);
    }
    if (row.opcode - BASES[row.service] >= ROWS_OF_A_SERVICE) throw new Error(`${row.where}: service ${row.service} has too many rows`);
  }
  const plans = rows.filter((row) => row.words.has('flat')).map((row) => planRow(row, prototypes.get(row.name), messages));
  const absent = rows.filter((row) => row.words.has('absent')).map((row) => ({ row, prototype: prototypes.get(row.name) }));
  const kinds = Object.fromEntries(rows.filter((row) => !row.words.has('internal')).map((row) => [row.name, {
    service: row.service, kind: ['flat', 'hand', 'absent'].find((word) => row.words.has(word)), client: row.words.has('client') ? 'hand' : undefined,
  }]));
  return {
    'opcodes.h': opcodesHeader(rows),
    'opcodes.c': opcodesSource(rows),
    'client-stubs.c': clientStubs(plans, absent),
    'handlers.h': handlersHeader(rows, [...prototypes.values()]),
    'server-handlers.c': serverHandlers(plans, rows, [...prototypes.values()]),
    'functions.json': `${JSON.stringify(kinds, null, 1)}\n`,
  };
}

function main() {
  const options = readArguments(process.argv.slice(2));
  const files = generate(fs.readFileSync(options.table, 'utf8'), readHeaders(options.headers), path.basename(options.table));
  fs.mkdirSync(options.out, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(options.out, name);
    // Untouched when nothing changed, so that nothing is compiled again.
    if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== content) fs.writeFileSync(file, content);
  }
}

module.exports = { generate };

if (require.main === module) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`proto/generate.js: ${error.message}\n`);
    process.exitCode = 1;
  }
}
