'use strict';
// The server's half of the flat functions: each takes its message apart, calls the real function, and puts the reply together.

const { camel } = require('./names.js');

/** Not every Node since 20.0 exports these: they are called through a weak symbol. */
const isNewer = ({ name, file }) => file === 'experimental.h' || /^node_api_create_(property_key|buffer_from|external_string)/.test(name);

const DECLARE = {
  env: () => [],
  value: ({ name }) => [`napi_value ${name} = NULL;`],
  result: ({ name }) => [`napi_value ${name} = NULL;`],
  out: ({ name, type }) => [`${type.replace('*', '')} ${name} = 0;`],
  text: ({ name }) => [`const char *${name} = NULL;`, 'size_t length = 0;'],
  text16: ({ name }) => [`const char16_t *${name} = NULL;`, 'size_t length = 0;'],
  cstring: ({ name }) => [`const char *${name} = NULL;`],
  values: ({ values }) => [`napi_value *${values} = NULL;`],
  newDeferred: ({ name }) => [`napi_deferred ${name} = NULL;`],
  deferred: ({ name }) => [`napi_deferred ${name} = NULL;`],
  typeTag: ({ name }) => [`napi_type_tag ${name} = {request->type_tag_lower, request->type_tag_upper};`],
  scalar: () => [],
};

const TAKE = {
  value: ({ name }) => [`NR_TAKE(d, request->${name}, &${name});`],
  text: ({ name }) => [`NR_TAKE_BYTES(d, request->${name}, &${name}, &length);`],
  text16: ({ name }) => [`NR_TAKE_UTF16(d, request->${name}, &${name}, &length);`],
  cstring: ({ name }) => [`NR_TAKE_CSTRING(d, request->${name}, &${name});`],
  values: ({ values }) => [`NR_TAKE_VALUES(d, request->${values}, request->n_${values}, &${values});`],
  deferred: ({ name }) => [`NR_TRY(nr_take_deferred(d, request->deferred_id, &${name}, true));`],
};

const PASS = {
  env: () => 'd->napi',
  value: ({ name }) => name,
  result: ({ name }) => `&${name}`,
  out: ({ name }) => `&${name}`,
  text: ({ name }) => `${name}, length`,
  text16: ({ name }) => `${name}, length`,
  cstring: ({ name }) => name,
  values: ({ values }) => `request->n_${values}, ${values}`,
  newDeferred: ({ name }) => `&${name}`,
  deferred: ({ name }) => name,
  typeTag: ({ name }) => `&${name}`,
  scalar: ({ name, type }) => (/^napi_/.test(type) ? `(${type})request->${name}` : `request->${name}`),
};

const GIVE = {
  result: ({ name, known }) => (known
    ? [`if (status == napi_ok) status = nr_give_known(d, request->${name}, ${name}, reply);`]
    : [`if (status == napi_ok) status = nr_give(d, request->${name}, ${name}, &reply->${name});`]),
  out: ({ name }) => [`reply->${name} = ${name};`],
  newDeferred: ({ name }) => [`if (status == napi_ok) status = nr_adopt_deferred(d, request->deferred_id, ${name});`],
};

const collect = (parts, parameters) => parameters.flatMap((parameter) => parts[parameter.kind]?.(parameter) ?? []);

