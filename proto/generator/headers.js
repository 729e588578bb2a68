'use strict';
// The prototypes of the official headers (npm package node-api-headers).
const fs = require('node:fs');
const path = require('node:path');

// `const napi_value* argv` -> {type: 'const napi_value*', name: 'argv'}; a pointer to a function stays in one piece, `declaration`.
function parseParameter(text) {
  const pointer = /\(\*(\w+)\)/.exec(text);
  if (pointer) return { type: 'function*', name: pointer[1], declaration: text.trim() };
  const match = /^(.*?)(\w+)$/.exec(text.trim().replace(/\s*\*\s*/g, '* ').replace(/\s+/g, ' '));
  if (!match) throw new Error(`cannot read the parameter "${text}"`);
  return { type: match[1].trim(), name: match[2] };
}

function parsePrototypes(source) {
  const text = source.replace(/^#(?:.*\\\n)*.*$/gm, '').replace(/\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ');
  const functions = new Map();
  for (const match of text.matchAll(/NAPI_EXTERN (?:NAPI_NO_RETURN )?(\w+) NAPI_CDECL (\w+)\(((?:[^()]|\([^()]*\))*)\);/g)) {
    const [, returns, name, parameters] = match;
    functions.set(name, { name, returns, parameters: parameters.split(/,(?![^()]*\))/).map(parseParameter) });
  }
  // A prototype that this cannot read must not be a function that nobody misses.
  for (const [, name] of text.matchAll(/NAPI_EXTERN [^;{]*?\b(\w+) ?\(/g)) {
    if (!functions.has(name)) throw new Error(`cannot read the prototype of ${name}`);
  }
  return functions;
}

/** Our own file with what the official headers as packaged leave out. */
const EXPERIMENTAL = path.join(__dirname, '..', 'experimental.h');

/** All functions of js_native_api.h and node_api.h, and the experimental ones, by name. */
function readHeaders(directory) {
  const functions = new Map();
  for (const file of [path.join(directory, 'js_native_api.h'), path.join(directory, 'node_api.h'), EXPERIMENTAL]) {
    const source = fs.readFileSync(file, 'utf8');
    for (const [name, prototype] of parsePrototypes(source)) functions.set(name, { ...prototype, file: path.basename(file) });
  }
  return functions;
}

module.exports = { readHeaders, parsePrototypes };
