'use strict';
// node tests/calls/generate.js --out DIR --headers DIR
//
// From the prototypes of Node-API's functions it writes
// - what counts the calls of the test addons: count.c (a wrapper around each function, put before it by the linker), wrap.txt (the linker's
//   options for that) and counted.json (the functions, in the order of their counters);
// - what the addon raw.c calls any function with: raw.inc, and raw.json with the names and kinds of all parameters.
const fs = require('node:fs');
const path = require('node:path');
const { readHeaders } = require('../../proto/generator/headers.js');
const { rawCalls, rawTable } = require('./raw.js');

const MADE = '/* Made by tests/calls/generate.js from the headers. */\n';

function readArguments(argv) {
  const options = {};
  for (let i = 0; i < argv.length; i += 2) {
    if (!['--out', '--headers'].includes(argv[i]) || argv[i + 1] === undefined) break;
    options[argv[i].slice(2)] = argv[i + 1];
  }
  if (options.out === undefined || options.headers === undefined || argv.length !== 4) throw new Error('usage: generate.js --out DIR --headers DIR');
  return options;
}

function wrapper({ name, returns, parameters }, index) {
  const declared = parameters.map(({ type, name: parameter, declaration }) => declaration ?? `${type}${type.endsWith('*') ? '' : ' '}${parameter}`).join(', ');
  const call = `__real_${name}(${parameters.map((parameter) => parameter.name).join(', ')});`;
  return `${returns} __real_${name}(${declared});
${returns} __wrap_${name}(${declared});
${returns} __wrap_${name}(${declared}) {
  nr_count(${index});
  ${returns === 'void' ? call : `return ${call}`}
}
`;
}

function generate(prototypes) {
  const functions = [...prototypes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    'count.c': `${MADE}#define NR_FUNCTIONS ${functions.length}\n#include "calls/count.h"\n\n${functions.map(wrapper).join('\n')}`,
    'wrap.txt': functions.map(({ name }) => `--wrap=${name}\n`).join(''),
    'counted.json': `${JSON.stringify(functions.map(({ name }) => name), null, 1)}\n`,
    'raw.inc': MADE + rawCalls(functions),
    'raw.json': `${JSON.stringify(rawTable(functions), null, 1)}\n`,
  };
}

const options = readArguments(process.argv.slice(2));
fs.mkdirSync(options.out, { recursive: true });
for (const [name, content] of Object.entries(generate(readHeaders(options.headers)))) {
  const file = path.join(options.out, name);
  // Untouched when nothing changed, so that nothing is compiled or linked again.
  if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== content) fs.writeFileSync(file, content);
}
