'use strict';
// The client's half of the flat functions: the symbols that addons call.

const { camel, requestName } = require('./names.js');

// Functions that a finalizer may call inside a collection say so in their prototype.
function checkEnv(prototype) {
  return prototype.parameters[0].type === 'node_api_basic_env' ? 'NR_CHECK_BASIC_ENV(env);' : 'NR_CHECK_ENV(env);';
}

function checks(plan) {
  const { row, parameters } = plan;
  const lines = [row.words.has('preamble') ? 'NR_PREAMBLE(env);' : checkEnv(plan.prototype)];
  const check = row.words.has('preamble') ? 'NR_CHECK_JS_ARG' : 'NR_CHECK_ARG';
  const values = parameters.find((parameter) => parameter.kind === 'values');
  const text = parameters.find((parameter) => parameter.kind === 'text' || parameter.kind === 'text16');
  row.checks.forEach((name, index) => {
    lines.push(`${check}(env, ${name});`);
    // Node looks at argv after the first argument.
    if (index === 0 && values) lines.push(`if (${values.name} > 0) ${check}(env, ${values.values});`);
  });
  row.clears.forEach((name) => lines.push(`*${name} = 0;`));
  if (text) lines.push(`NR_CHECK_STRING_ARGS(env, ${text.name}, length, ${parameters.find((p) => p.kind === 'result').name});`);
  return lines;
}

function fill(parameter, gives) {
  const { kind, name } = parameter;
  switch (kind) {
    case 'env': case 'out': return [];
    case 'value': return [`request.${name} = nr_wire(${name});`];
    case 'result': return [`request.${name} = ${gives ? `nr_call_result_tagged(&call, NR_TAG_${gives.toUpperCase()})` : 'nr_call_result(&call)'};`];
    case 'text': return [`request.${name} = nr_call_bytes(&call, ${name}, ${name} == NULL ? 0 : nr_length(${name}, length));`];
    case 'text16': return [`request.${name} = nr_call_bytes(&call, ${name}, ${name} == NULL ? 0 : nr_length16(${name}, length) * sizeof(char16_t));`];
    case 'cstring': return [`request.${name} = nr_call_cstring(&call, ${name});`];
    case 'values': return [`request.${parameter.values} = nr_call_values(&call, ${parameter.values}, ${name});`,
      `request.n_${parameter.values} = request.${parameter.values} == NULL ? 0 : ${name};`];
    case 'typeTag': return [`request.type_tag_lower = ${name}->lower;`, `request.type_tag_upper = ${name}->upper;`];
    case 'scalar': return [`request.${name} = ${/^napi_/.test(parameter.type) ? `(uint32_t)${name}` : name};`];
    default: throw new Error(`no client code for ${kind}`);
  }
}

// What a reply gives back; out-pointers that Node lets be NULL are only written when they are not.
function take(parameter, row) {
  const { kind, name } = parameter;
  const guard = row.checks.includes(name) ? '' : `if (${name} != NULL) `;
  switch (kind) {
    case 'result': return [`${guard}*${name} = ${parameter.known ? 'nr_local_known(&call, reply)' : `nr_local(&call, reply->${name})`};`];
    case 'out': return [`${guard}*${name} = reply->${name};`];
    default: return [];
  }
}

function signature({ prototype }) {
  const parameters = prototype.parameters.map(({ type, name, declaration }) => declaration ?? `${type}${type.endsWith('*') ? '' : ' '}${name}`);
  return `NR_EXPORT ${prototype.returns} NAPI_CDECL ${prototype.name}(${parameters.join(', ')})`;
}

function posted(plan) {
  const result = plan.parameters.find((parameter) => parameter.kind === 'result');
  const text = plan.parameters.find((parameter) => parameter.kind === 'text' || parameter.kind === 'text16');
  const post = 'nr_call_post(&call)';
  // What the addon has just made a string of, it may use as a name.
  const learn = text?.kind === 'text' ? [`if (status == napi_ok) nr_learn_text(env->channel, request.${result.name}, ${text.name}, request.${text.name});`] : [];
  return [`napi_status status = ${text ? `may_fail(request.${text.name}) ? nr_call_wait(&call) : ${post}` : post};`, `if (status == napi_ok) *${result.name} = nr_local(&call, request.${result.name});`, ...learn];
}

