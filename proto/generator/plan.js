'use strict';
// How each parameter of a flat function travels. The prototype of the header says what it is, the table's messages must agree.

const SCALARS = {
  'bool': 'bool', 'int32_t': 'int32', 'uint32_t': 'uint32', 'int64_t': 'int64', 'uint64_t': 'uint64', 'double': 'double', 'size_t': 'uint64',
  'napi_typedarray_type': 'uint32', 'napi_key_collection_mode': 'uint32', 'napi_key_filter': 'uint32', 'napi_key_conversion': 'uint32',
};
const TAGS = ['string', 'symbol', 'object', 'function', 'external', 'bigint'];
const OUTS = {
  'bool*': 'bool', 'int32_t*': 'int32', 'uint32_t*': 'uint32', 'int64_t*': 'int64', 'uint64_t*': 'uint64', 'double*': 'double', 'size_t*': 'uint64',
  'napi_valuetype*': 'uint32',
};
// What a reply tells about its result, when it does.
const KNOWN = { shape: 'uint32', text: 'sfixed64', wrap_id: 'uint64' };

// One parameter (or two that belong together): {kind, name, type, request: {field: type}, reply: {field: type}}
function planParameter(parameters, index, reply, local) {
  const { type, name } = parameters[index];
  const next = parameters[index + 1];
  const plan = (kind, request, answer = {}, skip = 0) => ({ kind, name, type, request, reply: answer, skip });
  if (type === 'napi_env' || type === 'node_api_basic_env') return plan('env', {});
  if (type === 'napi_value') return plan('value', { [name]: 'fixed64' });
  if (type === 'napi_value*') {
    if (local) return plan('result', {}, { [name]: 'fixed64' });
    const known = reply.fields.has('shape');
    return { ...plan('result', { [name]: 'fixed64' }, { [name]: 'fixed64', ...(known && KNOWN) }), known };
  }
  if (type === 'const char*' && next?.type === 'size_t' && next.name === 'length') return plan('text', { [name]: 'sfixed64' }, {}, 1);
  if (type === 'const char16_t*') return plan('text16', { [name]: 'sfixed64' }, {}, 1);
  if (type === 'const char*') return plan('cstring', { [name]: 'sfixed64' });
  if (type === 'size_t' && next?.type === 'const napi_value*') return { ...plan('values', { [next.name]: 'repeated fixed64' }, {}, 1), values: next.name };
  if (type === 'napi_deferred*') return plan('newDeferred', { deferred_id: 'uint64' });
  if (type === 'napi_deferred') return plan('deferred', { deferred_id: 'uint64' });
  if (type === 'const napi_type_tag*') return plan('typeTag', { type_tag_lower: 'uint64', type_tag_upper: 'uint64' });
  if (type in SCALARS) return plan('scalar', { [name]: SCALARS[type] });
  if (type in OUTS) return plan('out', {}, { [name]: OUTS[type] });
  return null;
}

function checkFields(row, message, wanted, what) {
  for (const [name, type] of wanted) {
    const field = message.fields.get(name);
    const found = field && `${field.repeated ? 'repeated ' : ''}${field.type}`;
    if (found !== type) {
      throw new Error(`${row.where}: ${row.name} needs ${type} ${name} in ${what} ${message.name}, there is ${found ?? 'none'}`);
    }
  }
  for (const name of message.fields.keys()) {
    if (!wanted.has(name)) throw new Error(`${message.where}: nothing of ${row.name} goes into ${message.name}.${name}`);
  }
}

function checkClass(row, parameters) {
  const { where, name, service, gives } = row;
  if (!['Local', 'Waited', 'Posted'].includes(service)) throw new Error(`${where}: ${name} is flat, but service ${service} has no flat rows`);
  if ((gives !== null) !== (service === 'Posted')) throw new Error(`${where}: ${name}: gives() is for posted rows, and each of these needs it`);
  if (gives !== null && !TAGS.includes(gives)) throw new Error(`${where}: ${name} gives "${gives}", which is no tag of a handle`);
  const results = parameters.filter((plan) => ['result', 'out', 'newDeferred'].includes(plan.kind));
  // The server notes a posted creation that failed under its `result`.
  if (gives !== null && (results.length !== 1 || results[0].kind !== 'result' || results[0].name !== 'result')) {
    throw new Error(`${where}: ${name} cannot be posted: it gives more than one handle "result"`);
  }
}

/** What a flat row's code is made from; throws when the table and the header disagree. */
function planRow(row, prototype, messages) {
  const request = messages.get(row.request), reply = messages.get(row.reply);
  const parameters = [];
  for (let i = 0; i < prototype.parameters.length; i++) {
    const plan = planParameter(prototype.parameters, i, reply, row.service === 'Local');
    if (plan === null) {
      const { type, name } = prototype.parameters[i];
      throw new Error(`${row.where}: ${row.name} cannot be flat: nothing is known of "${type} ${name}"`);
    }
    parameters.push(plan);
    i += plan.skip;
  }
  checkFields(row, request, new Map(parameters.flatMap((plan) => Object.entries(plan.request))), 'request');
  const answers = parameters.flatMap((plan) => Object.entries(plan.reply));
  checkFields(row, reply, new Map(answers), 'reply');
  const names = new Set(prototype.parameters.map((parameter) => parameter.name));
  for (const name of row.checks) {
    if (!names.has(name)) throw new Error(`${row.where}: ${row.name} has no parameter "${name}" to check`);
  }
  for (const name of row.clears) {
    if (!parameters.some((plan) => plan.kind === 'out' && plan.name === name)) throw new Error(`${row.where}: ${row.name} has no result "${name}" to clear`);
    if (!row.checks.includes(name)) throw new Error(`${row.where}: ${row.name} must check "${name}" before it clears it`);
  }
  // There is no NULL tag on the wire: Node does not survive one together with an external.
  const tag = parameters.find((plan) => plan.kind === 'typeTag');
  if (tag && !row.checks.includes(tag.name)) throw new Error(`${row.where}: ${row.name} must check "${tag.name}"`);
  checkClass(row, parameters);
  return { row, prototype, parameters };
}

module.exports = { planRow, planParameter };