function handler({ row, prototype, parameters }) {
  const gives = collect(GIVE, parameters);
  const usesReply = gives.some((line) => /\breply\b/.test(line));
  const usesRequest = row.request !== 'Empty';
  const lines = [
    usesRequest ? `const ${camel(row.request)} *request = message;` : '(void)message;',
    usesReply ? `${camel(row.reply)} *reply = answer;` : '(void)answer;',
    ...collect(DECLARE, parameters),
    ...(isNewer(prototype) ? [`if (${row.name} == NULL) return nr_lacks(d, "${row.name}");`] : []),
    // The deferred is consumed last: a call that fails before must leave it resolvable.
    ...collect(TAKE, [...parameters].sort((a, b) => (a.kind === 'deferred') - (b.kind === 'deferred'))),
    ...(row.words.has('guard') ? [`NR_TRY(nr_guard_${row.name}(d, request));`] : []),
    `napi_status status = ${row.name}(${parameters.map((parameter) => PASS[parameter.kind](parameter)).join(', ')});`,
    ...gives,
    ...(row.words.has('fresh') ? ['if (status == napi_ok) nr_note_fresh(d, request, func, reply);'] : []),
    'return status;',
  ];
  return `static napi_status serve_${row.name}(struct nr_dispatch *d, const void *message, void *answer) {\n${
    lines.map((line) => `  ${line}\n`).join('')}}\n`;
}

function entry(row) {
  if (row.words.has('absent') || row.words.has('here')) return '    {NULL, 0},\n';
  const name = row.words.has('flat') ? `serve_${row.name}` : `nr_serve_${row.name}`;
  const flags = [
    ...(row.words.has('js') ? ['NR_HANDLER_JS'] : []),
    ...(row.service === 'Posted' || row.words.has('posts') ? ['NR_HANDLER_POSTS'] : []),
  ];
  return `    {${name}, ${flags.join(' | ') || '0'}}, /* ${row.name} */\n`;
}

const MADE = '/* Made by proto/generate.js from proto/napi.proto. */\n';

/** handlers.h: the handlers that are written by hand. */
function handlersHeader(rows, prototypes) {
  const byHand = rows.filter(({ service, words }) => ['Waited', 'Posted'].includes(service) && (words.has('hand') || words.has('internal')) && !words.has('here'));
  return `${MADE}#ifndef NR_HANDLERS_H\n#define NR_HANDLERS_H\n\n#include "proto/experimental.h"\n#include "server/dispatch.h"\n#include "server/server-private.h"\n\n${
    prototypes.filter(isNewer).map(({ name }) => `#pragma weak ${name}\n`).join('')}\n${
    byHand.map((row) => `napi_status nr_serve_${row.name}(struct nr_dispatch *d, const void *message, void *answer);\n`).join('')}\n#endif\n`;
}

/** What a Node may lack, for the host to lack as well. */
function newerFunctions(prototypes) {
  const newer = prototypes.filter(isNewer);
  return `
const struct nr_newer nr_newer_functions[] = {
${newer.map(({ name }) => `    {"${name}", (void (*)(void))${name}},\n`).join('')}};
const size_t nr_newer_count = sizeof nr_newer_functions / sizeof nr_newer_functions[0];

`;
}

/** server-handlers.c */
function serverHandlers(plans, rows, prototypes) {
  const classes = { Waited: 'waited', Posted: 'posted' };
  const served = rows.filter((row) => row.service in classes);
  const parts = [`${MADE}#include "handlers.h"\n#include "server/calls/facts.h"\n#include "server/calls/guards.h"\n\n`];
  parts.push(newerFunctions(prototypes));
  parts.push(plans.filter(({ row }) => row.service in classes).map(handler).join('\n'));
  for (const [service, name] of Object.entries(classes)) {
    const members = served.filter((row) => row.service === service);
    parts.push(`\nstatic const struct nr_handler ${name}[] = {\n${members.map(entry).join('')}};\n`);
  }
  parts.push(`
const struct nr_handler *nr_handler(unsigned opcode) {
  unsigned place = opcode & 0xffu;
  const struct nr_handler *handler = NULL;
  if (opcode >> 8 == 1 && place < sizeof waited / sizeof waited[0]) handler = &waited[place];
  if (opcode >> 8 == 2 && place < sizeof posted / sizeof posted[0]) handler = &posted[place];
  return handler == NULL || handler->serve == NULL ? NULL : handler;
}
`);
  return parts.join('');
}

module.exports = { serverHandlers, handlersHeader };