function waited(plan) {
  const taken = plan.parameters.flatMap((parameter) => take(parameter, plan.row));
  const lines = [`napi_status status = ${plan.row.words.has('js') ? 'nr_call_wait_js' : 'nr_call_wait'}(&call);`];
  if (taken.length === 0) return lines;
  return [...lines, 'if (status == napi_ok) {', `  const ${camel(plan.row.reply)} *reply = call.reply;`, ...taken.map((line) => `  ${line}`), '}'];
}

// Only where JavaScript can run in between is there a difference.
const keepsLastError = ({ words }) => words.has('preamble') && words.has('js') && !words.has('settles');

function stub(plan) {
  const { row, parameters } = plan;
  const lines = [
    ...checks(plan),
    `${camel(row.request)} request = ${requestName(row.request)};`,
    `struct nr_call call = NR_CALL(env, NR_OP_${row.name.toUpperCase()}, &request.base);`,
    ...parameters.flatMap((parameter) => fill(parameter, row.gives)),
    ...(keepsLastError(row) ? ['call.keeps_last_error = true;'] : []),
    ...(row.service === 'Posted' ? posted(plan) : waited(plan)),
    'return nr_call_end(&call, status);',
  ];
  return `${signature(plan)} {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}

// Answered in the host, by a function of client/local.h.
function localStub(plan) {
  const { row, parameters } = plan;
  const gives = ({ kind, name, type }) => {
    if (kind === 'result') return [`*${name} = nr_unwire(reply.${name});`];
    return kind === 'out' ? [`*${name} = ${/^napi_/.test(type) ? `(${type.replace('*', '')})` : ''}reply.${name};`] : [];
  };
  const lines = [
    ...checks(plan),
    `${camel(row.request)} request = ${requestName(row.request)};`,
    `${camel(row.reply)} reply = ${requestName(row.reply)};`,
    ...parameters.filter(({ kind }) => kind !== 'result').flatMap((parameter) => fill(parameter, null)),
    `napi_status status = nr_local_${row.name}(env, &request, &reply);`,
    'if (NR_LIKELY(status == napi_ok)) {', ...parameters.flatMap(gives).map((line) => `  ${line}`), '}',
    `return nr_answer(env, NR_OP_${row.name.toUpperCase()}, &request.base, status == napi_ok ? &reply.base : NULL, status);`,
  ];
  return `${signature(plan)} {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}

function absentStub(row, prototype) {
  const unused = prototype.parameters.filter(({ name }) => name !== 'env').map(({ name }) => `  (void)${name};\n`).join('');
  const env = prototype.parameters.some(({ name }) => name === 'env');
  const check = env ? `  ${checkEnv(prototype)}\n` : '';
  return `${signature({ prototype })} {\n${check}${unused}  return nr_absent(${env ? 'env' : 'NULL'}, __func__, "${prototype.name} is not supported by napi-remote yet");\n}\n`;
}

// Posting must not be observable, and V8 has no strings of more than 2^29 - 24 units.
const MAY_FAIL = `/* Longer strings than V8 has: only the server can tell. */
static bool may_fail(nr_span text) {
  return text != NR_SPAN_NULL && nr_span_length(text) > UINT32_C(0x1fffffe8);
}

`;

/** client-stubs.c */
function clientStubs(plans, absent) {
  return `/* Made by proto/generate.js from proto/napi.proto. */\n#include "client/local.h"\n\n${MAY_FAIL}${[
    ...plans.filter(({ row }) => !row.words.has('client')).map((plan) => (plan.row.service === 'Local' ? localStub(plan) : stub(plan))), ...absent.map(({ row, prototype }) => absentStub(row, prototype))].join('\n')}`;
}

module.exports = { clientStubs };
